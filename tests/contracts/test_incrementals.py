"""Ten incrementals on a base, after everything that may happen between: each is the whole state, in every hand.

Exported by us and by the runbook's script the files are the same; stock mongorestore and our own restorer make of them
what the database held.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import Int64
from pymongo.database import Database

from backups_app.backup_files import collection_metadata, dump_folder, metadata
from backups_app.backup_files.digests import base_digests
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.reading import bson_frames
from backups_app.dump.base.base_state import BaseState
from backups_app.dump.python_dump import Compression, PythonDump
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.restore import export
from backups_app.restore.source import Source
from backups_app.verification import incremental, verdict
from tests.contracts import golden
from tests.contracts.test_restorers import assert_alike, ours, stock

Db = Database[dict[str, Any]]
Change = Callable[[Db], object]
RUNBOOK = Path(__file__).parents[2] / "docs" / "restore_runbook.md"
BASE = "20250119_020000"
AT = datetime(2025, 1, 19, 9, tzinfo=UTC)
USUAL: dict[str, Any] = {"excluded": frozenset(), "timeout_seconds": 60, "progress": Silent()}


class Shelf:
    """Backups side by side, as a store holds them."""

    def __init__(self, root: Path, uri: str, compression: Compression) -> None:
        self.root, self.uri, self.compression = root, uri, compression
        self.base: Manifest | None = None

    def folder(self, backup_id: str) -> Path:
        return self.root / f"backup_{backup_id}"

    def full(self, database: Db) -> Source:
        folder = self.folder(BASE)
        folder.mkdir()
        report = PythonDump(compression=self.compression).dump(database=database, uri=self.uri, out=folder, **USUAL)
        found = verdict.verify(folder=folder, database=database.name, report=report, progress=Silent())
        self.base = found.manifest
        return self.published(folder, found.manifest)

    def incremental(self, database: Db, backup_id: str) -> Source:
        assert self.base is not None
        folder = self.folder(backup_id)
        (folder / "delta").mkdir(parents=True)
        digests = {
            name: base_digests.opened(folder=self.folder(BASE), manifest=self.base, name=name)
            for name, entry in self.base.collections.items()
            if entry.file
        }
        report = PythonDump(compression=self.compression).dump(
            database=database, uri=self.uri, out=folder / "delta", base=BaseState(digests=digests), **USUAL
        )
        found = incremental.verify(
            folder=folder, database=database.name, report=report, changes=report.changes,
            base=incremental.VerifiedBase(backup_id=BASE, manifest=self.base), progress=Silent(),
        )  # fmt: skip
        return self.published(folder, found.manifest)

    def published(self, folder: Path, manifest: Manifest) -> Source:
        metadata.write(folder, {"kind": "backup", "manifest": manifest.as_json()})
        return Source(folder=folder, manifest=manifest)


def insert_readings(database: Db) -> None:
    """Of which no change stream says."""
    database["readings"].insert_many([{"at": AT + timedelta(hours=n), "room": n % 3, "lux": n} for n in range(9)])


def edit_documents(database: Db) -> None:
    database["many"].update_many({"_id": {"$mod": [50, 0]}}, {"$set": {"name": "edited"}})
    database["many"].delete_many({"_id": {"$mod": [70, 3]}})
    database["many"].insert_many([{"_id": 10_000 + n, "name": f"new {n}"} for n in range(30)])


def edit_what_looks_equal(database: Db) -> None:
    """Another type of the same number, another fraction, another order of fields; and the same bytes again."""
    database["many"].replace_one({"_id": 1}, {"_id": 1, "amount": Int64(7)})
    database["many"].replace_one({"_id": 1}, {"_id": 1, "amount": 7.0})
    database["many"].replace_one({"_id": 2}, {"_id": 2, "b": 1, "a": 10.9})
    whole = database["many"].find_one({"_id": 4}) or {}
    database["many"].delete_one({"_id": 4})
    database["many"].insert_one(whole)


def create_and_describe(database: Db) -> None:
    database.create_collection("made", validator={"name": {"$type": "string"}})
    database["made"].insert_one({"_id": 1, "name": "first"})
    database["many"].create_index([("name", 1), ("_id", -1)], name="by_name")
    database.command({"collMod": "many", "validator": {"_id": {"$exists": True}}, "validationLevel": "moderate"})
    database.create_collection("shown", viewOn="many", pipeline=[{"$match": {"_id": {"$lt": 5}}}])


def drop_and_create_again(database: Db) -> None:
    database["made"].drop()
    database["made"].insert_many([{"_id": 1, "name": "first"}, {"_id": 2, "other": True}])
    kept = list(database["few"].find())
    database["few"].drop()
    database["few"].insert_many(kept)


def rename(database: Db) -> None:
    database["made"].rename("renamed")
    database["few"].rename("renamed", dropTarget=True)
    database["few"].insert_one({"_id": "another"})


def write_out(database: Db) -> None:
    list(database["many"].aggregate([{"$match": {"_id": {"$lt": 20}}}, {"$set": {"by": "out"}}, {"$out": "few"}]))


def overflow_capped(database: Db) -> None:
    database["ring"].insert_many([{"_id": 100 + n, "note": "new"} for n in range(7)])


def edit_capped(database: Db) -> None:
    database["ring"].update_one({"_id": 103}, {"$set": {"note": "own"}})


def empty_it(database: Db) -> None:
    database["many"].delete_many({})
    database["renamed"].drop()


CHANGES: tuple[Change, ...] = (
    insert_readings, edit_documents, edit_what_looks_equal, create_and_describe, drop_and_create_again, rename,
    write_out, overflow_capped, edit_capped, empty_it, lambda database: None,
)  # fmt: skip


def fill(database: Db) -> None:
    golden.load(database)
    database["many"].insert_many([{"_id": n, "name": f"Devotee {n}", "amount": n / 4} for n in range(2_500)])
    database["few"].insert_many([{"_id": n} for n in range(5)])
    database.create_collection("ring", capped=True, size=10_000, max=12)
    database["ring"].insert_many([{"_id": n, "note": "old"} for n in range(12)])
    database.create_collection("readings", timeseries={"timeField": "at", "metaField": "room"})
    database["readings"].insert_many([{"at": AT, "room": n % 3, "lux": n} for n in range(9)])


@pytest.fixture(params=["replica set", "standalone gzip"])
def temple(
    request: pytest.FixtureRequest,
    local_server: EmbeddedServer,
    standalone_server: EmbeddedServer,
    local_db: Db,
    standalone_db: Db,
    a_folder: Path,
) -> tuple[Db, Shelf]:
    alone = request.param.startswith("standalone")
    server, database = (standalone_server, standalone_db) if alone else (local_server, local_db)
    fill(database)
    return database, Shelf(a_folder, server.uri, "gzip" if alone else "none")


def test_each_of_ten_incrementals_is_the_whole_state(temple: tuple[Db, Shelf], tmp_path: Path) -> None:
    database, shelf = temple
    shelf.full(database)

    for number, change in enumerate(CHANGES):
        change(database)
        source = shelf.incremental(database, f"20250119_03{number:02}00")
        plain = export.export(
            folder=source.folder, manifest=source.manifest, out=tmp_path / f"ours_{number}", progress=Silent()
        )
        by_script = tmp_path / f"script_{number}"
        assert verdict.recheck(folder=source.folder, manifest=source.manifest, progress=Silent()) == ()
        assert_dumped(database, source, shelf.uri)
        run_script(source.folder, by_script)
        assert tree(plain.path) == tree(by_script)
        if number in (5, len(CHANGES) - 2):
            restored_by_both(database, source, plain.path, shelf.uri)


def assert_dumped(database: Db, source: Source, uri: str, *, excluded: frozenset[str] = frozenset()) -> None:
    """The whole state is byte for byte, collection by collection, what a full dump of this moment holds."""
    with tempfile.TemporaryDirectory() as folder:
        PythonDump().dump(database=database, uri=uri, out=Path(folder), **USUAL | {"excluded": excluded})
        fresh = dump_folder.read(Path(folder), database=database.name).collections
        assert {one.name for one in fresh} == source.manifest.collections.keys()
        for one in fresh:
            entry = source.manifest.collections[one.name]
            assert described(source.folder, entry.metadata) == described(Path(folder), one.metadata), one.name
            expected = list(bson_frames.frames((Path(folder) / one.file).open("rb"))) if one.file else []
            found = list(source.frames(one.name))
            assert sorted(found) == sorted(expected), one.name
            assert (entry.documents, entry.bytes) == (len(expected), sum(map(len, expected))), one.name
            if one.name == "ring":
                assert found == expected


def described(folder: Path, relative: str | None) -> tuple[Any, Any]:
    """Options and indexes, as their file states them."""
    assert relative is not None
    known = collection_metadata.read(folder, relative)
    return known.options, known.indexes


def restored_by_both(database: Db, source: Source, exported: Path, uri: str) -> None:
    plain = Manifest(database=database.name, collections=source.manifest.collections)
    target = database.client[database.name.replace("temple", "again")]  # not longer: names of collections fill the rest
    for restore, backup in ((ours, source), (stock, Source(folder=exported, manifest=plain))):
        try:
            restore(backup, target, uri)
            assert_alike(target, database)
        finally:
            database.client.drop_database(target.name)


def run_script(folder: Path, out: Path) -> None:
    (script,) = re.findall(r"^```python\n(.*?)^```", RUNBOOK.read_text(), flags=re.M | re.S)
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
