"""`backup_metadata`: one active run, compare-and-set by fence and phase, cancel until the purge begins."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.catalog.run import run_writers, runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import OwnershipLost, RunActive
from backups_app.records import Phase
from backups_app.runs import declarations

Db = Database[dict[str, Any]]
NOW = datetime(2025, 1, 19, 14, 30, 22, tzinfo=UTC)
ME = {"token": "me", "host": "here"}
CANCELLABLE = declarations.cancellable_phases()


def a_run(backup_id: str = "20250119_143022", **fields: Any) -> RunRecord:
    return RunRecord({
        "_id": backup_id, "backup_id": backup_id, "status": "in_progress", "phase": "queued", "owner": None, "fence": 0,
        "created_by": "ananya", "created_at": NOW, "heartbeat_at": NOW, "warnings": [], "cancel_requested": False,
    } | fields)  # fmt: skip


def claimed(local_db: Db, fence: int = 7) -> run_writers.Ownership:
    runs.ensure_indexes(local_db)
    runs.create(local_db, document=a_run())
    assert runs.claim(local_db, backup_id="20250119_143022", owner=ME, fence=fence)
    return run_writers.Ownership(database=local_db, backup_id="20250119_143022", fence=fence)


def test_a_second_run_is_refused_by_the_index_and_the_refusal_names_the_first(local_db: Db) -> None:
    runs.ensure_indexes(local_db)
    runs.create(local_db, document=a_run())

    with pytest.raises(RunActive) as refused:
        runs.create(local_db, document=a_run("20250119_143023"))

    assert refused.value.facts == {"backup_id": "20250119_143022", "created_by": "ananya"}


def test_of_twenty_triggers_at_once_exactly_one_wins(local_db: Db) -> None:
    runs.ensure_indexes(local_db)
    outcomes: list[str] = []

    def trigger(number: int) -> None:
        try:
            runs.create(local_db, document=a_run(f"20250119_1430{number:02d}"))
            outcomes.append("won")
        except RunActive:
            outcomes.append("refused")

    threads = [threading.Thread(target=trigger, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["refused"] * 19 + ["won"]


def test_a_run_is_claimed_once(local_db: Db) -> None:
    claimed(local_db)

    assert runs.claim(local_db, backup_id="20250119_143022", owner=ME | {"token": "other"}, fence=8) is None


def test_a_write_from_another_phase_or_fence_is_refused_and_changes_nothing(local_db: Db) -> None:
    mine = claimed(local_db)
    other = run_writers.Ownership(database=local_db, backup_id=mine.backup_id, fence=6)

    with pytest.raises(OwnershipLost):
        mine.write(phase=Phase.DUMPING, changes={"documents": 1})
    with pytest.raises(OwnershipLost):
        other.write(phase=Phase.PREFLIGHT, changes={"documents": 1})

    assert "documents" not in (runs.get(local_db, backup_id=mine.backup_id) or {})


def test_a_cancel_stops_the_step_into_the_purge_but_not_the_record_of_it(local_db: Db) -> None:
    mine = claimed(local_db)
    assert runs.request_cancel(local_db, backup_id=mine.backup_id, requested_by="ravi", phases=CANCELLABLE)

    moved = mine.write(phase=Phase.PREFLIGHT, changes={"phase": "purging_remote"}, unless_cancelled=True)

    assert moved is False
    assert mine.beat() is True
    assert mine.write(phase=Phase.PREFLIGHT, changes={"documents": 1}) is True


@pytest.mark.parametrize("phase", [Phase.PURGING_REMOTE, Phase.PURGING_LOCAL, Phase.FINISHING])
def test_a_purge_that_has_begun_cannot_be_cancelled(local_db: Db, phase: Phase) -> None:
    mine = claimed(local_db)
    mine.write(phase=Phase.PREFLIGHT, changes={"phase": phase.value})

    assert runs.request_cancel(local_db, backup_id=mine.backup_id, requested_by="ravi", phases=CANCELLABLE) is None


def test_silence_is_measured_by_the_servers_clock(local_db: Db) -> None:
    mine = claimed(local_db)

    assert runs.stale(local_db, older_than=timedelta(seconds=60)) == []
    runs.collection(local_db).update_one({}, {"$set": {"heartbeat_at": NOW}})
    assert [run["_id"] for run in runs.stale(local_db, older_than=timedelta(seconds=60))] == [mine.backup_id]


def test_a_run_that_moved_on_is_not_closed_by_somebody_who_thought_it_dead(local_db: Db) -> None:
    mine = claimed(local_db)
    seen = runs.get(local_db, backup_id=mine.backup_id)
    assert seen is not None
    mine.beat()

    assert runs.close_if_unchanged(local_db, document=seen, changes={"status": "failed"}) is False


def test_resume_opens_a_run_once_and_never_beside_another(local_db: Db) -> None:
    runs.ensure_indexes(local_db)
    runs.create(local_db, document=a_run(status="partial", resume_available=True))
    runs.create(local_db, document=a_run("20250119_150000"))

    with pytest.raises(RunActive):
        runs.reopen(local_db, backup_id="20250119_143022", owner=ME, fence=9, phase=Phase.PREFLIGHT)
    runs.collection(local_db).update_one({"_id": "20250119_150000"}, {"$set": {"status": "failed"}})

    assert runs.reopen(local_db, backup_id="20250119_143022", owner=ME, fence=9, phase=Phase.PREFLIGHT)
    assert runs.reopen(local_db, backup_id="20250119_143022", owner=ME, fence=9, phase=Phase.PREFLIGHT) is None


def test_a_resume_is_not_of_the_process_that_started_the_run(local_db: Db) -> None:
    runs.ensure_indexes(local_db)
    runs.create(local_db, document=a_run(status="partial", resume_available=True, starter=ME))

    opened = runs.reopen(local_db, backup_id="20250119_143022", owner=None, fence=0, phase=Phase.QUEUED)

    assert opened is not None and opened.starter is None


def test_an_amendment_reports_whether_there_was_such_a_run(local_db: Db) -> None:
    runs.ensure_indexes(local_db)
    runs.create(local_db, document=a_run(status="partial", resume_available=True))

    def amended(*, resumable: bool = False) -> bool:
        return runs.amend(local_db, backup_id="20250119_143022", changes={"note": "n"}, resumable=resumable)

    assert amended() and amended(resumable=True)
    runs.collection(local_db).update_one({}, {"$set": {"resume_available": False}})
    assert amended() and not amended(resumable=True)
    runs.collection(local_db).update_one({}, {"$set": {"resume_available": True, "status": "in_progress"}})
    assert not amended() and not amended(resumable=True)
    assert not runs.amend(local_db, backup_id="20250119_143023", changes={"note": "n"})
