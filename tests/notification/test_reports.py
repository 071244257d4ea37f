"""Problems are reported by state: when one begins, once a day while it lasts, when it ends. Healthchecks by run."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.test import override_settings

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.models import Notification, User
from backups_app.notification import outbox
from backups_app.notification.channels import HEALTHCHECK
from backups_app.runs.closing import reporting
from backups_app.use_cases.notifications import notification_work
from tests.notification.conftest import NOW
from tests.notification.receivers import Calls, MailBox

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def a_run(number: int = 1, **fields: Any) -> RunRecord:
    at = NOW + timedelta(hours=number)
    return RunRecord({
        "_id": f"20261128_{number:06}", "backup_id": f"20261128_{number:06}", "kind": "backup", "status": "success",
        "sync_status": "success", "created_at": at, "finished_at": at + timedelta(minutes=1), "created_by": "ananya",
        "steps": [{"name": "sync", "state": "done", "sentence": "", "counts": {"conflicts": 3}}], "documents": 1602,
        "bytes": 13_000_000, "collections_backed_up": ["activities", "bookings"], "error_code": None,
        "error_message": None, "collections_deleted_local": ["activities (50 documents)"], "host": "temple-pc",
        "collections_deleted_remote": [], "purge": None, **fields,
    })  # fmt: skip


def ended(number: int = 1, **fields: Any) -> None:
    document = a_run(number, **fields)
    reporting.report(document, now=document["finished_at"])


def failed(number: int, code: str = "disk_full") -> None:
    ended(number, status="failed", error_code=code, error_message="The backup disk is full. Nothing was deleted.")


def unfinished(number: int) -> None:
    what = {"error_code": "purge_unfinished", "error_message": "5 documents are left."}
    ended(number, status="partial", resume_available=True, **what)


def titles(channel: str) -> list[str]:
    """Return the English titles of what a channel is sent, oldest first."""
    rows = Notification.objects.filter(channel=channel).order_by("id")
    return [row.content["title"]["sentence"] for row in rows]


def kinds(channel: str) -> list[str]:
    rows = Notification.objects.filter(channel__startswith=channel).order_by("created_at", "id")
    return [row.kind for row in rows]


@pytest.fixture
def one_reader(messaging: Configuration, super_admin: User) -> str:
    super_admin.email = "ananya@temple.example"
    super_admin.save()
    return f"mail:{super_admin.pk}"


def test_a_failure_is_reported_once_and_its_end_once(one_reader: str) -> None:
    for number in (1, 2, 3):
        failed(number)
    ended(4)
    ended(5)

    assert kinds(one_reader) == ["failed", "recovered"]


def test_another_cause_is_reported_and_replaces_the_first(one_reader: str) -> None:
    failed(1)
    failed(2, "mongodump_missing")
    ended(3, status="partial", error_code="server_unreachable", error_message="Atlas cannot be reached.")
    ended(4)

    assert kinds(one_reader) == ["failed", "failed", "partial", "recovered"]


def test_an_unfinished_deletion_lasts_through_later_backups_until_it_is_finished(one_reader: str) -> None:
    failed(1)
    unfinished(2)
    ended(3)
    failed(4)
    assert titles(one_reader) == [
        "Backup failed", "Solved: Backup failed", "Backup saved, but not everything was done", "Backup failed",
    ]  # fmt: skip

    ended(2, reported_at=NOW + DAY, finished_at=NOW + DAY)

    assert titles(one_reader)[4:] == ["Solved: Backup saved, but not everything was done"], "the failure lasts"


def test_an_unfinished_deletion_is_reported_each_day_and_its_end_is_found(
    one_reader: str, messaging: Configuration, configured: Configuration, local_db: Any
) -> None:
    configuration = dataclasses.replace(configured, email_url=messaging.email_url)
    record = dict(a_run(1, status="partial", resume_available=True, reported_at=NOW + DAY))
    local_db["backup_metadata"].insert_one(record)
    with override_settings(TEMPLEOPS=configuration):
        unfinished(1)
        ended(2)
        for hour in range(1, 30, 3):
            notification_work.report_silent_problems(configuration=configuration, now=NOW + timedelta(hours=1 + hour))
        assert [one for one in titles(one_reader) if "overdue" not in one] == [
            "Backup saved, but not everything was done", "Still: Backup saved, but not everything was done",
        ]  # fmt: skip
        finished = {"status": "success", "resume_available": False}
        local_db["backup_metadata"].update_one({"_id": record["_id"]}, {"$set": finished})

        notification_work.report_silent_problems(configuration=configuration, now=NOW + timedelta(hours=31))

    assert "Solved: Backup saved, but not everything was done" in titles(one_reader)


def test_a_failure_that_lasts_is_reported_each_day(
    one_reader: str, messaging: Configuration, local_db: Any, a_folder: Any
) -> None:
    configuration = dataclasses.replace(messaging, database_name=local_db.name, backup_dir=a_folder)
    failed(1)
    with override_settings(TEMPLEOPS=configuration):
        for hour in range(1, 60, 3):
            notification_work.report_silent_problems(configuration=configuration, now=NOW + timedelta(hours=1 + hour))

    assert titles(one_reader) == ["Backup failed", "Still: Backup failed", "Still: Backup failed"]


def test_the_same_end_reported_twice_is_one_message(one_reader: str, receiver: Calls, messaging: Configuration) -> None:
    for _ in range(2):
        failed(1)
        ended(1)

    assert kinds(one_reader) == ["failed", "recovered"] * 2 or kinds(one_reader) == ["failed", "recovered"]
    assert kinds(HEALTHCHECK) == ["ping_fail"]


def test_a_cancelled_run_is_neither_good_nor_bad(one_reader: str) -> None:
    ended(1, status="cancelled", error_code="cancelled", error_message="Stopped by ravi.")

    assert kinds(one_reader) == []


@pytest.mark.parametrize("reported_at", [None, NOW + DAY])
def test_keep_after_all_ends_the_problem(one_reader: str, reported_at: datetime | None) -> None:
    unfinished(1)
    ended(2)
    ended(1, status="partial", error_code="purge_unfinished", purge={"kept_after_all": True}, reported_at=reported_at)

    assert kinds(one_reader) == ["partial", "recovered"]


def test_a_rehearsal_has_its_own_kind_and_does_not_end_a_failed_backup(one_reader: str) -> None:
    failed(1)
    ended(2, kind="rehearsal", status="failed", error_code="rehearsal_failed", error_message="2 documents differ.",
          restore={"sums": {}})  # fmt: skip
    ended(3, kind="rehearsal", status="success", restore={"sums": {"inserted": 5}})

    assert kinds(one_reader) == ["failed", "rehearsal_failed", "recovered"]


@time_machine.travel(NOW + DAY, tick=False)
def test_the_healthcheck_is_called_by_backups_and_by_nothing_else(
    one_reader: str, messaging: Configuration, receiver: Calls, mailbox: MailBox
) -> None:
    reporting.run_began(a_run(1))
    ended(1)
    reporting.run_began(a_run(2))
    failed(2)
    reporting.run_began(a_run(3, kind="rehearsal"))
    ended(4, status="cancelled", error_code="cancelled", error_message="Stopped by ravi.")
    ended(5, status="partial", error_code="purge_unfinished", error_message="5 documents are left.")
    for kind in ("rehearsal", "restore", "test_copy"):
        ended(6, kind=kind, restore={"sums": {}})

    notification_work.deliver(configuration=messaging)

    calls = [path for path in receiver.paths if path.startswith("/ping")]
    base = "/ping/2f6f1d8e-canary-uuid"
    assert sorted(calls) == sorted([f"{base}/start", base, f"{base}/start", f"{base}/fail", f"{base}/fail", base])


def test_a_call_that_is_half_a_day_late_is_given_up(one_reader: str, messaging: Configuration, receiver: Calls) -> None:
    receiver.status = 500
    ended(1)
    for hour in range(20):
        with time_machine.travel(NOW + timedelta(hours=hour + 2), tick=False):
            notification_work.deliver(configuration=messaging)

    row = Notification.objects.get(channel=HEALTHCHECK)
    assert (row.state, row.problem_code, row.problem_facts) == ("given_up", "healthcheck_failed", {"answer": 500})


def test_an_outbox_that_cannot_be_written_does_not_stop_a_run(one_reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> int:
        raise DatabaseError("disk full")

    monkeypatch.setattr(outbox, "enqueue", broken)

    reporting.run_began(a_run(1))
    reporting.run_ended(None, document=a_run(1))  # type: ignore[arg-type]


def test_no_key_and_no_address_stands_in_the_outbox(
    one_reader: str, messaging: Configuration, receiver: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 500
    failed(1)
    with time_machine.travel(NOW + DAY, tick=False):
        notification_work.deliver(configuration=messaging)

    logged = [record.getMessage() for record in caplog.records if record.name.startswith("backups_app")]
    stored = repr([list(Notification.objects.values()), logged, messaging])
    for secret in ("T0PSECRETKEY", "canary", "127.0.0.1", "ananya@temple.example"):
        assert secret not in stored
