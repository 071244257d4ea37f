"""A slot that no backup followed stays overdue when the next slots come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backups_app.assurance.evidence import Evidence
from backups_app.assurance.marks import is_overdue
from backups_app.models import Schedule
from backups_app.use_cases.schedules import overview

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def a_schedule(cron: str, *, since: datetime = NIGHT - 365 * DAY) -> Schedule:
    return Schedule.objects.create(
        name="nightly", do=Schedule.Do.BACKUP, cron=cron, time_zone="UTC", if_missed="skip", since=since,
        settled_at=since, created_at=since, created_by="ananya",
    )  # fmt: skip


def overdue(*, now: datetime, newest_at: datetime | None) -> bool:
    slots = overview.assurance_slots(now=now, newest_at=newest_at)
    return is_overdue(Evidence(now=now, newest_at=newest_at, schedules=slots))


@pytest.mark.parametrize(
    ("cron", "newest_at", "overdue_at"),
    [
        ("0 2 * * *", NIGHT - 3 * DAY, NIGHT - 2 * DAY + 6 * HOUR),
        ("*/5 * * * *", NIGHT, NIGHT + 15 * MINUTE),
        ("*/15 * * * *", NIGHT, NIGHT + 25 * MINUTE),
        ("0 2 * * 0", NIGHT - 30 * DAY, NIGHT - 25 * DAY),
        ("0 2 1 * *", NIGHT - 60 * DAY, NIGHT - 20 * DAY),
    ],
)
def test_it_stays_overdue_at_every_moment_until_a_backup_is_made(
    cron: str, newest_at: datetime, overdue_at: datetime
) -> None:
    a_schedule(cron)

    later = [overdue_at + step * 7 * MINUTE + MINUTE for step in range(1_000)]
    assert not overdue(now=newest_at + MINUTE, newest_at=newest_at)
    assert all(overdue(now=now, newest_at=newest_at) for now in later)
    assert not overdue(now=later[-1], newest_at=later[-1] - MINUTE)


def test_a_slot_that_a_backup_followed_is_served_until_the_next_one() -> None:
    a_schedule("0 2 1 * *")
    first = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)

    assert not overdue(now=first + 29 * DAY, newest_at=first)
    assert overdue(now=first + 29 * DAY, newest_at=first - MINUTE)


def test_slots_from_before_a_schedule_was_added_or_switched_on_do_not_count() -> None:
    a_schedule("0 2 * * *", since=NIGHT + HOUR)

    assert not overdue(now=NIGHT + 20 * HOUR, newest_at=NIGHT - 3 * DAY)
    assert not overdue(now=NIGHT + DAY + HOUR, newest_at=NIGHT - 3 * DAY)
    assert overdue(now=NIGHT + DAY + 7 * HOUR, newest_at=NIGHT - 3 * DAY)
    assert overdue(now=NIGHT + DAY + 7 * HOUR, newest_at=None)
