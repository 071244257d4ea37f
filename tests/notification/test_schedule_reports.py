"""What a schedule did not do is reported once: a start that failed, a check that failed, a deletion left out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backups_app.configuration import Configuration
from backups_app.models import Notification, Schedule, ScheduleSlot, User
from backups_app.notification import channels
from backups_app.runs.closing import reporting
from backups_app.use_cases.notifications import schedule_reports
from tests.notification.conftest import NOW

pytestmark = pytest.mark.django_db
State = ScheduleSlot.State


def a_schedule(do: str) -> Schedule:
    return Schedule.objects.create(
        name="nightly\r\nBcc: x", do=do, cron="0 2 * * *", time_zone="Asia/Kolkata", since=NOW, settled_at=NOW,
        created_at=NOW, created_by="ananya",
    )  # fmt: skip


def a_slot(schedule: Schedule, state: State, *, hours: int = 0, reason: str = "", run: str = "") -> None:
    at = NOW + timedelta(hours=hours)
    ScheduleSlot.objects.create(
        schedule=schedule, slot=at, state=state, reason=reason, run=run, decided_at=at, changed_at=at
    )


def look(configuration: Configuration, *, hours: int = 0) -> None:
    schedule_reports.report_schedules(
        channels=channels.every(reporting.channel_settings(configuration)), sender_domain="temple.example",
        now=NOW + timedelta(hours=hours),
    )  # fmt: skip


def sent(configuration: Configuration) -> list[tuple[str, str]]:
    rows = Notification.objects.filter(channel__startswith="url:").order_by("id")
    return [(row.kind, row.content["title"]["sentence"]) for row in rows]


@pytest.mark.parametrize(
    ("do", "kind", "title"),
    [
        ("backup", "failed", "Backup failed"),
        ("sync", "failed", "Sync failed"),
        ("verify", "failed", "Verification could not be done"),
        ("rehearse", "rehearsal_failed", "Restore test failed"),
    ],
)
def test_what_could_not_start_is_reported_and_its_end(
    messaging: Configuration, super_admin: User, do: str, kind: str, title: str
) -> None:
    schedule = a_schedule(do)
    a_slot(schedule, State.FAILED, reason="store_missing")
    for minute in range(3):
        look(messaging, hours=minute)
    a_slot(schedule, State.DONE, hours=24)
    look(messaging, hours=25)

    assert sent(messaging) == [(kind, title), ("recovered", f"Solved: {title}")]


@pytest.mark.parametrize("do", ["sync", "verify"])
def test_what_is_only_queued_has_not_ended_a_problem(messaging: Configuration, do: str) -> None:
    schedule = a_schedule(do)
    a_slot(schedule, State.FAILED, reason="store_missing")
    look(messaging)

    a_slot(schedule, State.STARTED, hours=24)
    look(messaging, hours=24)

    assert [kind for kind, _ in sent(messaging)] == ["failed", "failed"], "it lasts: a reminder after a day"


def test_a_backup_that_started_ends_the_problem_that_none_could_start(messaging: Configuration) -> None:
    schedule = a_schedule("backup")
    a_slot(schedule, State.FAILED, reason="store_missing")
    look(messaging)

    a_slot(schedule, State.STARTED, hours=24, run="20261129_120000")
    look(messaging, hours=24)

    assert [kind for kind, _ in sent(messaging)] == ["failed", "recovered"]


def test_a_paused_schedule_solves_nothing_and_is_silent(messaging: Configuration) -> None:
    schedule = a_schedule("sync")
    a_slot(schedule, State.FAILED, reason="store_missing")
    look(messaging)

    Schedule.objects.update(enabled=False)
    for hour in (1, 30):
        look(messaging, hours=hour)

    assert [kind for kind, _ in sent(messaging)] == ["failed"]


def test_what_a_verification_found_is_not_reported_by_its_slot_again(messaging: Configuration) -> None:
    schedule = a_schedule("verify")
    a_slot(schedule, State.FAILED, reason="verification_failed", run="20261128_000001")
    look(messaging)

    assert sent(messaging) == []


def test_a_deletion_that_was_left_out_is_reported_once_and_an_ordinary_backup_is_not(messaging: Configuration) -> None:
    a_slot(a_schedule("backup_and_delete"), State.MISSED, reason="missed")
    look(messaging)
    look(messaging, hours=1)
    Schedule.objects.all().delete()
    a_slot(a_schedule("backup"), State.MISSED, reason="missed")
    look(messaging, hours=2)

    assert [kind for kind, _ in sent(messaging)] == ["overdue"]


def test_a_slot_that_was_planned_before_its_schedule_began_to_delete_is_no_deletion_left_out(
    messaging: Configuration,
) -> None:
    a_slot(a_schedule("backup_and_delete"), State.SKIPPED, reason="schedule_changed")

    look(messaging)

    assert sent(messaging) == []


def test_a_slot_that_was_claimed_in_the_future_is_reported(messaging: Configuration) -> None:
    a_slot(a_schedule("backup"), State.DROPPED, reason="slot_in_future")

    look(messaging)

    assert [kind for kind, _ in sent(messaging)] == ["overdue"]
