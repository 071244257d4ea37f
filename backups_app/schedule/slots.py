"""The moments at which a schedule is due: a cron expression in a named time zone, as aware moments in UTC.

A time that a night of daylight saving skips runs once, right after the gap; one that it repeats runs once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import dropwhile, islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from backups_app.errors import CronFieldsInvalid, CronInvalid, CronNeverDue, TimeZoneUnknown

FIELDS = 5
DAY, MONTH = 2, 3
"""Their places among the fields."""
STEPS = (59, 23, 31, 12, 7)
STEP = re.compile(r"/([0-9]+)", re.ASCII)
LONGEST = 100
NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})
"""Files beside the zones: what they mean differs from machine to machine, or nobody knows."""
MOST_MISSED = 1_000
"""So many missed slots are counted; of more it is stated that there are more."""


def zone(name: str) -> tzinfo:
    """Return the time zone of that name (`Asia/Kolkata`). Raise `TimeZoneUnknown`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise TimeZoneUnknown(name=name[:LONGEST]) from error


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all time zones, as IANA gives them (`Asia/Kolkata`, `UTC`)."""
    return frozenset(available_timezones()) - NO_ZONES


def check(expression: str, *, time_zone: str, now: datetime) -> None:
    """Prove that a schedule has slots. Raise `CronFieldsInvalid`, `CronInvalid`, `CronNeverDue`, `TimeZoneUnknown`."""
    if len(expression) > LONGEST or len(expression.split()) != FIELDS or not expression.isprintable():
        raise CronFieldsInvalid()
    for field, most in zip(expression.split(), STEPS, strict=True):
        if any(int(step) > most for step in STEP.findall(field)):  # it would mean once in the field's whole range
            raise CronInvalid(cron=expression)
    if time_zone not in zone_names():
        raise TimeZoneUnknown(name=time_zone[:LONGEST])
    if not upcoming(expression, time_zone=time_zone, after=now, count=1):
        raise CronNeverDue(cron=expression)


def upcoming(expression: str, *, time_zone: str, after: datetime, count: int) -> list[datetime]:
    """Return the next `count` slots after a moment, oldest first. Raise `CronInvalid`, `CronNeverDue`,
    `TimeZoneUnknown`."""
    return list(islice(_slots(expression, time_zone, after, reverse=False), count))


def within(expression: str, *, time_zone: str, begin: datetime, end: datetime, most: int) -> tuple[datetime, ...]:
    """Return the first `most` slots from one moment on, before another one. Raises as `upcoming`."""
    coming = _slots(expression, time_zone, begin - timedelta(seconds=1), reverse=False)
    inside = takewhile(lambda slot: slot < end, dropwhile(lambda slot: slot < begin, coming))
    return tuple(islice(inside, most))


def latest(expression: str, *, time_zone: str, until: datetime) -> datetime | None:
    """Return the newest slot up to and including a moment."""
    return _slot_at(expression, time_zone, until) or next(_slots(expression, time_zone, until, reverse=True), None)


def between(
    expression: str, *, time_zone: str, after: datetime, until: datetime, most: int = MOST_MISSED
) -> list[datetime]:
    """Return the newest slots after one moment, up to and including another, oldest first; about `most` at most."""
    newest: list[datetime] = []
    if expression_slot_at := _slot_at(expression, time_zone, until):
        newest.append(expression_slot_at)
    for slot in islice(_slots(expression, time_zone, until, reverse=True), most):
        if slot <= after:
            break
        newest.append(slot)
    return sorted({slot for slot in newest if slot > after})


def _slot_at(expression: str, time_zone: str, moment: datetime) -> datetime | None:
    """Return the slot at exactly this moment, which neither direction of the iteration includes."""
    just_before = moment.replace(microsecond=0).timestamp() - 1
    following = upcoming(expression, time_zone=time_zone, after=datetime.fromtimestamp(just_before, tz=UTC), count=1)
    return following[0] if following and following[0] <= moment else None


def _slots(expression: str, time_zone: str, start: datetime, *, reverse: bool) -> Iterator[datetime]:
    try:
        for slot in CronSim(expression, start.astimezone(zone(time_zone)), reverse=reverse):
            yield slot.astimezone(UTC)
    except CronSimError as error:
        raise (CronNeverDue if _never_comes(expression) else CronInvalid)(cron=expression) from error


def _never_comes(expression: str) -> bool:
    """Whether a refused expression is right but for its day and its month, which never meet (31 February)."""
    fields = expression.split()
    return len(fields) == FIELDS and all(_is_right([*fields[:at], "*", *fields[at + 1 :]]) for at in (DAY, MONTH))


def _is_right(fields: list[str]) -> bool:
    try:
        CronSim(" ".join(fields), datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True
