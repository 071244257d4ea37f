"""The rows of schedules and their slots: who decides a slot, and what became of it.

A decision is one compare-and-set on the newest decided slot, in one transaction with the row of the slot. The row is
unique for its schedule and slot, so of all workers that decide at once one acts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet

from backups_app.models import Schedule, ScheduleSlot, WorkerTick
from backups_app.records import CLOCK_TOLERANCE
from backups_app.schedule import due
from backups_app.schedule.due import Act, DueWork, Reason, SlotDecision, WhenMissed

State = ScheduleSlot.State
OPEN = (State.CLAIMED, State.RUNNING)
KEPT = timedelta(days=400)
"""How long the rows of decided slots stay."""
PAUSED = "paused"
CHANGED = "schedule_changed"
"""The reason of a claimed slot whose schedule was given other work or other times, or was paused and resumed."""


def enabled() -> list[Schedule]:
    """Return the schedules that are switched on, by name."""
    return list(Schedule.objects.filter(enabled=True))


def plan_of(row: Schedule) -> due.DueSchedule:
    """Return a row as the decision needs it."""
    return due.DueSchedule(
        work=DueWork(row.do),
        cron=row.cron,
        time_zone=row.time_zone,
        if_missed=WhenMissed(row.if_missed),
        settled_at=row.settled_at,
        waiting=row.waiting,
    )


def wait(row: Schedule, *, slot: datetime) -> None:
    """Note that a slot waits for another run to end."""
    _unchanged(row).update(waiting=slot)


def record(
    row: Schedule, decision: SlotDecision, *, now: datetime, worker: Mapping[str, Any], state: State, by: str = ""
) -> ScheduleSlot | None:
    """Record a decision to run, to skip or to be covered. Return the slot's row, or None when another worker was
    quicker, or when the slot had a row already."""
    assert decision.slot is not None
    reason = decision.reason.value if decision.act is Act.SKIP and decision.reason else ""
    late = decision.act is Act.RUN and now - decision.slot >= due.ON_TIME
    row_of_slot = ScheduleSlot(
        schedule=row, slot=decision.slot, state=state, reason=reason, late=late, by=by, worker=dict(worker),
        decided_at=now, changed_at=now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            if not _unchanged(row).update(settled_at=decision.slot, waiting=None):
                return None
            ScheduleSlot.objects.bulk_create(
                [_missed(row, slot, now) for slot in decision.older], ignore_conflicts=True
            )
            row_of_slot.save()
    except IntegrityError:  # decided before the clock was set back a little: only the schedule goes on
        _unchanged(row).update(settled_at=decision.slot, waiting=None)
        return None
    return row_of_slot


def drop_future(row: Schedule, *, now: datetime) -> list[datetime]:
    """Drop the slots that were claimed while the clock was ahead: each may be claimed once more, in its time. Return
    them. The schedule goes back to the newest slot that is not in the future, so that none in between is lost."""
    known_missed = Q(state=State.MISSED, decided_at__gt=now)
    decided = row.slots.exclude(state=State.DROPPED)
    ahead = decided.filter(Q(slot__gt=now) | known_missed)
    with transaction.atomic():
        newest = decided.filter(slot__lte=now).exclude(known_missed).aggregate(newest=Max("slot"))["newest"]
        since = min(row.since, now)
        back_to = since if newest is None else max(newest, since)
        if not _unchanged(row).update(settled_at=back_to, since=since, waiting=None):
            return []
        dropped = list(ahead.values_list("slot", flat=True))
        ahead.update(state=State.DROPPED, reason=Reason.AHEAD.value, changed_at=now)
    return dropped


def change(slot: ScheduleSlot, *, now: datetime, state: State, **fields: Any) -> bool:
    """Change a slot's state while nobody else has. Return whether it was ours to change."""
    wanted = ScheduleSlot.objects.filter(pk=slot.pk, state=slot.state, changed_at=slot.changed_at)
    if not wanted.update(state=state, changed_at=now, **fields):
        return False
    for name, value in {"state": state, "changed_at": now, **fields}.items():
        setattr(slot, name, value)
    return True


def open_slots() -> Iterator[ScheduleSlot]:
    """Yield the slots whose work is claimed or goes on, oldest first. Each is read when its turn comes: to start the
    one before took its time, and somebody may have paused or changed the schedule meanwhile."""
    opened = ScheduleSlot.objects.filter(state__in=OPEN).order_by("slot")
    for key in list(opened.values_list("pk", flat=True)):
        slot = read(key)
        if slot is not None and slot.state in OPEN:
            yield slot


def read(key: int) -> ScheduleSlot | None:
    """Return a slot with its schedule as they are now, or None where the schedule was removed."""
    return ScheduleSlot.objects.select_related("schedule").filter(pk=key).first()


def outdated(slot: ScheduleSlot) -> str:
    """Return why a slot that has not begun must not begin any more: what its schedule does now, nobody planned for that
    moment. Empty where it may. What a person asked for by hand stays."""
    if slot.reason == ASKED:
        return ""
    if not slot.schedule.enabled:
        return PAUSED
    return CHANGED if slot.slot <= slot.schedule.since else ""


def ask_now(row: Schedule, *, by: str, now: datetime, worker: Mapping[str, Any]) -> ScheduleSlot:
    """Return a new claimed row for a run that a person asks for now. It decides no slot."""
    return ScheduleSlot.objects.create(
        schedule=row, slot=now, state=State.CLAIMED, reason=ASKED, by=by[:64], worker=dict(worker), decided_at=now,
        changed_at=now,
    )  # fmt: skip


ASKED = "asked"
"""The reason of a row that a person asked for."""


def tick(*, host: str, now: datetime, alike: Mapping[str, str] | None = None) -> None:
    """Note that the worker of a host looks at its schedules, with its settings that all hosts have alike, and forget
    slots that were decided long ago."""
    WorkerTick.objects.update_or_create(host=host, defaults={"at": now, "alike": alike})
    ScheduleSlot.objects.filter(decided_at__lt=now - KEPT).delete()


def ticks() -> dict[str, datetime]:
    """Return when the workers of each host last looked at the schedules."""
    return dict(WorkerTick.objects.values_list("host", "at"))


def last_tick(*, now: datetime) -> datetime | None:
    """Return when a worker last looked at the schedules. A look dated in the future, by a clock that was ahead, counts
    for nothing: it would be the last one long after that worker ended."""
    newest = WorkerTick.objects.filter(at__lte=now + CLOCK_TOLERANCE).order_by("-at").first()
    return None if newest is None else newest.at


def _missed(row: Schedule, slot: datetime, now: datetime) -> ScheduleSlot:
    return ScheduleSlot(
        schedule=row, slot=slot, state=State.MISSED, reason=Reason.MISSED.value, decided_at=now, changed_at=now
    )


def _unchanged(row: Schedule) -> QuerySet[Schedule]:
    """The row while it is what the decision was made from."""
    return Schedule.objects.filter(
        pk=row.pk, enabled=True, do=row.do, cron=row.cron, time_zone=row.time_zone, if_missed=row.if_missed,
        target=row.target, settled_at=row.settled_at, waiting=row.waiting,
    )  # fmt: skip
