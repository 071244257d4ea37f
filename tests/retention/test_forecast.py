"""What is kept 30 days from now: by each schedule and policy, with what no rule removes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backups_app.retention.facts import Backup
from backups_app.retention.forecast import Coming, Forecast, forecast
from backups_app.retention.policy import Policy

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def backup(days: float, **fields: object) -> Backup:
    at = NOW - days * DAY
    return Backup(backup_id=f"{at:%Y%m%d_%H%M%S}", taken_at=at, arrived_at=at, documents={"bookings": 100}, **fields)  # type: ignore[arg-type]


def slots(every: timedelta, *, incremental: bool = False) -> list[Coming]:
    count = int(40 * DAY / every)
    return [Coming(NOW + number * every, incremental) for number in range(1, count + 1)]


WEEKS = [backup(7 * week) for week in range(11)]


def later(
    policy: Policy | None, coming: list[Coming], backups: list[Backup] = WEEKS, *, max_chain: int = 96
) -> Forecast:
    return forecast(backups=backups, slots=coming, policy=policy, min_keep=3, max_chain=max_chain, now=NOW, zone=UTC)


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


def test_incrementals_of_a_day_and_their_bases_are_counted_and_push_no_full_one_out() -> None:
    quarters = slots(timedelta(minutes=15), incremental=True)

    found = later(Policy(last=4), quarters)
    with_nightly = later(Policy(last=4), sorted([*quarters, *slots(DAY)]))

    of_a_day = 24 * 4
    assert of_a_day - 1 <= found.backups - 4 <= of_a_day + 3  # the floor keeps three bases, the rule four of the weeks
    assert of_a_day - 1 <= with_nightly.backups - 4 <= of_a_day + 3


@pytest.mark.parametrize(("max_chain", "of_before"), [(1, 1), (10, 1), (96, 2)])
def test_after_so_many_incrementals_comes_a_full_one(max_chain: int, of_before: int) -> None:
    """The floor keeps the three newest full ones. With short chains they are of the last day, and of what is older the
    one stays that the oldest incremental of the day needs. With one full backup a day, two of them are older."""
    found = later(Policy(last=4), slots(timedelta(minutes=15), incremental=True), max_chain=max_chain)

    assert found.backups == 4 + 24 * 4 + of_before


def test_without_a_policy_every_incremental_stays() -> None:
    assert later(None, slots(timedelta(hours=1), incremental=True)).backups == 11 + 30 * 24
