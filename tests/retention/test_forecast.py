"""What is kept 30 days from now: by each schedule and policy, with what no rule removes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backups_app.retention.facts import Backup
from backups_app.retention.forecast import Forecast, forecast
from backups_app.retention.policy import Policy

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def backup(days: float, **fields: object) -> Backup:
    at = NOW - days * DAY
    return Backup(backup_id=f"{at:%Y%m%d_%H%M%S}", taken_at=at, arrived_at=at, documents={"bookings": 100}, **fields)  # type: ignore[arg-type]


def slots(every: timedelta) -> list[datetime]:
    count = int(40 * DAY / every)
    return [NOW + number * every for number in range(1, count + 1)]


WEEKS = [backup(7 * week) for week in range(11)]


def later(policy: Policy | None, coming: list[datetime], backups: list[Backup] = WEEKS) -> Forecast:
    return forecast(backups=backups, slots=coming, policy=policy, min_keep=3, now=NOW, zone=UTC)


def test_without_a_policy_every_backup_stays() -> None:
    found = later(None, slots(DAY))

    assert (found.at, found.backups, found.reach.days) == (NOW + 30 * DAY, 11 + 30, 100)


def test_the_last_ten_of_a_quarter_hour_are_two_hours() -> None:
    found = later(Policy(last=10), slots(timedelta(minutes=15)))

    assert (found.backups, found.reach) == (10, timedelta(minutes=9 * 15))


def test_monthly_rules_keep_what_the_last_ten_do_not() -> None:
    found = later(Policy(last=10, monthly=3), slots(timedelta(minutes=15)))

    assert found.reach > 50 * DAY


def test_without_a_schedule_nothing_is_added() -> None:
    assert later(Policy(last=5), []).backups == 5


def test_pinned_and_held_ones_stay_and_no_forecast_looks_like_a_loss() -> None:
    pinned, holder = backup(200, pinned=True), backup(300, holds={"bookings": 7})

    found = later(Policy(last=4), slots(DAY), [*WEEKS, pinned, holder])

    assert found.backups == 4 + 2
    assert found.reach.days == 330
