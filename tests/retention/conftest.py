"""A temple with real backups: one that was made by a run, and copies of its folder and record dated otherwise."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo.database import Database

from backups_app import formats
from backups_app.backup_files import layout, metadata, stamps
from backups_app.backup_files import manifest as manifests
from backups_app.backup_files.store import removals, trash
from backups_app.backup_files.store.store import Store
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.records import Origin
from backups_app.retention.policy import Policy
from backups_app.use_cases.backups import backups
from backups_app.use_cases.retention import policy, prune, removal
from backups_app.use_cases.retention.prune import Pass

Db = Database[dict[str, Any]]
LAST_ONE = Policy(last=1)


@dataclass
class Temple:
    """The configuration in force, its databases, and what a test does with backups."""

    configuration: Configuration
    database: Db
    now: datetime

    @property
    def store(self) -> Store:
        return Store(self.configuration.backup_dir, database=self.configuration.database_name)

    def run(self) -> RunRecord:
        """Carry a whole run out in this process."""
        started = backups.start_backup(
            created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=datetime.now(UTC), enqueue=False
        )
        return backups.execute(backup_id=started["backup_id"])

    def add(self, *, days: float = 0, counts: Mapping[str, int] | None = None, **fields: Any) -> str:
        """Copy the newest real backup as one of `days` ago, in folder and record. `counts`: how many documents its
        manifest says; `fields` stand in both."""
        template = self.newest_real()
        at = (self.now - timedelta(days=days)).replace(microsecond=0)
        backup_id = layout.new_backup_id(now=at, taken=self.store.taken_ids())
        folder = self.store.root / layout.published_name(backup_id)
        shutil.copytree(self.store.folder(template), folder)
        record = self.record(template) | {"_id": backup_id, "backup_id": backup_id, "verification": None}
        record |= dict.fromkeys(("created_at", "backup_timestamp", "finished_at"), at)
        record |= {"steps": [step | {"started_at": at, "finished_at": at} for step in record["steps"]]} | fields
        written = metadata.read(folder) or {}
        written |= {key: value for key, value in formats.plain(record).items() if key in written or key in fields}
        written["backup_id"] = backup_id
        for name, count in (counts or {}).items():
            written["manifest"]["collections"][name]["documents"] = count
        written[stamps.FIELD] = stamps.take(folder, manifests.from_json(written["manifest"]))
        metadata.write(folder, written)
        self.database["backup_metadata"].insert_one(record)
        return backup_id

    def newest_real(self) -> str:
        return str(self.database["backup_metadata"].find_one({"template": True}, {"_id": 1})["_id"])  # type: ignore[index]

    def record(self, backup_id: str) -> dict[str, Any]:
        return self.database["backup_metadata"].find_one({"_id": backup_id}) or {}

    def written(self, backup_id: str) -> dict[str, Any]:
        return metadata.read(self.store.folder(backup_id)) or {}

    def ids(self) -> set[str]:
        return set(self.store.backups().ids)

    def in_trash(self) -> set[str]:
        return {one.backup_id for one in trash.thrown(self.store.root)}

    def removed_lines(self) -> set[str]:
        return set(removals.all_of(self.store.root))

    def set_policy(self, rules: Policy | None = LAST_ONE) -> None:
        policy.change(
            configuration=self.configuration, policy=rules, changed_by="ananya", origin=Origin.WEB, now=self.now
        )

    def prune(self, *, dry_run: bool = False, now: datetime | None = None) -> Pass:
        return prune.prune(
            configuration=self.configuration,
            requested_by="ananya",
            origin=Origin.COMMAND,
            now=now or self.now,
            dry_run=dry_run,
        )

    def remove(self, backup_id: str, *, typed: str | None = None) -> None:
        removal.remove(
            configuration=self.configuration,
            backup_id=backup_id,
            typed=backup_id if typed is None else typed,
            requested_by="ravi",
            origin=Origin.WEB,
            now=self.now,
        )


@pytest.fixture
def temple(configured: Configuration, local_db: Db, db: None) -> Iterator[Temple]:
    """Forty bookings, on this computer alone; one verified backup of them, the newest; at least one always stays."""
    local_db["bookings"].insert_many([{"_id": number, "devotee": f"पूजा {number}"} for number in range(40)])
    local_db["devotees"].insert_many([{"_id": number} for number in range(5)])
    alone = dataclasses.replace(configured, cloud_url=Secret(""), min_keep=1)
    with override_settings(TEMPLEOPS=alone):
        made = Temple(configuration=alone, database=local_db, now=datetime.now(UTC))
        run = made.run()
        local_db["backup_metadata"].update_one({"_id": run["backup_id"]}, {"$set": {"template": True}})
        made.now = datetime.now(UTC) + timedelta(seconds=1)
        yield made


@pytest.fixture
def newest(temple: Temple) -> str:
    return temple.newest_real()


def damage(folder: Path, database: str) -> None:
    """Change a byte in the middle of the bookings, as a disk that rots: size and times stay."""
    import os

    path = folder / database / "bookings.bson"
    before = path.stat()
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(bytes(raw))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
