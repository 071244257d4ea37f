"""Schedules in plain words, in the language of the page: when, what, and what became of a slot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backups_app.models import Schedule, ScheduleSlot
from backups_app.pages.shared.wording import duration
from backups_app.schedule import forms, slots
from backups_app.schedule.due import Reason
from backups_app.schedule.forms import LAST, Every
from backups_app.use_cases.schedules.claims import CHANGED, PAUSED, State
from backups_app.use_cases.schedules.overview import ScheduleWish, house_zone

SUNDAY = date(2026, 11, 29)
Do = Schedule.Do

DOES: dict[str, Promise] = {
    Do.BACKUP: gettext_lazy("Backup"),
    Do.BACKUP_AND_DELETE: gettext_lazy("Backup, then delete bookings"),
    Do.INCREMENTAL: gettext_lazy("Incremental backup"),
    Do.SYNC: gettext_lazy("Sync with Atlas"),
    Do.REHEARSE: gettext_lazy("Restore test"),
    Do.VERIFY: gettext_lazy("Verification"),
}
WHAT: dict[str, Promise] = {
    Do.BACKUP: gettext_lazy("a backup, without deleting bookings"),
    Do.BACKUP_AND_DELETE: gettext_lazy("a backup, then bookings are deleted"),
    Do.INCREMENTAL: gettext_lazy("a backup of what changed since the last full one, without deleting anything"),
    Do.SYNC: gettext_lazy("a sync with Atlas"),
    Do.REHEARSE: gettext_lazy("a restore test"),
    Do.VERIFY: gettext_lazy("the newest backup is read again, and each that holds deleted bookings"),
}
REASONS: dict[str, Promise] = {
    Reason.BUSY: gettext_lazy("another run was active until the next one was due"),
    Reason.CLOCKS: gettext_lazy("the clocks of this computer, MongoDB and Atlas differ, or could not be compared"),
    Reason.MISSED: gettext_lazy("no worker was running"),
    PAUSED: gettext_lazy("the schedule was paused"),
    CHANGED: gettext_lazy("the schedule was changed before it began"),
}


@dataclass(frozen=True, kw_only=True)
class ScheduleSentence:
    """`Every day at 02:00 IST`, `a backup, without deleting bookings`."""

    when: str
    what: str
    deletes: bool


def sentence(wish: ScheduleWish, *, now: datetime) -> ScheduleSentence:
    """Return what a schedule does and when. Its cron expression and time zone have been checked."""
    return ScheduleSentence(when=when(wish, now=now), what=str(WHAT[wish.do]), deletes=wish.deletes)


def when(wish: ScheduleWish, *, now: datetime) -> str:
    """Return `Every Sunday at 02:00 IST`."""
    form = forms.form_of(wish.cron)
    zone = wish.time_zone or house_zone()
    following = slots.upcoming(wish.cron, time_zone=zone, after=now, count=1)[0]
    at = {"time": form.time, "zone": following.astimezone(slots.zone(zone)).tzname() or zone}
    texts: dict[Every, Callable[[], str]] = {
        Every.DAY: lambda: _("Every day at %(time)s %(zone)s"),
        Every.WEEK: lambda: _("Every %(weekday)s at %(time)s %(zone)s"),
        Every.MONTH: lambda: _("On day %(day)s of every month at %(time)s %(zone)s"),
        Every.CUSTOM: lambda: _("At the times of “%(cron)s”, %(zone)s"),
    }
    text = texts[form.every]()
    if form.every is Every.MONTH and form.day == LAST:
        text = _("On the last day of every month at %(time)s %(zone)s")
    return text % {**at, "weekday": weekday(form.weekday), "day": form.day, "cron": wish.cron}


def weekday(number: int) -> str:
    """Return the name of a day; 0 is Sunday."""
    return str(date_format(SUNDAY + timedelta(days=number), "l"))


def run_times(times: tuple[datetime, ...], *, zone: str) -> list[str]:
    """Return `Sun 29 Nov` for each of the next runs, in the schedule's own zone; with the time where they differ in it,
    for the sentence says one that is the same for all."""
    local = [at.astimezone(slots.zone(zone)) for at in times]
    pattern = "D j M" if len({f"{at:%H:%M}" for at in local}) == 1 else "D j M H:i"
    return [date_format(at, pattern) for at in local]


def outcome(slot: ScheduleSlot) -> str:
    """Return what became of a slot: `Ran`, `Missed, ran 3 h 12 min late`, `Skipped: another run was active …`."""
    if slot.state in (State.STARTED, State.DONE):
        late = {"late": duration(slot.decided_at - slot.slot)}
        return _("Missed; ran %(late)s late") % late if slot.late else _("Ran")
    if slot.state == State.FAILED:
        return _("Failed (%(code)s)") % {"code": slot.reason}
    if slot.state == State.COVERED:
        return _("Covered by “%(name)s”, which was due at the same time") % {"name": slot.by}
    if slot.state in (State.MISSED, State.SKIPPED):
        words = _("Missed: %(why)s") if slot.state == State.MISSED else _("Skipped: %(why)s")
        return words % {"why": REASONS.get(slot.reason, slot.reason)}
    return _("Running") if slot.state == State.RUNNING else _("Waits for another run to end")


def tone(slot: ScheduleSlot) -> str:
    """Return the tone of a slot's badge."""
    if slot.state == State.FAILED:
        return "bad"
    if slot.late or slot.state in (State.MISSED, State.SKIPPED):
        return "warn"
    return "ok" if slot.state in (State.STARTED, State.DONE) else ""
