"""Whenever the power goes, a listed backup is good, and no purge had begun without its backup on the disk.

In `make test` 300 states of the disk; with TEMPLEOPS_LONG=1 (`make faults`) 5,000.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files import durable, layout, manifest, metadata
from backups_app.backup_files.durable import Operation
from backups_app.backup_files.store.store import Store
from backups_app.dump.python_dump import PythonDump
from backups_app.errors import TempleOpsError
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.verification import verdict

from .power_cut import Disk

STATES = 5000 if os.environ.get("TEMPLEOPS_LONG") else 300
NOW = datetime(2026, 11, 24, tzinfo=UTC)
FIRST, SECOND = "20261124_120000", "20261124_130000"
Trace = tuple[Path, list[Operation], dict[str, int]]


@pytest.fixture(params=["built-in engine", "another program"])
def trace(
    request: pytest.FixtureRequest, local_db: Database[dict[str, Any]], local_server: EmbeddedServer, tmp_path: Path
) -> Trace:
    """What two runs do to the disk: the first is published, then the second, then the first is thrown away.

    With it, from which operation on each purge may begin.
    """
    local_db["bookings"].insert_many([{"_id": number, "name": "x" * 50} for number in range(40)])
    local_db["activities"].insert_many([{"_id": number} for number in range(5)])
    store, seen, begun = Store(tmp_path / "store"), list[Operation](), dict[str, int]()
    with durable.recording(seen.append):
        store.prepare()
        for backup_id in (FIRST, SECOND):
            folder = store.make_partial(backup_id)
            _dump(request.param, local_db, local_server.uri, folder, seen)
            verified = verdict.verify(folder=folder, database=local_db.name, report=None, progress=Silent())
            metadata.write(folder, {"backup_id": backup_id, "manifest": verified.manifest.as_json()})
            store.publish(backup_id)
            begun[backup_id] = len(seen)
            metadata.write(store.folder(backup_id), {"status": "success", "manifest": verified.manifest.as_json()})
        store.trash(FIRST, now=NOW)
        store.empty_trash(older_than=datetime(2026, 11, 25, tzinfo=UTC))
    return store.root, seen, begun


def _dump(how: str, database: Database[Any], uri: str, folder: Path, seen: list[Operation]) -> None:
    """Dump with our engine, or as mongodump does: files that nobody fsyncs, made durable afterwards."""
    ours = how == "built-in engine"
    out = folder if ours else folder.parent.parent / f"elsewhere{folder.name}"
    out.mkdir(exist_ok=True)
    before = len(seen)
    PythonDump().dump(
        database=database, uri=uri, out=out, excluded=frozenset(), timeout_seconds=60, progress=Silent()
    )  # fmt: skip
    if ours:
        return
    del seen[before:]
    shutil.copytree(out / database.name, folder / database.name)
    seen.append(Operation(kind="mkdir", path=folder / database.name))
    for path in sorted((folder / database.name).iterdir()):
        seen.append(Operation(kind="create", path=path))
        seen.append(Operation(kind="write", path=path, data=path.read_bytes()))
    durable.sync_tree(folder)


def faults(trace: Trace, tmp_path: Path, *, states: int, seed: int = 1) -> list[str]:
    """Cut the power at `states` random moments; return what was wrong."""
    root, operations, begun = trace
    chance, found = random.Random(seed), []
    for number in range(states):
        done = chance.randrange(len(operations) + 1)
        target = tmp_path / f"cut{number}"
        target.mkdir(mode=0o700)
        Disk(root, operations[:done]).after_a_cut(target, chance)
        found += [f"after {done} operations: {fault}" for fault in _faults(Store(target), done, begun, operations)]
        shutil.rmtree(target)
    return found


def _faults(store: Store, done: int, begun: dict[str, int], operations: Sequence[Operation]) -> list[str]:
    listed = store.backups().ids
    found = [f"{backup_id} is listed and not good" for backup_id in listed if not _is_good(store, backup_id)]
    for backup_id, moment in begun.items():
        if done >= moment and backup_id not in listed and not _is_thrown_away(backup_id, operations[:done]):
            found.append(f"the purge of {backup_id} may have begun, and its backup is not there")
    return found


def _is_good(store: Store, backup_id: str) -> bool:
    folder = store.folder(backup_id)
    try:
        written = metadata.read(folder) or {}
        verdict.recheck(folder=folder, manifest=manifest.from_json(written.get("manifest", {})), progress=Silent())
    except (TempleOpsError, ValueError):
        return False
    return True


def _is_thrown_away(backup_id: str, operations: Sequence[Operation]) -> bool:
    return any(one.kind == "rename" and one.path.name == layout.published_name(backup_id) for one in operations)


def test_no_power_cut_leaves_a_listed_backup_that_is_not_good(trace: Trace, tmp_path: Path) -> None:
    assert faults(trace, tmp_path, states=STATES // 2) == []


def without(kind: str, name: Callable[[str], bool]) -> Callable[[Operation], bool]:
    return lambda one: not (one.kind == kind and name((one.target or one.path).name))


GUARDS = {
    "the fsync of a data file": without("fsync", lambda name: name.endswith(".bson")),
    "the fsync of metadata.json": without("fsync", lambda name: "metadata.json.tmp" in name),
    "the fsync of the folder with the data": without("fsync_directory", lambda name: name.startswith("temple")),
    "the fsync of the backup's folder": without("fsync_directory", lambda name: name.startswith(".partial")),
    "the fsync of the store after publishing": without("fsync_directory", lambda name: name == "store"),
}  # fmt: skip


@pytest.mark.parametrize("guard", GUARDS)
def test_each_fsync_is_needed(trace: Trace, tmp_path: Path, guard: str) -> None:
    root, operations, begun = trace
    kept = [one for one in operations if GUARDS[guard](one)]
    moved = {backup_id: sum(map(GUARDS[guard], operations[:moment])) for backup_id, moment in begun.items()}

    assert faults((root, kept, moved), tmp_path, states=100) != []
