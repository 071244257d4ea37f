"""What each rule keeps, and which policies are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backups_app.errors import InvalidInput
from backups_app.retention.decision import history
from backups_app.retention.facts import Backup
from backups_app.retention.policy import Policy, kept_by_rules
from tests.retention.histories import KOLKATA, NOW, a_backup, decided, reasons, removed_ids


def kept(*backups: Backup, **rules: int) -> dict[str, list[str]]:
    return kept_by_rules(backups=backups, policy=Policy(**rules), now=NOW, zone=KOLKATA)


def test_last_counts_full_backups_that_were_asked_for() -> None:
    full = [a_backup(days=day) for day in (3, 4, 5)]
    others = [a_backup(days=1, base=full[0].backup_id), a_backup(days=2, chained=True)]

    assert kept(*full, *others, last=2).keys() == {full[0].backup_id, full[1].backup_id}


def test_incrementals_and_the_full_ones_they_begin_from_are_all_kept_for_a_day() -> None:
    base = a_backup(days=0.9, chained=True)
    increments = [a_backup(days=0.9 - n / 96, base=base.backup_id) for n in range(1, 80)]
    old = a_backup(days=1.1, base="x")

    answer = kept(base, *increments, old, yearly=1)

    assert {name for name, rules in answer.items() if "recent" in rules} == {
        one.backup_id for one in (base, *increments)
    }


def test_a_day_is_a_day_of_the_temple() -> None:
    """18:29 and 18:31 UTC are two days in Kolkata."""
    evening = a_backup(at=datetime(2026, 11, 20, 18, 29, tzinfo=UTC))
    night = a_backup(at=datetime(2026, 11, 20, 18, 31, tzinfo=UTC))

    assert kept(evening, night, daily=2).keys() == {evening.backup_id, night.backup_id}


def test_of_each_period_the_newest_is_kept_and_periods_without_a_backup_do_not_count() -> None:
    morning, noon = a_backup(days=10.2), a_backup(days=10)
    older = a_backup(days=200)

    assert kept(morning, noon, older, daily=2).keys() == {noon.backup_id, older.backup_id}


def test_weeks_at_the_turn_of_the_year_are_iso_weeks() -> None:
    days = [a_backup(at=datetime(2026, 1, day, 12, tzinfo=UTC)) for day in (1, 4, 5)]

    assert kept(*days, weekly=2).keys() == {days[1].backup_id, days[2].backup_id}


def test_a_quarter_hour_schedule_beside_weekly_backups_leaves_the_weekly_ones() -> None:
    weekly = [a_backup(days=7 * week + 0.5) for week in range(10)]
    base = a_backup(days=0.4, chained=True)
    quarters = [a_backup(days=0.4 - n / 96, base=base.backup_id) for n in range(1, 38)]

    decision = decided(*weekly, base, *quarters, policy=Policy(last=10), min_keep=3)

    assert removed_ids(decision) == set()
    assert all("last" in reasons(decision, one) for one in weekly)


@pytest.mark.parametrize(
    "rules",
    [{}, {"last": 0}, {"last": -1}, {"daily": True}, {"weekly": 1.5}, {"monthly": "3"}, {"yearly": 10_001}],
    ids=str,
)
def test_a_policy_that_keeps_nothing_or_makes_no_sense_is_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        Policy(**rules)


def test_how_far_back_the_kept_backups_reach() -> None:
    decision = decided(a_backup(days=0), a_backup(days=69), a_backup(days=70), policy=Policy(daily=2), min_keep=1)

    assert history(decision) == timedelta(days=69)
