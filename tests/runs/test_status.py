"""Am I protected? The verdict and its sentence, given what was found. The first that fits wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backups_app.backup_files.store import DiskUsage
from backups_app.errors import ModeNotLocal, MongodumpMissing, NoRoomToBegin
from backups_app.mongo.connections import ServerFacts
from backups_app.records import RunDocument
from backups_app.use_cases import readiness, status
from backups_app.use_cases.reach import Reach
from backups_app.use_cases.status import StatusVerdict
from backups_app.use_cases.syncs import SyncOverview

NOW = datetime(2026, 1, 19, 9, 0, tzinfo=UTC)
MB = 1024 * 1024
SERVER = ServerFacts(
    version="8.0", replica_set=True, sharded=False, set_name="rs", process_id="1", host="h", latency_ms=1.0,
    clock_ahead_seconds=0.0,
)  # fmt: skip


def a_run(**fields: Any) -> RunDocument:
    return {
        "backup_id": "20260119_080000", "created_at": NOW - timedelta(hours=1), "status": "success", "bytes": 10 * MB,
        "message": "", "resume_available": False,
    } | fields  # fmt: skip


def found(*refusals: Exception, free: int = 1000 * MB, clock: float = 0.0) -> Any:
    """What readiness found."""
    return readiness.Readiness(
        refusals=refusals,  # type: ignore[arg-type]
        engine="python",
        data_bytes=MB,
        disk=DiskUsage(total_bytes=2000 * MB, free_bytes=free),
        local=replace(SERVER, clock_ahead_seconds=clock),
    )


def verdict(looked: Any = None, **facts: Any) -> tuple[StatusVerdict, str]:
    good = a_run()
    given: dict[str, Any] = {"good": good, "ended": [good], "active": None, "remote": Reach(reachable=True), "now": NOW}
    told, sentence, _ = status.judge(looked=looked or found(), **(given | facts))
    return told, sentence


def test_all_is_well() -> None:
    assert verdict() == (StatusVerdict.PROTECTED, "Your data is protected.")


@pytest.mark.parametrize(
    ("looked", "facts", "expected", "said"),
    [
        (found(ModeNotLocal()), {}, StatusVerdict.OFF, "LOCAL mode"),
        (found(MongodumpMissing()), {}, StatusVerdict.NOT_PROTECTED, "mongodump"),
        (found(NoRoomToBegin(needed="78 MB", free="4 MB")), {}, StatusVerdict.NOT_PROTECTED, "No backup can start."),
        (None, {"good": None, "ended": []}, StatusVerdict.NOT_PROTECTED, "no backup yet"),
        (None, {"ended": [a_run(status="failed")] * 2}, StatusVerdict.NOT_PROTECTED, "the last two runs failed"),
        (None, {"active": a_run(status="in_progress")}, StatusVerdict.RUNNING, "is running"),
        (None, {"ended": [a_run(resume_available=True)]}, StatusVerdict.NEEDS_ATTENTION, "the deletion of run 2026"),
        (None, {"ended": [a_run(status="failed"), a_run()]}, StatusVerdict.NEEDS_ATTENTION, "the last run failed."),
        (None, {"ended": [a_run(status="partial")]}, StatusVerdict.NEEDS_ATTENTION, "the last run was partial"),
        (None, {"now": NOW + timedelta(days=8)}, StatusVerdict.NEEDS_ATTENTION, "older than eight days"),
        (found(free=49 * MB), {}, StatusVerdict.NEEDS_ATTENTION, "room for 4 more backups"),
        (found(free=50 * MB), {}, StatusVerdict.PROTECTED, ""),
        (None, {"remote": Reach(reachable=False)}, StatusVerdict.NEEDS_ATTENTION, "Atlas can't be reached"),
        (
            None,
            {"remote": Reach(reachable=True, clock_ahead_seconds=-61)},
            StatusVerdict.NEEDS_ATTENTION,
            "61 seconds apart",
        ),
        (found(clock=300), {"remote": Reach(reachable=True, clock_ahead_seconds=299)}, StatusVerdict.PROTECTED, ""),
        (found(clock=300), {"remote": None}, StatusVerdict.PROTECTED, ""),
    ],
)  # fmt: skip
def test_each_verdict_and_what_it_says(looked: Any, facts: dict[str, Any], expected: StatusVerdict, said: str) -> None:
    told, sentence = verdict(looked, **facts)

    assert told is expected
    assert said in sentence


def test_the_message_of_the_last_run_is_said_too() -> None:
    failed = a_run(status="failed", message="The purge deleted nothing.")

    assert verdict(ended=[failed, a_run()])[1] == "Needs attention: the last run failed. The purge deleted nothing."


def test_a_start_refused_for_the_disk_speaks_of_no_purge() -> None:
    assert "purge" not in verdict(found(NoRoomToBegin(needed="78 MB", free="4 MB")))[1]


@pytest.mark.parametrize(
    "reason", ["it is a view here and a collection on Atlas", "3 documents could not be carried over"]
)
def test_what_a_sync_left_over_is_not_protected(reason: str) -> None:
    sync = SyncOverview(synced_at=NOW, proof=None, blocked={}, left_over={"x": reason}, logs=[])

    told, sentence = verdict(sync=sync)

    assert told is StatusVerdict.NEEDS_ATTENTION
    assert f"x: {reason}." in sentence
