"""A mongodump that lies, hangs, floods or talks too much is a named failure; its word is never enough."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.dump.mongodump import Mongodump, uri_for_tool
from backups_app.dump.python_dump import PythonDump
from backups_app.dump.report import DumpReport
from backups_app.errors import (
    DatabaseHostUnknown,
    DatabaseLoginMissing,
    DatabaseLoginRefused,
    DatabaseTlsFailed,
    DatabaseUnreachable,
    DiskFull,
    DumpFailed,
    DumpTimedOut,
    FolderNotWritable,
    RunCancelled,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.mongo import mongodump_process
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.mongo.mongodump_process import ChildProcess
from backups_app.progress import Silent
from backups_app.verification import verdict

from . import fake_mongodump

Db = Database[dict[str, Any]]
LONGEST_SECONDS = 60
SECRET = "p@ss/w:rd%é"
QUOTED = "p%40ss%2Fw%3Ard%25%C3%A9"


@pytest.fixture
def faked(local_db: Db, local_server: EmbeddedServer, a_folder: Path, tmp_path: Path) -> Callable[..., DumpReport]:
    """Dump a database of two collections with a program that does `then`."""
    local_db["bookings"].insert_many([{"_id": number} for number in range(9)])
    local_db["users"].insert_one({"_id": 1})
    good = tmp_path / "good"
    good.mkdir()
    PythonDump().dump(
        database=local_db, uri=local_server.uri, out=good, excluded=frozenset(), timeout_seconds=60, progress=Silent()
    )

    def dump(then: str, **changed: Any) -> DumpReport:
        program = fake_mongodump.make(tmp_path, good=good / local_db.name, then=then)
        values: dict[str, Any] = {
            "uri": local_server.uri, "out": a_folder / "out", "excluded": frozenset(), "timeout_seconds": 30,
            "progress": Silent(),
        }  # fmt: skip
        return Mongodump(program=program).dump(database=local_db, **{**values, **changed})

    return dump


def test_one_that_behaves_is_trusted_after_a_look(
    faked: Callable[..., DumpReport], local_db: Db, a_folder: Path
) -> None:
    report = faked(fake_mongodump.BEHAVES)

    assert report.engine_version == "100.99.0"
    verified = verdict.verify(folder=a_folder / "out", database=local_db.name, report=report, progress=Silent())
    assert verified.manifest.documents == 10


@pytest.mark.parametrize(
    ("then", "named", "says"),
    [
        (fake_mongodump.EMPTY_SUCCESS, DumpFailed, "reported success but wrote nothing"),
        (fake_mongodump.LEAVES_ONE_OUT, DumpFailed, 'did not write the collection "users"'),
        (fake_mongodump.FAILS_WITH_FILES, DumpFailed, "ended with code 1: Failed: error writing data"),
        (fake_mongodump.KILLED, DumpFailed, "was ended by signal 9"),
        (fake_mongodump.FULL_DISK, DiskFull, "disk is full"),
        (fake_mongodump.NO_RIGHTS, FolderNotWritable, "cannot be written"),
        (fake_mongodump.NOBODY_THERE, DatabaseUnreachable, "The local MongoDB cannot be reached"),
        (fake_mongodump.NO_LOGIN, DatabaseLoginRefused, "refuses the login"),
        (fake_mongodump.NO_USER, DatabaseLoginMissing, "demands a login"),
        (fake_mongodump.NO_HOST, DatabaseHostUnknown, "is not known"),
        (fake_mongodump.BAD_CERTIFICATE, DatabaseTlsFailed, "No encrypted connection"),
        (fake_mongodump.NAMES_A_HOST, DumpFailed, "error reading: connection(…[-5]) closed"),
    ],
)
def test_a_failure_has_a_name(
    faked: Callable[..., DumpReport], then: str, named: type[TempleOpsError], says: str, a_folder: Path
) -> None:
    with pytest.raises(named) as failure:
        faked(then)

    assert says in failure.value.detail
    assert str(a_folder) not in failure.value.detail


@pytest.mark.parametrize(
    ("then", "says"),
    [
        (fake_mongodump.CUTS_THE_LAST_DOCUMENT, "the last document is cut off"),
        (fake_mongodump.EMPTIES_ONE, 'the copy of "users" has fewer documents than the database held: 0'),
        (fake_mongodump.ADDS_ONE, "holds something that the database does not"),
    ],
)
def test_what_it_wrote_wrong_fails_the_verification(
    faked: Callable[..., DumpReport], then: str, says: str, local_db: Db, a_folder: Path
) -> None:
    report = faked(then)

    with pytest.raises(VerificationFailed) as failure:
        verdict.verify(folder=a_folder / "out", database=local_db.name, report=report, progress=Silent())

    assert says in failure.value.detail


def test_one_that_hangs_is_ended_at_the_time_limit(faked: Callable[..., DumpReport]) -> None:
    children: list[ChildProcess] = []

    with pytest.raises(DumpTimedOut) as failure:
        faked(fake_mongodump.HANGS, timeout_seconds=1, on_child=children.append)

    assert "mongodump did not finish within 1 seconds" in failure.value.detail
    assert not _runs(children[0].pid)


def test_one_that_ignores_the_request_to_end_is_killed_with_what_it_started(
    faked: Callable[..., DumpReport], a_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongodump_process, "_GRACE_SECONDS", 0.3)
    pids: list[int] = []

    def both_run() -> bool:
        written = a_folder / "pids"
        pids[:] = map(int, written.read_text().split()) if written.exists() else []
        return len(pids) == 2

    with pytest.raises(DumpTimedOut):  # the time limit counts from when both run
        faked(fake_mongodump.IGNORES_TERM, timeout_seconds=1, on_child=lambda _: _wait_until(both_run))

    _wait_until(lambda: not any(map(_runs, pids)))


def test_a_cancel_ends_it(faked: Callable[..., DumpReport]) -> None:
    children: list[ChildProcess] = []

    class Cancelled(Silent):
        def checkpoint(self) -> None:
            if children:
                raise RunCancelled

    with pytest.raises(RunCancelled):
        faked(fake_mongodump.HANGS, progress=Cancelled(), on_child=children.append)

    assert not _runs(children[0].pid)


def test_a_flood_on_its_log_costs_no_memory(faked: Callable[..., DumpReport]) -> None:
    notes: list[str] = []

    class Noting(Silent):
        def note(self, sentence: str) -> None:
            notes.append(sentence)

    faked(fake_mongodump.HUGE_LOG, progress=Noting())

    assert max(map(len, notes)) <= 2000
    assert sum(map(len, notes)) < 2_000_000


def test_no_secret_of_the_uri_is_repeated(faked: Callable[..., DumpReport], local_server: EmbeddedServer) -> None:
    notes: list[str] = []

    class Noting(Silent):
        def note(self, sentence: str) -> None:
            notes.append(sentence)

    with pytest.raises(DumpFailed) as failure, pytest.MonkeyPatch.context() as patch:
        patch.setattr("backups_app.dump.mongodump.scanning.open_scan", _opening(local_server.uri))
        faked(
            fake_mongodump.SAYS_SECRETS,
            uri=f"mongodb://ravi:{QUOTED}@127.0.0.1:27017/?authSource=admin",
            progress=Noting(),
        )

    reported = failure.value.detail + str(failure.value.__cause__) + "".join(notes)
    assert "error reading" in reported
    for form in (SECRET, QUOTED):
        assert form not in reported


def _opening(uri: str) -> Any:
    from backups_app.mongo import scanning

    original = scanning.open_scan
    return lambda _: original(uri)


def test_no_argument_and_no_environment_shows_the_uri(
    faked: Callable[..., DumpReport], local_server: EmbeddedServer, a_folder: Path
) -> None:
    seen: list[bytes] = []
    running, looked = a_folder / "running", a_folder / "looked"
    then = f"""
open({str(running)!r}, "w").close()
while not os.path.exists({str(looked)!r}):
    time.sleep(0.01)
copy()
"""

    class Looking(Silent):
        def checkpoint(self) -> None:
            runs_with_the_uri = running.exists()
            for name in ("cmdline", "environ"):
                seen.extend(path.read_bytes() for path in _readable(Path("/proc").glob(f"[0-9]*/{name}")))
            if runs_with_the_uri:
                looked.touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backups_app.dump.mongodump.scanning.open_scan", _opening(local_server.uri))
        faked(then, uri=f"mongodb://ravi:{QUOTED}@127.0.0.1:27017/", progress=Looking())

    everything = b"\0".join(seen)
    assert b"mongodump" in everything
    assert QUOTED.encode() not in everything
    assert SECRET.encode() not in everything


def _readable(paths: Any) -> Any:
    mine = str(os.getpid())
    for path in paths:
        try:
            if path.parent.name != mine:
                path.read_bytes()
                yield path
        except OSError:
            continue


def test_the_command_line_says_what_is_dumped_and_nothing_secret() -> None:
    engine = Mongodump(program=Path("/usr/bin/mongodump"), compression="gzip")

    command = engine.command(database="temple", out=Path("/b/.partial-x"), excluded=frozenset({"b", "a"}))

    assert command == [
        "/usr/bin/mongodump", "--db=temple", "--out=/b/.partial-x", "--excludeCollection=a", "--excludeCollection=b",
        "--gzip",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("uri", "used"),
    [
        ("mongodb://h:1", "mongodb://h:1/?readPreference=primary"),
        ("mongodb://h:1/", "mongodb://h:1/?readPreference=primary"),
        ("mongodb://h:1,g:2/temple?replicaSet=rs", "mongodb://h:1,g:2/?replicaSet=rs&readPreference=primary"),
        ("mongodb://u:p@h/temple", "mongodb://u:p@h/?authSource=temple&readPreference=primary"),
        ("mongodb://u:p@h", "mongodb://u:p@h/?authSource=admin&readPreference=primary"),
        (
            "mongodb://u@h/?authMechanism=MONGODB-X509",
            "mongodb://u@h/?authMechanism=MONGODB-X509&authSource=%24external&readPreference=primary",
        ),
        ("mongodb://u:p@h/temple?authSource=admin", "mongodb://u:p@h/?authSource=admin&readPreference=primary"),
        (
            "mongodb+srv://u:p@h/?readPreference=secondary&maxStalenessSeconds=100&tls=true&timeoutMS=5",
            "mongodb+srv://u:p@h/?tls=true&authSource=admin&readPreference=primary",
        ),
    ],
)
def test_the_tool_reads_from_the_primary_and_logs_in_where_it_did(uri: str, used: str) -> None:
    assert uri_for_tool(uri, database="temple") == used


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"it did not happen within {LONGEST_SECONDS} seconds"
        time.sleep(0.02)
