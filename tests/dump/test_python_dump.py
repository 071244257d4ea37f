"""The built-in engine copies one moment, notices whatever happens under it, and never leaves a hole."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database
from pymongo.errors import OperationFailure
from pymongo.write_concern import WriteConcern

from backups_app.backup_files import durable
from backups_app.backup_files.durable import Operation
from backups_app.backup_files.reading import collection_reader, document_index
from backups_app.dump import python_dump
from backups_app.dump.python_dump import PythonDump
from backups_app.dump.report import DumpReport
from backups_app.dump.server import snapshot
from backups_app.dump.writing import collection_copy
from backups_app.errors import DiskFull, DumpFailed, DumpTimedOut, StorageFailed, VerificationFailed
from backups_app.mongo import scanning
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.verification import verdict

from .conftest import Hand

Db = Database[dict[str, Any]]
Dump = Callable[..., DumpReport]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand documents to each answer, so that a small collection takes many."""
    monkeypatch.setattr(collection_copy, "BATCH_BYTES", 33_000)


def fill(database: Db, name: str, count: int) -> None:
    database[name].insert_many([{"_id": number, "version": 1} for number in range(count)])


def saved(folder: Path, database: Db, report: DumpReport, name: str) -> list[dict[str, Any]]:
    manifest = verdict.verify(folder=folder, database=database.name, report=report, progress=Silent()).manifest
    return [bson.decode(frame) for frame in collection_reader.frames(folder=folder, entry=manifest.collections[name])]


def test_a_snapshot_holds_what_was_acknowledged_before_though_no_majority_held_it_yet(local_db: Db) -> None:
    quick = local_db.get_collection("bookings", write_concern=WriteConcern(w=1))
    seen = []
    for _ in range(40):
        quick.insert_many([{"v": number} for number in range(20)])
        with local_db.client.start_session(causal_consistency=False) as session:
            taken = snapshot.take(local_db, sources=["bookings"], session=session, lifetime_seconds=60)
        assert taken is not None
        read = {"find": "bookings", "batchSize": 1000, "readConcern": taken.read_concern}
        seen.append(len(local_db.command(read)["cursor"]["firstBatch"]))

    assert seen == [20 * number for number in range(1, 41)]


@pytest.mark.usefixtures("small_batches")
def test_writes_during_the_dump_are_not_in_a_snapshot(local_db: Db, dump: Dump, a_folder: Path) -> None:
    for name in ("bookings", "employee_bookings"):
        fill(local_db, name, 5000)

    def write(label: str) -> None:
        for name in ("bookings", "employee_bookings"):
            local_db[name].update_many({}, {"$set": {"version": 2}})
            local_db[name].insert_one({"_id": f"late {label}"})
            local_db[name].delete_many({"_id": {"$lt": 100}})

    report = dump(local_db, progress=Hand(write))

    assert report.consistency["kind"] == "snapshot"
    for name in ("bookings", "employee_bookings"):
        documents = saved(a_folder, local_db, report, name)
        assert [one["_id"] for one in documents] == list(range(5000))
        assert {one["version"] for one in documents} == {1}


@pytest.mark.usefixtures("small_batches")
def test_a_snapshot_that_is_too_old_is_left_and_the_collection_read_again(
    local_db: Db, dump: Dump, a_folder: Path
) -> None:
    fill(local_db, "bookings", 8000)
    progress = Hand(lambda label: time.sleep(0.2))

    report = dump(local_db, engine=PythonDump(snapshot_seconds=0.0), progress=progress)

    assert report.consistency["kind"] == "per_collection"
    assert len(saved(a_folder, local_db, report, "bookings")) == 8000
    assert progress.done == {"bookings": 8000}


@pytest.mark.usefixtures("small_batches")
def test_a_scan_that_outlives_its_snapshot_starts_over_into_a_new_file(
    local_db: Db, dump: Dump, a_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(local_db, "bookings", 8000)
    answers = iter([False] * 4)
    monkeypatch.setattr(snapshot.Snapshot, "expired", property(lambda self: next(answers, True)))
    progress, seen = Hand(lambda label: None), list[Operation]()

    with durable.recording(seen.append):
        report = dump(local_db, progress=progress)

    assert [one.kind for one in seen if one.path.name == "bookings.bson" and one.kind in ("create", "unlink")] == [
        "create", "unlink", "create",
    ]  # fmt: skip
    assert [one["_id"] for one in saved(a_folder, local_db, report, "bookings")] == list(range(8000))
    assert progress.done == {"bookings": 8000}


@pytest.mark.parametrize("name", ["a_log", "z_log"])
def test_a_capped_collection_is_read_beside_the_snapshot_and_stated(local_db: Db, dump: Dump, name: str) -> None:
    fill(local_db, "bookings", 10)
    local_db.create_collection(name, capped=True, size=65536)
    local_db[name].insert_one({"_id": 1})

    consistency = dump(local_db).consistency

    assert consistency["kind"] == "snapshot"
    assert consistency["outside_snapshot"] == [name]
    assert consistency["from"] <= consistency["to"]


@pytest.mark.parametrize("times", [2, 99])
def test_a_capped_collection_that_overwrites_itself_is_read_again_a_few_times(
    local_db: Db, dump: Dump, a_folder: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    local_db.create_collection("log", capped=True, size=65536)
    local_db["log"].insert_many([{"_id": number} for number in range(30)])
    original, left = scanning.batches, [times]

    def losing(database: Db, command: Any, **named: Any) -> Any:
        if command.get("find") == "log" and left[0]:
            left[0] -= 1
            raise OperationFailure("CollectionScan died due to position in capped collection being deleted", code=136)
        return original(database, command, **named)

    monkeypatch.setattr(scanning, "batches", losing)

    if times < 5:
        assert len(saved(a_folder, local_db, dump(local_db), "log")) == 30
    else:
        with pytest.raises(DumpFailed):
            dump(local_db)


def test_a_standalone_server_is_read_collection_by_collection(
    standalone_db: Db, standalone_server: EmbeddedServer, dump: Dump, a_folder: Path
) -> None:
    fill(standalone_db, "bookings", 3000)

    report = dump(standalone_db, uri=standalone_server.uri)

    assert report.consistency["kind"] == "per_collection"
    assert len(saved(a_folder, standalone_db, report, "bookings")) == 3000


@pytest.mark.usefixtures("small_batches")
def test_documents_written_again_during_a_scan_stand_twice_and_are_counted(
    standalone_db: Db, standalone_server: EmbeddedServer, dump: Dump, a_folder: Path
) -> None:
    fill(standalone_db, "bookings", 20_000)
    done = threading.Event()

    def again(label: str) -> None:
        standalone_db["bookings"].delete_many({"_id": {"$lt": 7}})
        standalone_db["bookings"].insert_many([{"_id": number, "version": 2} for number in range(7)])
        done.set()

    with _paused_until(done):
        report = dump(standalone_db, uri=standalone_server.uri, progress=Hand(again))

    verified = verdict.verify(folder=a_folder, database=standalone_db.name, report=report, progress=Silent())
    entry = verified.manifest.collections["bookings"]
    assert (entry.documents, entry.duplicate_ids) == (20_007, 7)
    assert len(verified.warnings) == 1


class _paused_until:  # noqa: N801 - reads as a sentence
    """Holds the third batch back until an event is set."""

    def __init__(self, event: threading.Event) -> None:
        self.event = event
        self.patch = pytest.MonkeyPatch()
        self.batches = 0

    def __enter__(self) -> None:
        original = scanning._cursor

        def held(reply: Any) -> Any:
            cursor = original(reply)
            if b"bookings" in bytes(reply[-2000:]) + cursor.source.encode():
                self.batches += 1
                if self.batches == 6:
                    assert self.event.wait(20)
            return cursor

        self.patch.setattr(scanning, "_cursor", held)

    def __exit__(self, *_: object) -> None:
        self.patch.undo()


@pytest.mark.parametrize("act", ["drop", "rename", "drop and make anew"])
def test_a_collection_that_vanishes_under_the_dump_fails_the_verification(
    standalone_db: Db, standalone_server: EmbeddedServer, dump: Dump, a_folder: Path, act: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fill(standalone_db, "bookings", 10)
    original = python_dump._Run._copy_all

    def first_act(self: Any, listed: Any) -> Any:
        if act == "rename":
            standalone_db["bookings"].rename("elsewhere")
        else:
            standalone_db["bookings"].drop()
        if act == "drop and make anew":
            fill(standalone_db, "bookings", 10)
        return original(self, listed)

    monkeypatch.setattr(python_dump._Run, "_copy_all", first_act)
    report = dump(standalone_db, uri=standalone_server.uri)

    with pytest.raises(VerificationFailed) as failure:
        verdict.verify(folder=a_folder, database=standalone_db.name, report=report, progress=Silent())

    assert '"bookings" was dropped or renamed' in failure.value.detail


@pytest.mark.usefixtures("small_batches")
def test_a_cursor_that_is_killed_fails_the_dump(local_db: Db, dump: Dump) -> None:
    fill(local_db, "bookings", 30_000)
    original, killed = scanning._cursor, list[int]()

    def killing(reply: Any) -> Any:
        cursor = original(reply)
        if cursor.source == "bookings" and cursor.id:
            local_db.command({"killCursors": "bookings", "cursors": [cursor.id]})
            killed.append(cursor.id)
        return cursor

    with pytest.MonkeyPatch.context() as patch, pytest.raises(DumpFailed) as failure:
        patch.setattr(scanning, "_cursor", killing)
        dump(local_db)

    assert killed
    assert "CursorNotFound" in failure.value.detail


@pytest.mark.usefixtures("small_batches")
def test_no_cursor_stays_open_on_the_server_after_a_failure(local_db: Db, dump: Dump) -> None:
    fill(local_db, "bookings", 30_000)

    class Stopping(Silent):
        def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
            raise DumpTimedOut(engine="x", seconds=1)

    before = _open_cursors(local_db)
    with pytest.raises(DumpTimedOut):
        dump(local_db, progress=Stopping())

    assert _open_cursors(local_db) == before


def _open_cursors(database: Db) -> int:
    return int(database.client.admin.command("serverStatus")["metrics"]["cursor"]["open"]["total"])


def test_a_disk_that_fails_fails_the_dump_by_name(local_db: Db, dump: Dump, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(local_db, "bookings", 10)

    def full(self: Any, data: Any) -> int:
        durable.fail(OSError(28, "No space left on device"), path=self.path, needed=len(data))

    monkeypatch.setattr(durable.DurableFile, "write", full)

    with pytest.raises(DiskFull):
        dump(local_db)


@pytest.mark.parametrize(("code", "named"), [(28, DiskFull), (5, StorageFailed)])
def test_an_fsync_that_fails_fails_the_dump_and_is_not_repeated(
    local_db: Db, dump: Dump, monkeypatch: pytest.MonkeyPatch, code: int, named: type[Exception], a_folder: Path
) -> None:
    fill(local_db, "bookings", 10)
    calls = []
    fsync = os.fsync

    def failing(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if path.endswith("bookings.bson"):
            calls.append(path)
            raise OSError(code, os.strerror(code))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)

    with pytest.raises(named):
        dump(local_db)

    assert len(calls) == 1
    assert not (a_folder / local_db.name / "prelude.json").exists()


def test_everything_is_durable_before_the_mark_of_completion(local_db: Db, dump: Dump) -> None:
    fill(local_db, "bookings", 10)
    fill(local_db, "users", 10)
    seen: list[Operation] = []

    with durable.recording(seen.append):
        dump(local_db)

    order = [(one.kind, one.path.name) for one in seen]
    mark = order.index(("create", "prelude.json"))
    for name in ("bookings.bson", "users.bson", "bookings.metadata.json", "users.metadata.json"):
        assert order.index(("fsync", name)) < order.index(("close", name)) < mark
    assert order[-2][0] == order[-1][0] == "fsync_directory"
    assert order.index(("close", "prelude.json")) < len(order) - 2


def test_a_document_of_any_shape_is_copied_byte_by_byte(local_db: Db, dump: Dump, a_folder: Path) -> None:
    twice = b"\x16\0\0\0\x10_id\0\x01\0\0\0\x08a\0\x00\x08a\0\x01\0"
    large = bson.encode({"_id": 2, "data": b"x" * (16 * 1024 * 1024 - 100)})
    frames = [twice, large, bson.encode({"_id": bson.Decimal128("7.00")}), bson.encode({"_id": {"b": 1, "a": 2.0}})]
    for frame in frames:
        assert local_db.command({"insert": "odd", "documents": [RawBSONDocument(frame)]})["n"] == 1

    report = dump(local_db)

    assert (a_folder / local_db.name / "odd.bson").read_bytes() == b"".join(frames)
    verdict.verify(folder=a_folder, database=local_db.name, report=report, progress=Silent())


def test_an_index_that_json_cannot_hold_is_refused_rather_than_blurred(local_db: Db, dump: Dump) -> None:
    local_db.create_collection(
        "strict", validator={"$jsonSchema": {"properties": {"x": {"enum": [{"$numberInt": "5"}]}}}}
    )

    with pytest.raises(DumpFailed) as failure:
        dump(local_db)

    assert 'of "strict" cannot be written without a change' in failure.value.detail


def test_a_fast_count_that_is_wrong_is_counted_again(local_db: Db, dump: Dump, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(local_db, "bookings", 10)
    command = Database.command

    def wrong(self: Db, *arguments: Any, **named: Any) -> Any:
        reply = command(self, *arguments, **named)
        if "$collStats" in str(arguments[0]):
            reply["cursor"]["firstBatch"][0]["count"] = 5000  # as after an unclean stop
        return reply

    monkeypatch.setattr(Database, "command", wrong)

    report = dump(local_db)

    assert [info.documents for info in report.expected] == [5000]
    assert [info.documents for info in report.after] == [10]


def test_what_the_server_deleted_meanwhile_is_reported(local_db: Db, dump: Dump) -> None:
    fill(local_db, "bookings", 100)

    report = dump(local_db, progress=Hand(lambda label: local_db["bookings"].delete_many({"_id": {"$lt": 30}})))

    assert report.deleted_meanwhile is not None
    assert report.deleted_meanwhile >= 30


def test_a_user_who_may_only_read_can_dump(local_db: Db, local_server: EmbeddedServer, dump: Dump) -> None:
    fill(local_db, "bookings", 10)
    with pytest.MonkeyPatch.context() as patch:
        from backups_app.dump.server import listing

        def refused(*_: Any, **__: Any) -> Any:
            raise OperationFailure("not authorized", code=13)

        patch.setattr(type(local_db.client.admin), "command", _refusing(refused, "serverStatus"))
        assert listing.deleted_so_far(local_db) is None
        report = dump(local_db)

    assert report.deleted_meanwhile is None


def _refusing(refused: Any, name: str) -> Any:
    command = Database.command

    def act(self: Db, *arguments: Any, **named: Any) -> Any:
        if arguments and arguments[0] == name:
            return refused()
        return command(self, *arguments, **named)

    return act


@pytest.mark.parametrize("size", [10, 3000, 300_000])
def test_a_compressed_file_can_be_entered_at_every_thousandth_document(
    local_db: Db, dump: Dump, a_folder: Path, size: int
) -> None:
    count = 2500 if size < 100_000 else 12
    for start in range(0, count, 500):
        numbers = range(start, min(count, start + 500))
        documents = [{"_id": number, "x": os.urandom(size // 2).hex()} for number in numbers]
        local_db["bookings"].insert_many(documents)

    report = dump(local_db, engine=PythonDump(compression="gzip"))

    manifest = verdict.verify(folder=a_folder, database=local_db.name, report=report, progress=Silent()).manifest
    entry = manifest.collections["bookings"]
    assert entry.index is not None
    index = document_index.read(a_folder, entry.index)
    assert index is not None
    assert len(index.members) == len(index.offsets) == -(-count // 1000)
    for number in (0, count // 2, count - 1):
        frame = next(collection_reader.frames(folder=a_folder, entry=entry, start=number))
        assert bson.decode(frame)["_id"] == number
