"""A published and verified backup of a real database, and purges against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files.manifest import Manifest
from backups_app.dump.python_dump import PythonDump
from backups_app.progress import Progress, Silent
from backups_app.purge import delete
from backups_app.purge.delete import CollectionPurge
from backups_app.records import UNDUMPED_INTERNAL, Side
from backups_app.verification import verdict

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TempleDatabase = Database[dict[str, Any]]


@dataclass(kw_only=True)
class APurge:
    """A backup of `local` as it was, and the two sides to purge against it."""

    local: TempleDatabase
    remote: TempleDatabase | None
    folder: Path
    manifest: Manifest
    forgotten: list[bytes]
    run_id: str = "20261124_120000"

    def side(
        self, side: Side, *, collection: str = "bookings", progress: Progress | None = None, **changes: Any
    ) -> CollectionPurge:
        """Purge one collection on one side."""
        database = self.local if side is Side.LOCAL else self.remote
        assert database is not None
        arguments: dict[str, Any] = {
            "side": side,
            "database": database,
            "local": self.local,
            "folder": self.folder,
            "manifest": self.manifest,
            "collection": collection,
            "run_id": self.run_id,
            "two_sided": self.remote is not None,
            "forget_base": self.forgotten.extend,
            "progress": progress or Silent(),
            "now": NOW,
        }
        return delete.purge_collection(**arguments | changes)


Backup = Callable[..., APurge]


@pytest.fixture
def backup_of(a_folder: Path) -> Backup:
    """Dump and verify a database as a run does, and return it ready to be purged against."""

    def make(local: TempleDatabase, remote: TempleDatabase | None = None, *, compression: str = "none") -> APurge:
        host, port = local.client.address or ("", 0)
        folder = a_folder / "backup_20261124_120000"
        folder.mkdir(mode=0o700)
        report = PythonDump(compression=compression).dump(  # type: ignore[arg-type]
            database=local,
            uri=f"mongodb://{host}:{port}/?directConnection=true",
            out=folder,
            excluded=UNDUMPED_INTERNAL,
            timeout_seconds=60,
            progress=Silent(),
        )
        verified = verdict.verify(folder=folder, database=local.name, report=report, progress=Silent())
        return APurge(local=local, remote=remote, folder=folder, manifest=verified.manifest, forgotten=[])

    return make


def bookings(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Return bookings as a temple has them."""
    return [
        {"_id": number, "devotee": f"devotee {number}", "ritual": "puja", "amount": number * 1.5, "status": "paid"}
        for number in range(start, start + count)
    ]


def ids(database: TempleDatabase, collection: str = "bookings") -> Sequence[Any]:
    """Return the live `_id`s, in order."""
    return [document["_id"] for document in database[collection].find({}, {"_id": 1}).sort("_id")]
