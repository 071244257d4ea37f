"""Sync switched on or off between a deletion that was interrupted and its Resume: its sides stay those of its plan."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from pymongo.database import Database

from backups_app.catalog import purge_ledger
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import DatabaseUnreachable, PurgeNeedsAtlas, PurgeWithoutAtlas
from backups_app.models import AuditEvent
from backups_app.mongo.exact_writes import live_collection
from backups_app.mongo.exact_writes.delete import delete_equal
from backups_app.purge import delete, verified_file
from backups_app.records import Side
from backups_app.runs import worker
from backups_app.use_cases.listing import listing

from .conftest import contents, raw_documents, run_backup
from .test_called_off import ask_to_resume, carry_out, cut_on_atlas, keep, stored
from .test_sequences import plain_sync
from .test_unfinished import remote_fails_in, resume

Db = Database[dict[str, Any]]


@contextlib.contextmanager
def sync_off(configuration: Configuration) -> Iterator[None]:
    with override_settings(TEMPLEOPS=dataclasses.replace(configuration, cloud_url=Secret(""))):
        yield


def cut_after_one_batch(configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> RunRecord:
    """Return a run without sync that deleted ten bookings here and was cut."""
    real, lock, batches = delete_equal, threading.Lock(), list[int]()

    def cut(*, live: Any, frames: Any) -> Any:
        with lock:
            if live.collection.name == "bookings":
                batches.append(len(frames))
            cut_now = len(batches) > 1
        if cut_now:
            raise DatabaseUnreachable(side=Side.LOCAL.value)
        return real(live=live, frames=frames)

    with monkeypatch.context() as patched, sync_off(configuration):
        patched.setattr(delete, "delete_equal", cut)
        return run_backup(delete_bookings=True)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten documents each, one a statement: on a busy machine a server near by answers like one that is far away."""
    monkeypatch.setattr(verified_file, "STATEMENT_DOCUMENTS", 10)
    monkeypatch.setattr(live_collection, "FAR_MILLISECONDS", float("inf"))


@pytest.mark.usefixtures("small_batches")
def test_a_deletion_that_began_without_atlas_is_not_finished_with_it(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_after_one_batch(seeded, monkeypatch)
    assert (run["status"], run["sync_status"], run["resume_available"]) == ("partial", "skipped", True)
    assert (len(raw_documents(local_db, "bookings")), run["purge"]["sides"]) == (35, ["local"])
    plain_sync()
    before = contents(local_db), contents(remote_db)

    with pytest.raises(PurgeWithoutAtlas):
        ask_to_resume(run.id)

    assert not AuditEvent.objects.filter(action="backup.resume").exists()
    worker.execute_resume(backup_id=run.id)  # of a worker whose settings are newer than the page's
    ended = stored(local_db, run.id)
    assert (ended["status"], ended["error_code"]) == ("partial", "purge_without_atlas")
    assert (contents(local_db), contents(remote_db)) == before
    assert ended["resume_available"] and purge_ledger.runs_with_open(local_db) == [run.id]

    keep(run.id)
    plain_sync()
    assert purge_ledger.runs_with_open(local_db) == []
    assert contents(local_db) == contents(remote_db)
    assert len(raw_documents(local_db, "bookings")) == 52


@pytest.mark.usefixtures("small_batches")
def test_a_deletion_that_began_without_atlas_is_finished_without_it(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_after_one_batch(seeded, monkeypatch)

    with sync_off(seeded):
        finished = resume(run.id)

    assert (finished["status"], finished["resume_available"]) == ("success", False)
    assert raw_documents(local_db, "bookings") == {}
    assert purge_ledger.runs_with_open(local_db) == []


@pytest.mark.usefixtures("small_batches")
def test_a_new_run_with_atlas_leaves_a_deletion_that_began_without_it_open_and_says_so(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = cut_after_one_batch(seeded, monkeypatch)
    plain_sync()

    run = run_backup(delete_bookings=True)

    assert f"The deletion of run {earlier.id} is still unfinished." in " ".join(run["warnings"])
    left = listing.get_run(configuration=seeded, backup_id=earlier.id)
    assert (left["status"], left["resume_available"], left["keep_available"]) == ("partial", True, True)
    keep(earlier.id)
    plain_sync()
    assert purge_ledger.runs_with_open(local_db) == []
    assert contents(local_db) == contents(remote_db)


def test_a_deletion_that_is_to_be_finished_on_atlas_too_waits_for_its_address(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_on_atlas(monkeypatch)
    before = contents(local_db), contents(remote_db)

    with sync_off(seeded):
        with pytest.raises(PurgeNeedsAtlas):
            ask_to_resume(run.id)
        worker.execute_resume(backup_id=run.id)  # of a worker that has another setting than the page

    tried = stored(local_db, run.id)
    assert (tried["status"], tried["error_code"], tried["resume_available"]) == ("partial", "purge_needs_atlas", True)
    assert (contents(local_db), contents(remote_db)) == before
    ask_to_resume(run.id)
    carry_out(run.id)
    assert stored(local_db, run.id)["status"] == "success"
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == {}


def test_a_run_that_an_earlier_version_resumed_without_atlas_is_finished_with_it(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one recorded the step on Atlas as skipped, and its plan names no sides."""
    run = cut_on_atlas(monkeypatch)
    at = [step.name for step in run.steps].index("purge_remote")
    as_before = {"$set": {f"steps.{at}.state": "skipped"}, "$unset": {"purge.sides": True}}
    runs.collection(local_db).update_one({"_id": run.id}, as_before)

    finished = resume(run.id)

    assert (finished["status"], finished["resume_available"]) == ("success", False)
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == {}


def test_a_new_run_without_atlas_leaves_a_deletion_on_both_sides_as_it_is(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        earlier = run_backup(delete_bookings=True)
    there = contents(remote_db)

    with sync_off(seeded):
        run = run_backup(delete_bookings=True)

    assert f"The deletion of run {earlier.id} is still unfinished." in " ".join(run["warnings"])
    assert contents(remote_db) == there
    finished = resume(earlier.id)
    assert finished["status"] == "success"
    assert raw_documents(remote_db, "bookings") == {}
