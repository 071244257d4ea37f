"""What every dump engine must do, by one suite. A new engine adds its parameter to `ENGINES` and passes."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pymongo.database import Database

from backups_app.backup_files.reading import bson_frames, collection_reader
from backups_app.dump import engine
from backups_app.dump.engine import DumpEngine
from backups_app.dump.report import DumpReport
from backups_app.errors import DatabaseUnreachable, DumpFailed, DumpTimedOut, RunCancelled, VerificationFailed
from backups_app.mongo import mongodump_process
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.verification import verdict

from . import golden

Db = Database[dict[str, Any]]
USUAL: dict[str, Any] = {"excluded": frozenset(), "timeout_seconds": 60, "progress": Silent()}
ENGINES = [("python", "none"), ("python", "gzip"), ("mongodump", "none"), ("mongodump", "gzip")]


@pytest.fixture(params=ENGINES, ids=[" ".join(each) for each in ENGINES])
def dumper(request: pytest.FixtureRequest) -> DumpEngine:
    setting, compression = request.param
    if setting == "mongodump" and mongodump_process.find("mongodump") is None:
        pytest.skip("mongodump is not on PATH, so the real one was not tried.")
    return engine.choose(setting=setting, compression=compression)


@pytest.fixture
def dump(dumper: DumpEngine, local_server: EmbeddedServer, a_folder: Path) -> Callable[..., DumpReport]:
    def dump(database: Db, **changed: Any) -> DumpReport:
        values: dict[str, Any] = {"uri": local_server.uri, "out": a_folder, **USUAL, **changed}
        return dumper.dump(database=database, **values)

    return dump


class Listening(Silent):
    """Remembers what was reported; raises `failure` at the n-th checkpoint."""

    def __init__(self, *, at: int = 0, failure: Exception | None = None) -> None:
        self.at = at
        self.failure = failure
        self.checkpoints = 0
        self.expected: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self.notes: list[str] = []
        self.threads: set[int] = set()

    def expect(self, label: str, total: int) -> None:
        self.expected[label] = total

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self.threads.add(threading.get_ident())
        self.done[label] = self.done.get(label, 0) + count

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def checkpoint(self) -> None:
        self.checkpoints += 1
        if self.failure is not None and self.checkpoints > self.at:
            raise self.failure


def test_documents_options_indexes_and_names_are_those_of_a_real_mongodump(
    dump: Callable[..., DumpReport], golden_db: Db, a_folder: Path
) -> None:
    dump(golden_db)

    ours, theirs = golden.files(a_folder / golden.NAME), golden.files(golden.PLAIN / golden.NAME)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert len(ours) == 56


def test_the_copy_verifies_against_what_the_server_stated(
    dump: Callable[..., DumpReport], golden_db: Db, a_folder: Path
) -> None:
    report = dump(golden_db)

    verified = verdict.verify(folder=a_folder, database=golden.NAME, report=report, progress=Silent())

    assert verified.warnings == ()
    assert verified.manifest.documents == 363
    assert {info.name for info in report.expected} == set(verified.manifest.collections)
    assert {info.name: info.uuid for info in report.expected} == {
        name: entry.uuid for name, entry in verified.manifest.collections.items()
    }
    verdict.recheck(folder=a_folder, manifest=verified.manifest, progress=Silent())


def test_every_document_can_be_read_back_by_its_number(
    dump: Callable[..., DumpReport], golden_db: Db, a_folder: Path
) -> None:
    report = dump(golden_db)
    manifest = verdict.verify(folder=a_folder, database=golden.NAME, report=report, progress=Silent()).manifest
    plain = golden.files(golden.PLAIN / golden.NAME)

    for name, entry in manifest.collections.items():
        frames = list(collection_reader.frames(folder=a_folder, entry=entry))
        assert len(frames) == entry.documents, name
        if entry.file is not None:
            assert b"".join(frames) == plain[Path(entry.file.removesuffix(".gz")).name], name


def test_the_report_says_what_was_copied_when_and_by_what(dump: Callable[..., DumpReport], golden_db: Db) -> None:
    report = dump(golden_db)

    types = {info.name: info.type for info in report.expected}
    counts = {info.name: info.documents for info in report.expected}
    assert (types["paid_bookings"], types["weather"], types["bookings"]) == ("view", "timeseries", "collection")
    assert (counts["paid_bookings"], counts["weather"], counts["bookings"]) == (None, 3, 120)
    assert report.server_version == "6.0.5"
    assert report.started_at <= report.finished_at
    assert report.started_at.utcoffset() is not None
    assert report.engine_version
    assert report.consistency["kind"] in ("snapshot", "per_collection")
    json.dumps(report.consistency)


def test_excluded_collections_are_not_written(dump: Callable[..., DumpReport], golden_db: Db, a_folder: Path) -> None:
    report = dump(golden_db, excluded=frozenset({"bookings", "a b", "weather", "nobody"}))

    names = {info.name for info in report.expected}
    written = {path.name.partition(".")[0] for path in (a_folder / golden.NAME).iterdir()}
    assert not names & {"bookings", "a b", "weather"}
    assert not written & {"bookings", "a+b", "weather"}
    verdict.verify(folder=a_folder, database=golden.NAME, report=report, progress=Silent())


ODD_NAMES = [
    "a/b", "a\\b", "a b", "%2e%2e", "a%00b", "x\ny", "<script>", "-rf", "CON", "\u202eabc", "~", "'quoted'",
    'dou"ble', "back`tick", "日本", "😀", "a" * 200, "é" * 110, "*", "?", "[x]", "{y}", "a:b", "trailing.", "tab\t",
    " ", "--out=x",
]  # fmt: skip


def test_every_name_that_a_server_takes_is_dumped_and_found_again(
    dump: Callable[..., DumpReport], local_db: Db, a_folder: Path
) -> None:
    for number, name in enumerate(ODD_NAMES):
        assert local_db.command({"insert": name, "documents": [{"_id": number}]})["n"] == 1

    report = dump(local_db, excluded=frozenset({"-rf", "--out=x", "a b"}))

    verified = verdict.verify(folder=a_folder, database=local_db.name, report=report, progress=Silent())
    assert verified.manifest.collections.keys() == {*ODD_NAMES} - {"-rf", "--out=x", "a b"}
    assert {entry.documents for entry in verified.manifest.collections.values()} == {1}


def test_folders_and_files_are_their_owners_alone(
    dump: Callable[..., DumpReport], golden_db: Db, a_folder: Path
) -> None:
    dump(golden_db)

    modes = {path.stat().st_mode & 0o777 for path in a_folder.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert (a_folder / golden.NAME).stat().st_mode & 0o777 == 0o700


def test_progress_says_each_collection_from_one_thread(dump: Callable[..., DumpReport], golden_db: Db) -> None:
    progress = Listening()

    dump(golden_db, progress=progress)

    assert progress.expected["bookings"] == progress.done["bookings"] == 120
    assert progress.threads == {threading.get_ident()}
    assert progress.checkpoints > 0


def test_a_cancel_ends_the_dump_with_its_own_error(
    dump: Callable[..., DumpReport], golden_db: Db, a_folder: Path
) -> None:
    for at in (0, 1):
        with pytest.raises(RunCancelled):
            dump(golden_db, progress=Listening(at=at, failure=RunCancelled()))
        shutil.rmtree(a_folder / golden.NAME, ignore_errors=True)

    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("dump-")] == []


def test_a_time_limit_ends_the_dump_by_name(dump: Callable[..., DumpReport], golden_db: Db) -> None:
    with pytest.raises(DumpTimedOut) as failure:
        dump(golden_db, timeout_seconds=0)

    assert "did not finish within 0 seconds" in failure.value.detail


def test_a_server_that_is_not_there_is_unreachable(dump: Callable[..., DumpReport], golden_db: Db) -> None:
    nobody = "mongodb://tester:hunter2secret@127.0.0.1:9/?serverSelectionTimeoutMS=200"

    with pytest.raises((DatabaseUnreachable, DumpFailed)) as failure:
        dump(golden_db, uri=nobody)

    assert "hunter2secret" not in str(failure.value)


@pytest.fixture
def an_odd_login(golden_db: Db) -> Iterator[str]:
    """Credentials for a URI: a user whose password needs quoting everywhere."""
    password = "p@ss/w:rd%é \"'\\{}#"
    golden_db.command("createUser", "ravi", pwd=password, roles=["readWrite"])
    yield f"ravi:{quote(password, safe='')}"
    golden_db.command("dropUser", "ravi")


def test_a_password_of_odd_characters_logs_in(
    dump: Callable[..., DumpReport], golden_db: Db, local_server: EmbeddedServer, an_odd_login: str, a_folder: Path
) -> None:
    uri = f"mongodb://{an_odd_login}@{local_server.address}/{golden.NAME}?directConnection=true"

    report = dump(golden_db, uri=uri)

    verified = verdict.verify(folder=a_folder, database=golden.NAME, report=report, progress=Silent())
    assert verified.manifest.documents == 363


def test_a_wrong_password_is_reported_without_repeating_it(
    dump: Callable[..., DumpReport], golden_db: Db, local_server: EmbeddedServer
) -> None:
    with pytest.raises(DatabaseUnreachable) as failure:
        dump(golden_db, uri=f"mongodb://ravi:hunter2secret@{local_server.address}/{golden.NAME}?directConnection=true")

    assert "hunter2secret" not in failure.value.detail


def test_a_database_without_collections_is_no_success(dump: Callable[..., DumpReport], local_db: Db) -> None:
    with pytest.raises(DumpFailed):
        dump(local_db)


def test_a_wish_for_a_secondary_in_the_url_is_not_obeyed(
    dump: Callable[..., DumpReport], golden_db: Db, local_server: EmbeddedServer, a_folder: Path
) -> None:
    mark = "&" if "?" in local_server.uri else "/?"
    uri = f"{local_server.uri.rstrip('/')}{mark}readPreference=secondary&maxStalenessSeconds=120"

    report = dump(golden_db, uri=uri)

    assert verdict.verify(folder=a_folder, database=golden.NAME, report=report, progress=Silent())


def test_a_truncated_file_is_not_verified(dump: Callable[..., DumpReport], golden_db: Db, a_folder: Path) -> None:
    report = dump(golden_db)
    path = next(path for path in (a_folder / golden.NAME).iterdir() if path.name.startswith("bookings.bson"))
    path.write_bytes(path.read_bytes()[:-300])

    with pytest.raises(VerificationFailed):
        verdict.verify(folder=a_folder, database=golden.NAME, report=report, progress=Silent())


def test_stock_mongorestore_puts_everything_back(
    dump: Callable[..., DumpReport], golden_db: Db, standalone_server: EmbeddedServer, a_folder: Path
) -> None:
    mongorestore = mongodump_process.find("mongorestore")
    if mongorestore is None:
        pytest.skip("mongorestore is not on PATH, so it could not judge what we wrote.")
    report = dump(golden_db)
    verdict.verify(folder=a_folder, database=golden.NAME, report=report, progress=Silent())
    (a_folder / "metadata.json").write_text("{}")  # as in a published backup

    _run_mongorestore(mongorestore, standalone_server.uri, a_folder, gzip=any(a_folder.rglob("*.bson.gz")))

    again = a_folder.parent / "again"
    again.mkdir()
    with standalone_server.client() as client:
        engine.choose(setting="python").dump(
            database=client[golden.NAME], uri=standalone_server.uri, out=again, **USUAL
        )
        client.drop_database(golden.NAME)
    ours, back = golden.files(a_folder / golden.NAME), golden.files(again / golden.NAME)
    assert ours.keys() == back.keys()
    assert [name for name in ours if _comparable(name, ours[name]) != _comparable(name, back[name])] == []


def _run_mongorestore(program: Path, uri: str, folder: Path, *, gzip: bool) -> None:
    ended = mongodump_process.run(
        command=[str(program), *(["--gzip"] if gzip else []), str(folder)],
        uri=uri,
        seconds=60,
        on_line=lambda line: None,
        checkpoint=lambda: None,
    )
    assert ended.code == 0, ended.lines


def _comparable(name: str, data: bytes) -> Any:
    """mongorestore inserts documents, and builds indexes, in any order."""
    if not name.endswith(".bson"):
        metadata = json.loads(data)
        if "indexes" in metadata:
            metadata["indexes"] = sorted(map(json.dumps, metadata["indexes"]))
        return json.dumps(metadata)
    return sorted(bson_frames.frames(BytesIO(data)))
