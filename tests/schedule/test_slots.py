"""Slots in UTC: each wall-clock time once, over every night of daylight saving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from marshmallow import ValidationError

from backups_app.errors import CronFieldsInvalid, CronInvalid, CronNeverDue, InvalidInput, TimeZoneUnknown
from backups_app.schedule import slots
from templeops import wrong_settings

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def test_the_slots_of_a_time_are_counted_to_a_limit() -> None:
    def within(expression: str, most: int) -> tuple[datetime, ...]:
        day = NOW.replace(hour=0)
        return slots.within(expression, time_zone="UTC", begin=day, end=day + timedelta(days=1), most=most)

    assert len(within("*/2 * * * *", 1_000)) == 720
    assert len(within("*/2 * * * *", 101)) == 101
    assert within("0 0 * * *", 5) == (NOW.replace(hour=0),)
    assert within("0 0 1 1 *", 5) == ()


@pytest.mark.parametrize(
    "name", ["posixrules", "localtime", "Factory", "posix/Asia/Kolkata", "right/UTC", "asia/kolkata"]
)
def test_only_names_of_iana_are_time_zones(name: str) -> None:
    with pytest.raises(TimeZoneUnknown):
        slots.check("0 2 * * *", time_zone=name, now=NOW)
    with pytest.raises(ValidationError):
        wrong_settings.is_a_time_zone(name)


def test_the_next_five_sundays_in_kolkata() -> None:
    following = slots.upcoming("0 2 * * 0", time_zone="Asia/Kolkata", after=NOW, count=5)

    assert following[0] == datetime(2026, 11, 28, 20, 30, tzinfo=UTC)
    assert [after - before for before, after in pairwise(following)] == [timedelta(days=7)] * 4


@pytest.mark.parametrize(
    ("zone", "night", "runs_at"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 13, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ],
)
def test_a_time_that_the_night_skips_runs_once_right_after_the_gap(
    zone: str, night: datetime, runs_at: datetime
) -> None:
    expression = "15 2 * * *"

    that_day = slots.between(expression, time_zone=zone, after=night, until=night + timedelta(hours=20))

    assert that_day == [runs_at]


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Europe/Berlin", datetime(2026, 10, 24, 20, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 2, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 10, tzinfo=UTC)),
    ],
)
def test_a_time_that_the_night_repeats_runs_once(zone: str, night: datetime) -> None:
    expression = "45 1 * * *" if zone != "Europe/Berlin" else "30 2 * * *"

    that_night = slots.between(expression, time_zone=zone, after=night, until=night + timedelta(hours=12))

    assert len(that_night) == 1


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize("expression", ["*/15 * * * *", "30 2 * * *", "0 2 * * 0", "0 0 L * *"])
def test_looking_back_and_looking_ahead_see_the_same_slots(zone: str, expression: str) -> None:
    start, end = datetime(2026, 2, 27, 12, tzinfo=UTC), datetime(2026, 4, 7, 12, tzinfo=UTC)

    back = slots.between(expression, time_zone=zone, after=end - timedelta(days=9), until=end)
    ahead = slots.upcoming(expression, time_zone=zone, after=start, count=4_000)

    assert back == [slot for slot in ahead if end - timedelta(days=9) < slot <= end]


def test_a_slot_belongs_to_the_moment_it_is_at_and_not_to_the_one_after() -> None:
    at = datetime(2026, 11, 28, 12, 15, tzinfo=UTC)
    quarter = timedelta(minutes=15)

    assert slots.between("*/15 * * * *", time_zone="UTC", after=at - quarter, until=at) == [at]
    assert slots.between("*/15 * * * *", time_zone="UTC", after=at, until=at + timedelta(seconds=59)) == []
    assert slots.between("*/15 * * * *", time_zone="UTC", after=at - quarter, until=at.replace(microsecond=1)) == [at]


def test_of_a_year_of_missed_quarter_hours_a_thousand_are_counted() -> None:
    missed = slots.between("*/15 * * * *", time_zone="UTC", after=NOW - timedelta(days=365), until=NOW)

    assert len(missed) >= slots.MOST_MISSED
    assert missed[-1] == NOW


@pytest.mark.parametrize(
    "expression",
    ["", "nonsense", "* * * *", "0 0 * * * *", "61 * * * *", "0 0 30 2 *", "0 2 * * 8", "@daily", "0 2 * * 0 # x",
     "*/0 * * * *", "1" * 200],
)  # fmt: skip
def test_an_expression_without_slots_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInput):
        slots.check(expression, time_zone="UTC", now=NOW)


@pytest.mark.parametrize(
    ("expression", "refusal"),
    [
        ("0 0 31 2 *", CronNeverDue), ("0 0 30 2 *", CronNeverDue), ("0 0 31 4,6 *", CronNeverDue),
        ("0 0 1 13 *", CronInvalid), ("61 0 31 2 *", CronInvalid), ("0 0 32 2 *", CronInvalid),
    ],
)  # fmt: skip
def test_a_day_that_never_comes_is_distinguished_from_what_is_no_expression(
    expression: str, refusal: type[InvalidInput]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        slots.check(expression, time_zone="Asia/Kolkata", now=datetime(2026, 1, 1, tzinfo=UTC))

    assert type(refused.value) is refusal
    assert (refused.value.code == "cron_never_due") is (refusal is CronNeverDue)


@pytest.mark.parametrize("name", ["", "IST ", "Asia/Nowhere", "../../etc/passwd", "Asia", "a\0b"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        slots.zone(name)


@pytest.mark.parametrize("cron", ["*/99999999999 * * * *", "0 */24 * * *", "0 0\n* * *"])
def test_a_step_beyond_the_field_and_a_line_break_are_refused(cron: str) -> None:
    with pytest.raises((CronInvalid, CronFieldsInvalid)):
        slots.check(cron, time_zone="Asia/Kolkata", now=datetime(2025, 1, 19, tzinfo=UTC))
