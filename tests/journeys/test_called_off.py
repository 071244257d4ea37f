"""What a person called off is not done later: a Resume that was stopped, closed or given up while it waited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.access.trail import audit
from backups_app.catalog import purge_ledger
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import NotResumable, RunActive
from backups_app.models import AuditEvent
from backups_app.records import Origin
from backups_app.runs import worker
from backups_app.runs.recovery import clearing, kept_deletions, recovery
from backups_app.use_cases.backups import backups, keeping

from .conftest import contents, now, raw_documents, run_backup
from .test_sequences import cut_locally, plain_sync
from .test_unfinished import remote_fails_in

Db = Database[dict[str, Any]]
CallOff = Callable[[Db, str], object]


def cut_on_atlas(monkeypatch: pytest.MonkeyPatch) -> RunRecord:
    """Return a run that deleted the activities on Atlas, and was cut before it began the bookings."""
    with remote_fails_in("bookings", monkeypatch, begun=False):
        return run_backup(delete_bookings=True)


def ask_to_resume(backup_id: str) -> RunRecord:
    """Press Resume on the page: a worker is to do it."""
    return backups.resume(backup_id=backup_id, requested_by="ravi", origin=Origin.WEB, now=now())


def carry_out(backup_id: str) -> None:
    """Do the job that Resume queued, as the worker does."""
    backups.carry_out_resume.call(backup_id=backup_id)


def keep(backup_id: str) -> RunRecord:
    return backups.resume(backup_id=backup_id, requested_by="ravi", origin=Origin.WEB, now=now(), keep=True)


def stop(_: Db, backup_id: str) -> object:
    return backups.cancel(backup_id=backup_id, requested_by="ravi", origin=Origin.WEB, now=now())


def no_worker_came(local_db: Db, backup_id: str) -> object:
    long_ago = now().replace(year=2020)
    runs.collection(local_db).update_one({"_id": backup_id}, {"$set": {"heartbeat_at": long_ago}})
    return recovery.close_unclaimed(database=local_db)


def stored(local_db: Db, backup_id: str) -> RunRecord:
    found = runs.get(local_db, backup_id=backup_id)
    assert found is not None
    return found


def purge_steps(run: RunRecord) -> list[Any]:
    return [(step.name, step.state, step.sentence, step.counts) for step in run.steps if step.name.startswith("purge")]


def test_a_resume_that_a_worker_takes_finishes_the_deletion(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_on_atlas(monkeypatch)

    asked = ask_to_resume(run.id)
    carry_out(run.id)

    assert (asked["status"], asked["phase"]) == ("in_progress", "queued")
    assert (stored(local_db, run.id)["status"], stored(local_db, run.id)["resume_available"]) == ("success", False)
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == {}


def test_a_job_that_comes_twice_finishes_the_deletion_once(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever job claims a run that was opened for Resume resumes it, and makes no second backup under its name."""
    run = cut_on_atlas(monkeypatch)
    ask_to_resume(run.id)

    for _ in range(2):
        backups.carry_out_backup.call(backup_id=run.id)

    ended = stored(local_db, run.id)
    assert ended["status"] == "success"
    assert AuditEvent.objects.filter(action="purge.remote", target=run.id, result=audit.STARTED).count() == 2
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == {}


@pytest.mark.parametrize(
    ("call_off", "code"), [(stop, "cancelled"), (no_worker_came, "scheduler_down")], ids=["stopped", "closed"]
)
def test_a_resume_that_was_called_off_while_it_waited_deletes_nothing_when_its_job_comes(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch, call_off: CallOff, code: str
) -> None:
    run = cut_on_atlas(monkeypatch)
    before = contents(local_db), contents(remote_db)
    ask_to_resume(run.id)
    call_off(local_db, run.id)

    carry_out(run.id)

    ended = stored(local_db, run.id)
    assert (contents(local_db), contents(remote_db)) == before
    assert (ended["status"], ended["error_code"], ended["resume_available"]) == ("partial", code, True)
    ask_to_resume(run.id)
    carry_out(run.id)
    assert stored(local_db, run.id)["status"] == "success"


@pytest.mark.parametrize("cut", [cut_on_atlas, cut_locally], ids=["Atlas", "here"])
@pytest.mark.parametrize("by_command", [False, True], ids=["worker", "command"])
def test_a_stop_while_a_resume_prepares_is_obeyed_and_what_was_done_before_stays_on_record(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch, by_command: bool,
    cut: Callable[[pytest.MonkeyPatch], RunRecord],
) -> None:  # fmt: skip
    run = cut(monkeypatch)
    before = contents(local_db), contents(remote_db)
    real = clearing.clear_the_way

    def stopped_meanwhile(**given: Any) -> None:
        stop(local_db, run.id)
        real(**given)

    with monkeypatch.context() as patched:
        patched.setattr(clearing, "clear_the_way", stopped_meanwhile)
        if by_command:
            worker.execute_resume(backup_id=run.id)
        else:
            ask_to_resume(run.id)
            carry_out(run.id)

    ended = stored(local_db, run.id)
    assert (contents(local_db), contents(remote_db)) == before
    assert (ended["status"], ended["error_code"], ended["resume_available"]) == ("partial", "cancelled", True)
    assert ended["error_message"] == "Stopped by ravi."
    assert purge_steps(ended) == purge_steps(run)
    worker.execute_resume(backup_id=run.id)
    assert stored(local_db, run.id)["status"] == "success"


def test_a_resume_of_a_run_whose_command_is_gone_waits_for_a_worker(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_on_atlas(monkeypatch)
    runs.collection(local_db).update_one({"_id": run.id}, {"$set": {"starter.started": "0"}})
    ask_to_resume(run.id)

    assert recovery.close_unclaimed(database=local_db) == []

    carry_out(run.id)
    assert stored(local_db, run.id)["status"] == "success"


def test_keep_after_all_is_refused_while_a_resume_waits(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_on_atlas(monkeypatch)
    before = contents(local_db), contents(remote_db)
    ask_to_resume(run.id)

    with pytest.raises(RunActive) as refused:
        keep(run.id)

    assert refused.value.facts["backup_id"] == run.id
    assert not AuditEvent.objects.filter(action="backup.keep_after_all").exists()
    assert (contents(local_db), contents(remote_db)) == before
    assert not stored(local_db, run.id).purge.kept_after_all
    stop(local_db, run.id)
    assert keep(run.id).purge.kept_after_all


def test_keep_after_all_closes_nothing_where_a_resume_is_asked_for_in_that_moment(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        run = run_backup(delete_bookings=True)
    open_before = purge_ledger.open_for_run(local_db, run_id=run.id)
    real = keeping.kept

    def asked_meanwhile(document: RunRecord) -> dict[str, Any]:
        ask_to_resume(run.id)
        return real(document)

    with monkeypatch.context() as patched, pytest.raises(RunActive):
        patched.setattr(keeping, "kept", asked_meanwhile)
        keep(run.id)

    assert open_before == purge_ledger.open_for_run(local_db, run_id=run.id) != {}
    carry_out(run.id)
    assert stored(local_db, run.id)["status"] == "success"
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == {}


def test_keep_after_all_comes_too_late_for_a_resume_that_ended_meanwhile(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_on_atlas(monkeypatch)
    real = keeping.keep_after_all

    def finished_meanwhile(**given: Any) -> None:
        worker.execute_resume(backup_id=run.id)
        real(**given)

    with monkeypatch.context() as patched, pytest.raises(NotResumable):
        patched.setattr(keeping, "keep_after_all", finished_meanwhile)
        keep(run.id)

    ended = stored(local_db, run.id)
    assert (ended["status"], ended.purge.kept_after_all) == ("success", False)
    assert ended.purge.local["bookings"].deleted == ended.purge.remote["bookings"].deleted == 52


def test_a_process_that_dies_while_it_keeps_leaves_nothing_that_a_resume_deletes_or_a_sync_forgets(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        run = run_backup(delete_bookings=True)

    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(kept_deletions, "release", die)
        keep(run.id)

    assert purge_ledger.runs_with_open(local_db) == [run.id]
    with pytest.raises(NotResumable):
        ask_to_resume(run.id)
    run_backup(delete_bookings=False)
    plain_sync()
    assert purge_ledger.runs_with_open(local_db) == []
    assert len(raw_documents(local_db, "bookings")) == 52
    assert contents(local_db) == contents(remote_db)
