"""Reports what schedules did not do: a run that could not start, a check that failed, a planned deletion left out.

How a run that did start has ended is reported by the run itself, and what a verification found by `notices.py`. A
backup that was not made in time is *overdue*.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from backups_app import errors
from backups_app.messages.message import Sentence
from backups_app.messages.protection import notifications as wording
from backups_app.models import Schedule, ScheduleSlot
from backups_app.notification import reports
from backups_app.notification.channels import Channel
from backups_app.notification.content import Content
from backups_app.notification.states import Kind, Problem
from backups_app.use_cases.schedules import claims

State = ScheduleSlot.State
WITHIN = timedelta(days=1)
PATH = "/admin/backups/schedule/"
TITLES: dict[str, Sentence] = {
    Schedule.Do.SYNC: wording.SYNC_FAILED,
    Schedule.Do.REHEARSE: wording.REHEARSAL_FAILED,
    Schedule.Do.VERIFY: wording.NOT_VERIFIED,
}
NOT_MADE = (State.MISSED, State.SKIPPED)


def report_schedules(*, channels: Sequence[Channel], sender_domain: str, now: datetime) -> None:
    """Compare the newest decided slot of each schedule with what was reported, and announce planned deletions that
    were left out, and slots that were dropped because the clock had been ahead: each once."""
    for schedule in Schedule.objects.all():
        scope = f"schedule:{schedule.pk}"
        if not schedule.enabled:  # nothing is solved by it
            reports.forget(scope)
            continue
        newest = _newest_decided(schedule)
        present = {_problem(schedule, newest): _failed(schedule, newest)} if newest and _is_problem(newest) else {}
        reports.report(scope=scope, present=present, channels=channels, sender_domain=sender_domain, now=now)
    recent = ScheduleSlot.objects.filter(changed_at__gte=now - WITHIN).select_related("schedule")
    for slot in recent.filter(state__in=(*NOT_MADE, State.DROPPED)).exclude(reason=claims.CHANGED):
        deletes = slot.schedule.do == Schedule.Do.BACKUP_AND_DELETE
        if slot.state == State.DROPPED or deletes:
            reports.announce(
                event=f"slot:{slot.pk}:{slot.state}", kind=Kind.OVERDUE, content=_not_made(slot),
                channels=channels, sender_domain=sender_domain, now=now,
            )  # fmt: skip


def _newest_decided(schedule: Schedule) -> ScheduleSlot | None:
    """Return the newest slot of which the end is known. What was started has ended for its slot where it is a run of
    its own; a sync or a verification that was started is only queued."""
    ended = schedule.slots.filter(state__in=(State.FAILED, State.DONE, State.STARTED))
    return ended.exclude(state=State.STARTED, run="").first()


def _is_problem(slot: ScheduleSlot) -> bool:
    """Whether something could not be done. A verification that names a backup was done: what it found is reported of
    that backup, or of its copy, until it is good again."""
    found_something = slot.schedule.do == Schedule.Do.VERIFY and slot.run
    return slot.state == State.FAILED and not found_something


def _problem(schedule: Schedule, slot: ScheduleSlot) -> Problem:
    kind = Kind.REHEARSAL_FAILED if schedule.do == Schedule.Do.REHEARSE else Kind.FAILED
    return Problem(kind=kind, cause=slot.reason or State.FAILED.value)


def _failed(schedule: Schedule, slot: ScheduleSlot) -> Content:
    error = errors.by_code().get(slot.reason)
    lines = (error.declared(),) if error is not None and not error.declared.places else ()
    return Content(
        title=TITLES.get(schedule.do, wording.BACKUP_FAILED)(), lines=lines, path=PATH,
        facts=((wording.SCHEDULE(), schedule.name), (wording.PLANNED_FOR(), slot.slot), (wording.CODE(), slot.reason)),
    )  # fmt: skip


def _not_made(slot: ScheduleSlot) -> Content:
    return Content(
        title=wording.SLOT_MISSED(schedule=slot.schedule.name), lines=(wording.SLOT_MISSED_LINE(),), path=PATH,
        facts=((wording.SCHEDULE(), slot.schedule.name), (wording.PLANNED_FOR(), slot.slot), (wording.CODE(),
        slot.reason)),
    )  # fmt: skip
