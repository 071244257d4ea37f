"""The forms that a person chooses: every day, every week, every month, or a cron expression of their own. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from backups_app.errors import ScheduleTimeInvalid

TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\Z")
SIMPLE = re.compile(r"([0-9]{1,2}) ([0-9]{1,2}) (\*|[0-9]{1,2}|L) \* (\*|[0-7])\Z")
LAST = "L"


class Every(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    CUSTOM = "custom"


@dataclass(frozen=True, kw_only=True)
class Form:
    """When a schedule is due, as a person chooses it. `time` is `02:00`; `weekday` 0 is Sunday; `day` is 1 to 31 or
    `L`, the last of the month; `cron` counts for a custom form only."""

    every: Every = Every.DAY
    time: str = "02:00"
    weekday: int = 0
    day: str = "1"
    cron: str = "0 2 * * *"


def cron_of(form: Form) -> str:
    """Return the cron expression of a form. Raise `ScheduleTimeInvalid`; a custom one is checked by `slots.check`."""
    if form.every is Every.CUSTOM:
        return " ".join(form.cron.split())
    found = TIME.match(form.time)
    is_day = form.day == LAST or (form.day.isascii() and form.day.isdecimal() and 1 <= int(form.day) <= 31)
    if found is None or not 0 <= form.weekday <= 6 or not is_day:
        raise ScheduleTimeInvalid()
    at = f"{int(found[2])} {int(found[1])}"
    if form.every is Every.WEEK:
        return f"{at} * * {form.weekday}"
    return f"{at} {form.day if form.day == LAST else int(form.day)} * *" if form.every is Every.MONTH else f"{at} * * *"


def form_of(cron: str) -> Form:
    """Return the form of a cron expression; one that no simple form makes is a custom one."""
    found = SIMPLE.match(cron)
    if found is None or int(found[1]) > 59 or int(found[2]) > 23 or (found[3] != "*" and found[4] != "*"):
        return Form(every=Every.CUSTOM, cron=cron)
    time = f"{int(found[2]):02}:{int(found[1]):02}"
    if found[4] != "*":
        return Form(every=Every.WEEK, time=time, weekday=int(found[4]) % 7, cron=cron)
    if found[3] != "*":
        return Form(every=Every.MONTH, time=time, day=found[3], cron=cron)
    return Form(every=Every.DAY, time=time, cron=cron)
