"""The worker's tick and the start of a run put records in order; whatever is read meanwhile writes nothing."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from django.test import Client, override_settings
from pymongo.database import Database

from backups_app.access.trail import audit
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import RecordsUnavailable
from backups_app.models import AuditEvent
from backups_app.mongo import availability, connections
from backups_app.records import Origin, Side
from backups_app.runs.recovery import housekeeping
from backups_app.use_cases.backups import backups
from backups_app.use_cases.listing import listing
from backups_app.use_cases.status import status
from tests.conftest import NOBODY

from .conftest import now, raw_documents, run_backup
from .test_unfinished import remote_fails_in

Db = Database[dict[str, Any]]


def left_waiting(local_db: Db) -> RunRecord:
    """Return a run that no worker took for years."""
    started = backups.start_backup(
        created_by="ananya", delete_bookings=True, origin=Origin.WEB, now=now(), enqueue=False
    )
    long_ago = started["heartbeat_at"].replace(year=2020)
    runs.collection(local_db).update_one({"_id": started["_id"]}, {"$set": {"heartbeat_at": long_ago}})
    return started


def test_reading_a_run_that_no_worker_took_leaves_it_to_the_tick(seeded: Configuration, local_db: Db) -> None:
    backup_id = left_waiting(local_db)["_id"]
    before = runs.get(local_db, backup_id=backup_id)

    listing.list_runs(configuration=seeded, every=True)
    listing.get_run(configuration=seeded, backup_id=backup_id)
    status.status(configuration=seeded, now=now())
    assert runs.get(local_db, backup_id=backup_id) == before

    housekeeping.tick(configuration=seeded, now=now())
    ended = listing.get_run(configuration=seeded, backup_id=backup_id)
    assert (ended["status"], ended["error_code"]) == ("failed", "scheduler_down")


def test_a_run_that_no_worker_took_does_not_keep_the_next_from_starting(seeded: Configuration, local_db: Db) -> None:
    backup_id = left_waiting(local_db)["_id"]

    assert run_backup(delete_bookings=False)["status"] == "success"
    assert listing.get_run(configuration=seeded, backup_id=backup_id)["error_code"] == "scheduler_down"


def test_lost_records_are_written_again_before_a_run_starts_and_none_is_replaced(
    seeded: Configuration, local_db: Db
) -> None:
    first, second = run_backup(delete_bookings=False), run_backup(delete_bookings=False)
    records = runs.collection(local_db)
    records.delete_one({"_id": first["_id"]})
    records.update_one({"_id": second["_id"]}, {"$set": {"note": "kept"}})

    run_backup(delete_bookings=False)

    rebuilt = runs.get(local_db, backup_id=first["_id"]) or RunRecord()
    assert (rebuilt["status"], rebuilt["documents"]) == ("success", first["documents"])
    assert not {"verified", "files", "message"} & rebuilt.keys()
    assert (runs.get(local_db, backup_id=second["_id"]) or RunRecord()).note == "kept"


def test_a_deletion_whose_record_was_lost_can_still_be_resumed(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        backup_id = run_backup(delete_bookings=True)["_id"]
    assert (runs.get(local_db, backup_id=backup_id) or RunRecord()).resume_available
    local_db.drop_collection("backup_metadata")

    ended = backups.resume(backup_id=backup_id, requested_by="ravi", origin=Origin.WEB, now=now(), enqueue=False)

    assert (ended["status"], ended["resume_available"]) == ("success", False)
    assert raw_documents(local_db, "bookings") == {}


def test_a_tick_without_a_server_is_not_the_end_of_the_worker_and_soon_over(seeded: Configuration) -> None:
    started = time.monotonic()

    housekeeping.tick(configuration=dataclasses.replace(seeded, local_url=NOBODY), now=now())

    assert time.monotonic() - started < connections.TIMEOUT_SECONDS[Side.LOCAL] / 2


def test_a_status_and_the_metrics_ask_a_silent_server_once(
    seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_backup(delete_bookings=False)
    found: list[Any] = []

    class Failures(dict[Any, Any]):
        def __setitem__(self, server: Any, failure: Any) -> None:
            found.append(server[0])
            super().__setitem__(server, failure)

    monkeypatch.setattr(availability, "_failures", Failures())
    silent = dataclasses.replace(seeded, local_url=NOBODY, cloud_url=Secret(""))

    with availability.early_probe():
        seen = status.status(configuration=silent, now=now())

    assert found == [Side.LOCAL]
    assert (seen.local.reachable, seen.backups_count) == (False, 1)

    with override_settings(TEMPLEOPS=silent):
        answer = Client().get("/metrics", REMOTE_ADDR="127.0.0.1", HTTP_HOST="127.0.0.1")

    assert found == [Side.LOCAL, Side.LOCAL]
    assert b"templeops_protected" in answer.content


def ends() -> list[tuple[str, str]]:
    """The ends of runs that are in the audit trail, oldest first: run and result."""
    return list(AuditEvent.objects.filter(action__endswith=".finished").order_by("n").values_list("target", "result"))


def test_the_end_of_a_run_that_could_not_be_put_on_record_is_written_by_the_tick_once(
    seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = audit.record

    def without_ends(**facts: Any) -> AuditEvent:
        if facts["action"].endswith(".finished"):
            raise RecordsUnavailable
        return written(**facts)

    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", without_ends)
        backup_id = run_backup(delete_bookings=False)["backup_id"]
    assert ends() == []

    housekeeping.tick(configuration=seeded, now=now())
    housekeeping.tick(configuration=seeded, now=now())
    assert ends() == [(backup_id, "success")]


def test_the_tick_adds_no_end_to_runs_that_have_theirs(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.WEB, now=now(), enqueue=False
    )
    housekeeping.tick(configuration=seeded, now=now())
    assert ends() == []

    backups.cancel(backup_id=waiting.id, requested_by="ananya", origin=Origin.WEB, now=now())
    with remote_fails_in("bookings", monkeypatch):
        partial = run_backup(delete_bookings=True)
    backups.resume(backup_id=partial["backup_id"], requested_by="ananya", origin=Origin.WEB, now=now(), enqueue=False)
    recorded = ends()
    assert [result for _, result in recorded] == ["cancelled", "partial", "success"]

    housekeeping.tick(configuration=seeded, now=now())
    assert ends() == recorded
