"""The form of a schedule: what was filled in, as it stands in the fields, and the schedule that it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from backups_app import configuration
from backups_app.errors import (
    ConfirmationMissing,
    CronFieldsInvalid,
    CronInvalid,
    CronNeverDue,
    KeyMissing,
    KeyNotReadable,
    ScheduleNameInvalid,
    ScheduleNameTaken,
    ScheduleTimeInvalid,
    TargetNotFound,
    TempleOpsError,
    TimeZoneUnknown,
)
from backups_app.models import Schedule
from backups_app.pages.schedule import wording
from backups_app.schedule import forms, slots
from backups_app.schedule.forms import LAST, Every, Form
from backups_app.use_cases.schedules.overview import ScheduleWish, house_zone

FIELDS: dict[type[TempleOpsError], str] = {
    ScheduleNameInvalid: "name",
    ScheduleNameTaken: "name",
    ScheduleTimeInvalid: "time",
    CronFieldsInvalid: "cron",
    CronInvalid: "cron",
    CronNeverDue: "cron",
    TimeZoneUnknown: "time_zone",
    ConfirmationMissing: "confirm",
    KeyMissing: "target",
    KeyNotReadable: "target",
    TargetNotFound: "target",
}
"""At which field a refusal stands."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The fields as they were filled in. Nothing of them has been checked."""

    name: str = ""
    do: str = Schedule.Do.BACKUP.value
    every: str = Every.DAY.value
    time: str = "02:00"
    weekday: str = "0"
    day: str = "1"
    cron: str = "0 2 * * *"
    time_zone: str = ""
    if_missed: str = Schedule.IfMissed.RUN.value
    target: str = ""
    enabled: bool = True

    def wish(self) -> ScheduleWish:
        """Return the schedule that is meant. Raise `ScheduleTimeInvalid`."""
        if self.every not in set(Every):
            raise ScheduleTimeInvalid()
        every = Every(self.every)
        number = int(self.weekday) if self.weekday in set("0123456") else -1
        cron = forms.cron_of(Form(every=every, time=self.time, weekday=number, day=self.day, cron=self.cron))
        deletes = self.do == Schedule.Do.BACKUP_AND_DELETE
        return ScheduleWish(
            name=self.name, do=self.do, cron=cron, time_zone=self.time_zone.strip(),
            if_missed="" if deletes else self.if_missed, enabled=self.enabled, target=self.target,
        )  # fmt: skip


def of_fields(fields: Mapping[str, str], *, enabled: bool = True) -> Filled:
    """Return what the fields of a request hold."""
    known = {"cron": ""} if fields.get("every") == Every.CUSTOM else {}
    known |= {name: fields[name] for name in Filled.__dataclass_fields__ if name in fields and name != "enabled"}
    return Filled(**known, enabled=enabled)


def of_wish(wish: ScheduleWish) -> Filled:
    """Return the fields that mean a schedule."""
    form = forms.form_of(wish.cron)
    return Filled(
        name=wish.name, do=wish.do, every=form.every.value, time=form.time, weekday=str(form.weekday), day=form.day,
        cron=wish.cron, time_zone=wish.time_zone, if_missed=wish.if_missed, enabled=wish.enabled,
        target=wish.target,
    )  # fmt: skip


def choices() -> dict[str, list[tuple[str, str]]]:
    """Return what the lists of the form offer: the value and its words."""
    return {
        "do": [(value, str(words)) for value, words in wording.DOES.items()],
        "every": [
            (Every.DAY.value, _("Every day")),
            (Every.WEEK.value, _("Every week")),
            (Every.MONTH.value, _("Every month")),
            (Every.CUSTOM.value, _("Custom (cron)")),
        ],
        "weekday": [(str(number), wording.weekday(number)) for number in (1, 2, 3, 4, 5, 6, 0)],
        "day": [*((str(number), str(number)) for number in range(1, 32)), (LAST, _("the last day"))],
        "target": [("", _("this disk")), *((one.name, one.name) for one in configuration.current().targets)],
        "if_missed": [
            (Schedule.IfMissed.RUN.value, _("Run once, late")),
            (Schedule.IfMissed.SKIP.value, _("Skip it")),
        ],
    }


def zones() -> list[str]:
    """Return the names of time zones, the house's first."""
    return [house_zone(), *sorted(name for name in slots.zone_names() if "/" in name)]
