"""Runs that do not reach their end: cut, cancelled, killed. What is safe, what remains, how it is finished."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.test import override_settings
from pymongo.database import Database

from backups_app import configuration as settings
from backups_app.catalog import purge_ledger
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.errors import DatabaseUnreachable, NotCancellable, NotResumable, RecordsUnavailable
from backups_app.models import NotificationState
from backups_app.mongo.exact_writes.delete import delete_equal
from backups_app.purge import delete, verified_file
from backups_app.records import Origin, Side
from backups_app.runs import preparation
from backups_app.runs.recovery import recovery
from backups_app.runs.steps import dump, publish, verify
from backups_app.use_cases.backups import backups
from backups_app.use_cases.listing import listing
from tests.conftest import NOBODY

from .conftest import contents, now, raw_documents, run_backup, saved_documents

Db = Database[dict[str, Any]]


@contextlib.contextmanager
def remote_fails_in(collection: str, monkeypatch: pytest.MonkeyPatch, *, begun: bool = True) -> Iterator[None]:
    """Within, the remote side cannot be reached once the purge comes to `collection`: the fault is forced. Without
    `begun`, before the ledger has an entry of it."""
    real = delete_equal

    def cut(*, live: Any, frames: Any) -> Any:
        if live.collection.name == collection and "atlas" in str(
            live.collection.database.client.options.replica_set_name
        ):
            raise DatabaseUnreachable(side=Side.REMOTE.value)
        return real(live=live, frames=frames)

    def not_reached(*, folder: Any, manifest: Any, collection: str) -> Any:
        if collection == name:
            raise DatabaseUnreachable(side=Side.REMOTE.value)
        return opened(folder=folder, manifest=manifest, collection=collection)

    name, opened = collection, verified_file.opened
    with monkeypatch.context() as patched:
        if begun:
            patched.setattr(delete, "delete_equal", cut)
        else:
            patched.setattr(verified_file, "opened", not_reached)
        yield


def resume(backup_id: str, *, keep: bool = False) -> dict[str, Any]:
    return backups.resume(
        backup_id=backup_id, requested_by="ravi", origin=Origin.WEB, now=now(), keep=keep, enqueue=False
    )


def earlier_deletions(run: dict[str, Any]) -> tuple[str, str]:
    """Return how the step of earlier deletions ended, and its sentence."""
    (step,) = (one for one in run["steps"] if one["name"] == "settle")
    return step["state"], str(step["sentence"])


def reported_deletions() -> list[str]:
    """Return the scopes of the deletions that were reported as unfinished."""
    return [*NotificationState.objects.filter(scope__startswith="deletion:").values_list("scope", flat=True)]


def test_atlas_cut_in_its_purge_leaves_this_side_whole_and_resume_finishes_it(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"], run["resume_available"]) == ("partial", "success", True)
    assert run["collections_deleted_remote"][0] == "activities (25 documents)"
    assert run["collections_deleted_local"] == []
    assert len(raw_documents(local_db, "bookings")) == 52

    finished = resume(run["backup_id"])

    assert (finished["status"], finished["resume_available"]) == ("success", False)
    assert finished["collections_deleted_remote"] == finished["collections_deleted_local"]
    assert contents(local_db) == contents(remote_db)
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "activities") == {}
    with pytest.raises(NotResumable):
        resume(run["backup_id"])


def test_a_sync_between_brings_nothing_back_and_removes_nothing(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("employee_bookings", monkeypatch):
        run = run_backup(delete_bookings=True)
    before = contents(local_db), contents(remote_db)
    open_names = set(purge_ledger.open_collections(local_db, run_id=run["backup_id"]))

    with remote_fails_in("employee_bookings", monkeypatch):
        kept = run_backup(delete_bookings=False)

    assert kept["sync_status"] == "success"
    state, sentence = earlier_deletions(kept)
    assert (state, sentence) == ("skipped", "1 deletion of earlier runs is unfinished and not asked for by this run")
    assert (
        str(kept["warnings"][0])
        == f"The deletion of run {run['backup_id']} is still unfinished. Open that run and resume it."
    )
    for name in open_names - {"activities"}:
        assert (contents(local_db)[name], contents(remote_db)[name]) == (before[0][name], before[1][name])
    assert resume(run["backup_id"])["status"] == "success"
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == {}


def test_a_new_run_with_deletion_first_finishes_the_open_one(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        first = run_backup(delete_bookings=True)
    local_db["bookings"].insert_one({"_id": "new", "name": "came later"})

    assert reported_deletions() == [f"deletion:{first['backup_id']}"]

    second = run_backup(delete_bookings=True)

    assert (second["status"], reported_deletions()) == ("success", [])
    finished = listing.get_run(configuration=seeded, backup_id=first["backup_id"])
    assert (finished["status"], finished["resume_available"]) == ("success", False)
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == {}
    assert b"came later" in b"".join(
        saved_documents(seeded.backup_dir / f"backup_{second['backup_id']}", local_db.name, "bookings").values()
    )


def test_keep_after_all_gives_the_deletion_up_and_the_next_sync_carries_what_is_left(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        run = run_backup(delete_bookings=True)

    kept = resume(run["backup_id"], keep=True)

    assert (kept["status"], kept["resume_available"]) == ("partial", False)
    assert run_backup(delete_bookings=False)["status"] == "success"
    assert len(raw_documents(local_db, "bookings")) == len(raw_documents(remote_db, "bookings")) == 52


def test_an_edit_between_the_dump_and_the_purge_is_kept_and_named(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = publish.perform

    def edit_meanwhile(run: Any) -> Any:
        result = real(run)
        local_db["bookings"].update_one({"_id": "bookings-3"}, {"$set": {"amount": 9}})
        remote_db["bookings"].update_one({"_id": "bookings-4"}, {"$set": {"amount": 9}})
        remote_db["bookings"].insert_one({"_id": "late", "name": "taken after the dump"})
        return result

    monkeypatch.setattr(publish, "perform", edit_meanwhile)
    run = run_backup(delete_bookings=True)

    assert run["status"] == "success"
    assert run["kept_changed"]["count"] == 2
    assert sorted(run["kept_changed"]["ids"]) == ['"bookings-3"', '"bookings-4"']
    assert [d["_id"] for d in local_db["bookings"].find()] == ["bookings-3"]
    assert sorted(d["_id"] for d in remote_db["bookings"].find()) == ["bookings-4", "late"]
    monkeypatch.setattr(publish, "perform", real)
    run_backup(delete_bookings=False)
    assert sorted(d["_id"] for d in local_db["bookings"].find()) == ["bookings-3", "bookings-4", "late"]
    assert contents(local_db) == contents(remote_db)


@pytest.mark.parametrize("step", [dump, verify])
def test_a_cancel_before_publishing_removes_the_copy_and_deletes_nothing(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch, step: Any
) -> None:
    real = step.perform

    def cancelled_meanwhile(run: Any) -> Any:
        backups.cancel(backup_id=run.backup_id, requested_by="ravi", origin=Origin.WEB, now=now())
        return real(run)

    monkeypatch.setattr(step, "perform", cancelled_meanwhile)
    run = run_backup(delete_bookings=True)

    assert (run["status"], run["error_code"]) == ("cancelled", "cancelled")
    assert "The deletion step did not run." in run["error_message"]
    assert "pulled 7 and pushed 5" in run["error_message"]
    assert not list(seeded.backup_dir.glob("backup_*")) and not list(seeded.backup_dir.glob(".partial-*"))
    assert len(raw_documents(local_db, "bookings")) == 52


def test_a_cancel_between_publishing_and_the_purge_is_partial_and_deletes_nothing(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = publish.perform

    def cancelled_afterwards(run: Any) -> Any:
        result = real(run)
        backups.cancel(backup_id=run.backup_id, requested_by="ravi", origin=Origin.WEB, now=now())
        return result

    monkeypatch.setattr(publish, "perform", cancelled_afterwards)
    run = run_backup(delete_bookings=True)

    assert (run["status"], run["error_code"], run["resume_available"]) == ("partial", "cancelled", False)
    assert len(raw_documents(local_db, "bookings")) == len(raw_documents(remote_db, "bookings")) == 52
    assert len(listing.list_runs(configuration=seeded)) == 1


def test_a_run_that_has_ended_cannot_be_cancelled(seeded: Configuration) -> None:
    run = run_backup(delete_bookings=False)

    with pytest.raises(NotCancellable):
        backups.cancel(backup_id=run["backup_id"], requested_by="ravi", origin=Origin.WEB, now=now())


def die_in(step: Any, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> str:
    """Let the owner vanish in a step, as kill -9 does, and return the run's id: no `finally` of ours runs."""

    class Killed(BaseException):
        pass

    real = step.perform

    def die(run: Any) -> Any:
        if after:
            real(run)
        run.progress.stop()
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(step, "perform", die)
        patched.setattr("backups_app.catalog.lease.release", lambda *_, **__: None)
        started = backups.start_backup(
            created_by="ananya", delete_bookings=True, origin=Origin.COMMAND, now=now(), enqueue=False
        )
        with pytest.raises(Killed):
            backups.execute(backup_id=started["backup_id"])
    database = preparation.local_database(settings.current())
    gone = {"owner.started": "0"}  # as another process of this host, which has ended
    runs.collection(database).update_one({"_id": started["backup_id"]}, {"$set": gone})
    database["backup_lease"].update_one({"_id": "lease"}, {"$set": gone})
    return str(started["backup_id"])


@pytest.mark.parametrize(("step", "after"), [(dump, False), (dump, True), (verify, True)])
def test_a_run_killed_before_publishing_is_failed_and_its_copy_removed(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch, step: Any, after: bool
) -> None:
    backup_id = die_in(step, monkeypatch, after=after)

    assert recovery.recover(configuration=seeded, now=now()) == [backup_id]

    run = listing.get_run(configuration=seeded, backup_id=backup_id)
    assert (run["status"], run["error_code"], run["published"]) == ("failed", "interrupted", False)
    assert not list(seeded.backup_dir.glob(".partial-*"))
    assert len(raw_documents(local_db, "bookings")) == 52


def test_a_run_killed_after_publishing_keeps_its_backup_as_partial(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = die_in(publish, monkeypatch, after=True)

    recovery.recover(configuration=seeded, now=now())

    run = listing.get_run(configuration=seeded, backup_id=backup_id)
    assert (run["status"], run["published"], run["verified"]) == ("partial", True, True)
    assert len(raw_documents(local_db, "bookings")) == 52


def test_the_next_run_recovers_unaided(seeded: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    backup_id = die_in(dump, monkeypatch, after=True)

    run = run_backup(delete_bookings=True)

    assert run["status"] == "success"
    assert listing.get_run(configuration=seeded, backup_id=backup_id)["status"] == "failed"


def test_a_backup_that_no_longer_verifies_is_never_called_good_by_recovery(
    seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = die_in(publish, monkeypatch, after=True)
    file = next((seeded.backup_dir / f"backup_{backup_id}").glob("*/bookings.bson"))
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")

    recovery.recover(configuration=seeded, now=now())

    run = listing.get_run(configuration=seeded, backup_id=backup_id)
    assert run["status"] == "failed"
    assert file.exists()


def test_a_run_whose_owner_lives_is_left_alone(seeded: Configuration) -> None:
    started = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=now(), enqueue=False
    )

    assert recovery.recover(configuration=seeded, now=now()) == []
    assert backups.execute(backup_id=started["backup_id"])["status"] == "success"


def test_a_run_that_nobody_takes_is_closed_by_name(seeded: Configuration, local_db: Db) -> None:
    started = backups.start_backup(
        created_by="ananya", delete_bookings=True, origin=Origin.WEB, now=now(), enqueue=False
    )
    long_ago = started["heartbeat_at"].replace(year=2020)
    runs.collection(local_db).update_one({"_id": started["backup_id"]}, {"$set": {"heartbeat_at": long_ago}})

    run = backups.wait_for(backup_id=started["backup_id"], timeout_seconds=1)

    assert (run["status"], run["error_code"]) == ("failed", "scheduler_down")
    assert len(raw_documents(local_db, "bookings")) == 45


def test_a_local_server_that_is_down_is_named_and_nothing_starts(seeded: Configuration) -> None:
    with (
        override_settings(TEMPLEOPS=dataclasses.replace(seeded, local_url=NOBODY)),
        pytest.raises(DatabaseUnreachable),
    ):
        run_backup(delete_bookings=True)


def test_a_command_killed_before_its_run_was_claimed_does_not_block_the_next(
    seeded: Configuration, local_db: Db
) -> None:
    started = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=now(), enqueue=False
    )
    runs.collection(local_db).update_one({"_id": started["backup_id"]}, {"$set": {"starter.started": "0"}})

    run = run_backup(delete_bookings=False)

    assert run["status"] == "success"
    assert listing.get_run(configuration=seeded, backup_id=started["backup_id"])["error_code"] == "interrupted"


def test_what_cannot_be_put_on_record_is_refused_and_blocks_nobody(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patched, pytest.raises(RecordsUnavailable):
        patched.setattr("backups_app.models.AuditEvent.save", full)
        run_backup(delete_bookings=True)

    assert len(raw_documents(local_db, "bookings")) == 45
    assert run_backup(delete_bookings=False)["status"] == "success"


def test_a_purge_that_cannot_be_put_on_record_deletes_nothing(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = publish.perform

    def full_afterwards(run: Any) -> Any:
        result = real(run)

        def full(*_: Any, **__: Any) -> None:
            raise OperationalError("disk I/O error")

        monkeypatch.setattr("backups_app.models.AuditEvent.save", full)
        return result

    monkeypatch.setattr(publish, "perform", full_afterwards)
    run = run_backup(delete_bookings=True)

    assert (run["status"], run["error_code"]) == ("partial", "records_unavailable")
    assert len(raw_documents(local_db, "bookings")) == len(raw_documents(remote_db, "bookings")) == 52
