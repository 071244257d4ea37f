"""What to do about one schedule at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from backups_app.schedule import slots

ON_TIME = timedelta(minutes=15)
"""A slot is on time for so long. A deleting run starts within it or not at all: later it would delete a new season."""


class DueWork(StrEnum):
    """What a schedule starts. The order is the order of how much each one does: the first covers the later ones."""

    BACKUP_AND_DELETE = "backup_and_delete"
    BACKUP = "backup"
    INCREMENTAL = "incremental"
    SYNC = "sync"
    REHEARSE = "rehearse"
    VERIFY = "verify"


COVERS: dict[DueWork, frozenset[DueWork]] = {
    DueWork.BACKUP_AND_DELETE: frozenset({DueWork.BACKUP, DueWork.INCREMENTAL, DueWork.SYNC}),
    DueWork.BACKUP: frozenset({DueWork.INCREMENTAL, DueWork.SYNC}),
    DueWork.INCREMENTAL: frozenset({DueWork.SYNC}),
}


class WhenMissed(StrEnum):
    RUN = "run"
    SKIP = "skip"


class Act(StrEnum):
    NOTHING = "nothing"
    RUN = "run"
    WAIT = "wait"
    SKIP = "skip"
    DROP = "drop"


class Reason(StrEnum):
    """Why a slot did not become a run, or not on time."""

    MISSED = "missed"
    BUSY = "a_run_was_active"
    CLOCKS = "clocks_differ"
    AHEAD = "slot_in_future"


@dataclass(frozen=True, kw_only=True)
class DueSchedule:
    """A schedule as the decision needs it. `settled_at` is the newest slot that was run, skipped or dropped, or the
    moment at which it was switched on; `waiting` is the slot that waits for another run to end. Aware, in UTC."""

    work: DueWork
    cron: str
    time_zone: str
    if_missed: WhenMissed
    settled_at: datetime
    waiting: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SlotDecision:
    """What to do. `slot` is the newest slot it is about; `missed` counts `older`, the earlier ones it decides too."""

    act: Act
    slot: datetime | None = None
    missed: int = 0
    reason: Reason | None = None
    older: tuple[datetime, ...] = field(default=(), compare=False)

    @property
    def is_late(self) -> bool:
        return self.act is Act.RUN and self.reason is Reason.MISSED


def decide(schedule: DueSchedule, *, now: datetime, run_active: bool, clocks_agree: bool) -> SlotDecision:
    """Given a schedule, say what to do about it at `now`.

    1. The decided slot lies in the future: the clock was set back. It is dropped, so that the present ones run.
    2. No slot since the decided one: nothing.
    3. A slot that waited when the next one came: skipped, because a run was active.
    4. The newest slot is on time, or waited: it runs; while another run is active it waits. Older ones were missed.
    5. The newest slot is late: one late run for all of them, or skipped. A deleting one is always skipped.
    6. A deleting run needs clocks that agree.
    """
    if schedule.settled_at > now + ON_TIME:
        return SlotDecision(act=Act.DROP, slot=schedule.settled_at, reason=Reason.AHEAD)
    due = slots.between(schedule.cron, time_zone=schedule.time_zone, after=schedule.settled_at, until=now)
    if not due:
        return SlotDecision(act=Act.NOTHING)
    slot, older = due[-1], tuple(due[:-1])
    missed = len(older)
    waited = schedule.waiting in due
    if schedule.waiting is not None and waited and schedule.waiting != slot:
        before = tuple(due[: due.index(schedule.waiting)])
        return SlotDecision(act=Act.SKIP, slot=schedule.waiting, missed=len(before), reason=Reason.BUSY, older=before)
    deletes = schedule.work is DueWork.BACKUP_AND_DELETE
    late = now - slot >= ON_TIME and (deletes or not waited)
    why_late = Reason.BUSY if waited else Reason.MISSED
    if late and (deletes or schedule.if_missed is WhenMissed.SKIP):
        return SlotDecision(act=Act.SKIP, slot=slot, missed=missed, reason=why_late, older=older)
    if run_active:
        return SlotDecision(act=Act.WAIT, slot=slot, missed=missed, reason=Reason.BUSY, older=older)
    if deletes and not clocks_agree:
        return SlotDecision(act=Act.SKIP, slot=slot, missed=missed, reason=Reason.CLOCKS, older=older)
    reason = why_late if late or missed or waited else None
    return SlotDecision(act=Act.RUN, slot=slot, missed=missed, reason=reason, older=older)


def covered(due: dict[str, DueWork]) -> dict[str, str]:
    """Given what is due together, by the schedule's name, return which schedule each covered one is covered by."""
    order = list(DueWork)
    ranked = sorted(due, key=lambda name: (order.index(due[name]), name))
    answer: dict[str, str] = {}
    for name in ranked:
        stronger = (one for one in ranked if one not in answer and due[name] in COVERS.get(due[one], frozenset()))
        same = (one for one in ranked if one != name and one not in answer and due[one] is due[name] and one < name)
        by = next(stronger, None) or next(same, None)
        if by is not None:
            answer[name] = by
    return answer
