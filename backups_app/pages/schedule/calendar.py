"""One month as a calendar: what was made, what was missed, what is planned. Pure, but for the words."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backups_app.models import ScheduleSlot
from backups_app.pages.backups.rows import BackupRow
from backups_app.pages.schedule import wording
from backups_app.pages.shared.message_text import text_of
from backups_app.records import Status
from backups_app.use_cases.schedules.claims import State
from backups_app.use_cases.schedules.overview import PlannedDay

MOST_MARKS = 3
MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, kw_only=True)
class DayMark:
    """Something of a day. `count` of the same kind are one mark, `at_least` so many; `more` says what it is about, and
    `time` when something planned comes."""

    label: str
    tone: str
    href: str = ""
    more: str = ""
    count: int = 1
    at_least: bool = False
    time: str = ""


@dataclass(frozen=True, kw_only=True)
class Day:
    date: date
    in_month: bool
    today: bool
    marks: Sequence[DayMark]


@dataclass(frozen=True, kw_only=True)
class Month:
    """`weeks` begin on Monday. `previous` and `following` are `2026-10`; `title` is `November 2026`."""

    title: str
    weekdays: Sequence[str]
    weeks: Sequence[Sequence[Day]]
    previous: str
    following: str


def first_day(asked: str, *, today: date) -> date:
    """Return the first day of the month that an address asks for (`2026-11`), of the present one otherwise."""
    found = MONTH.fullmatch(asked)
    if found is not None:
        return date(int(found[1]), int(found[2]), 1)
    return today.replace(day=1)


def bounds(first: date, *, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return when a month begins and ends in a zone."""
    following = (first + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, datetime.min.time(), zone), datetime.combine(following, datetime.min.time(), zone)


def month_of(first: date, *, marks: Mapping[date, Sequence[DayMark]], today: date) -> Month:
    """Return the calendar of a month."""
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)

    def day_of(day: date) -> Day:
        shown = _together(marks.get(day, ()))
        return Day(date=day, in_month=day.month == first.month, today=day == today, marks=shown)

    return Month(
        title=date_format(first, "F Y"),
        weekdays=[date_format(day, "D") for day in weeks[0]],
        weeks=[[day_of(day) for day in week] for week in weeks],
        previous=f"{first - timedelta(days=1):%Y-%m}",
        following=f"{first + timedelta(days=32):%Y-%m}",
    )


def marks_of(
    rows: Iterable[BackupRow],
    slots: Iterable[ScheduleSlot],
    planned: Iterable[PlannedDay],
    *,
    zone: tzinfo,
) -> dict[date, list[DayMark]]:
    """Return the marks of each day: runs, what became of slots without a run, what is planned."""
    found: dict[date, list[DayMark]] = {}
    rows = list(rows)
    newest = next((row.id for row in rows if row.good), "")
    for row in reversed(rows):
        at = row.run.created_at
        found.setdefault(at.astimezone(zone).date(), []).append(_mark_of_run(row, newest=newest, at=at, zone=zone))
    for slot in slots:
        if (mark := _mark_of_slot(slot)) is not None:
            found.setdefault(slot.slot.astimezone(zone).date(), []).append(mark)
    for day in planned:
        found.setdefault(day.day, []).extend(_planned_marks(day, zone))
    return {day: sorted(marks, key=_when_planned) for day, marks in found.items()}


def _planned_marks(day: PlannedDay, zone: tzinfo) -> list[DayMark]:
    times = [f"{slot.astimezone(zone):%H:%M}" for slot in day.slots]
    return [
        DayMark(
            label=_("%(time)s planned") % {"time": time}, tone="info", more=day.row.name, time=time,
            at_least=day.has_more,
        )
        for time in times
    ]  # fmt: skip


def _when_planned(mark: DayMark) -> str:
    """What is planned follows what was made, in its own order."""
    return mark.time


def _mark_of_run(row: BackupRow, *, newest: str, at: datetime, zone: tzinfo) -> DayMark:
    href = reverse("pages:run", args=[row.id])
    label, tone = _word_of_run(row, newest=newest)
    return DayMark(label=label, tone=tone, href=href, more=f"{at.astimezone(zone):%H:%M}")


def _word_of_run(row: BackupRow, *, newest: str) -> tuple[str, str]:
    status = row.run.status
    if status == Status.IN_PROGRESS:
        return _("running"), "info"
    if status == Status.FAILED:
        return _("failed"), "bad"
    if status == Status.CANCELLED:
        return _("cancelled"), ""
    if row.was_removed:
        return _("removed"), ""
    if row.lost:
        return _("not here"), "warn"
    if status == Status.PARTIAL:
        return _("partial"), "warn"
    if row.on_host:
        return text_of(row.on_host), ""
    if not row.good:
        return _("not verified"), "warn"
    return (_("latest"), "ok") if row.id == newest else (_("kept"), "ok")


def _mark_of_slot(slot: ScheduleSlot) -> DayMark | None:
    """What has a run shows as its run; beside it only that it was late."""
    words = {State.MISSED: _("missed"), State.SKIPPED: _("skipped"), State.FAILED: _("failed")}
    label = _("late") if slot.late else words.get(State(slot.state))
    if label is None:
        return None
    return DayMark(label=label, tone=wording.tone(slot), more=f"{slot.schedule.name}: {wording.outcome(slot)}")


def _together(marks: Sequence[DayMark]) -> list[DayMark]:
    """Put marks of one word together where a day has more than three."""
    if len(marks) <= MOST_MARKS:
        return list(marks)
    shown: dict[tuple[str, str], DayMark] = {}
    for mark in marks:
        planned = mark.tone == "info" and not mark.href
        key = (_("planned") if planned else mark.label, mark.tone)
        before = shown.get(key)
        shown[key] = replace(
            mark, label=key[0], count=before.count + 1 if before else 1,
            at_least=mark.at_least or bool(before and before.at_least),
        )  # fmt: skip
    return list(shown.values())
