"""The worker's look at the schedules, each minute: what is due is claimed and started, and the rest is recorded.

    slots that were claimed and not started    their worker is gone, or another run was active: start them, or give up
    for each enabled schedule                  decide (`schedule/due.py`), the one that does most first
        run    -> claim the slot (of all workers one does), then start
        covered by one that was started now    -> on record, no run of its own
        wait   -> noted, asked again at the next tick
        skip, missed, dropped                  -> on record and in the audit trail

A run is started with the slot as its Idempotency-Key: a worker that is killed between claim and start starts no second.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from backups_app import formats
from backups_app.access.trail import audit
from backups_app.configuration import Configuration
from backups_app.errors import (
    ClocksDiffer,
    DatabaseUnreachable,
    RunActive,
    RunInterrupted,
    ScheduleTooLate,
    TempleOpsError,
)
from backups_app.models import Schedule, ScheduleSlot
from backups_app.records import Origin, is_recent
from backups_app.runs import ownership
from backups_app.schedule import due, slots
from backups_app.schedule.due import Act, DueWork, Reason, SlotDecision, WhenMissed
from backups_app.use_cases.schedules import alike, claims, working
from backups_app.use_cases.schedules.acts import Situation, TempleActs
from backups_app.use_cases.schedules.claims import ASKED, State

PATIENCE = timedelta(minutes=10)
"""A database that does not answer at the slot is asked again for so long; then the run counts as failed."""
STALE = timedelta(minutes=3)
"""A claim that another host's worker has not touched for so long is taken over."""

logger = logging.getLogger(__name__)


class Acts(Protocol):
    """What the tick may find out and start."""

    def situation(self) -> Situation: ...

    def start(self, slot: ScheduleSlot, *, now: datetime) -> str: ...

    def goes_on(self, slot: ScheduleSlot, *, now: datetime) -> bool: ...


def tick(*, configuration: Configuration, now: datetime, acts: Acts | None = None) -> None:
    """Look at every schedule once. Any number of workers may do so at the same moment. None looks while workers of two
    databases share one Django database."""
    me = ownership.this_process().as_document()
    others = alike.of_other_temples(configuration=configuration, now=now)
    claims.tick(host=me["host"], now=now, alike=alike.of_this_host(configuration))
    if not configuration.is_local or not configuration.local_url:
        return
    if others:  # a schedule of one temple must not delete the bookings of another
        logger.error("Schedules wait: workers of another DATABASE_NAME use DATABASE_URL", extra={"hosts": others})
        return
    look = _Look(now=now, acts=acts or TempleActs(configuration=configuration), me=me)
    look.go_on()
    look.decide()


@dataclass
class _Look:
    now: datetime
    acts: Acts
    me: Mapping[str, Any]

    def go_on(self) -> None:
        """Start what was claimed and is not started, or give it up; close what a dead worker was doing."""
        for slot in claims.open_slots():
            if slot.state == State.RUNNING:
                if self.is_lost(slot) and not self.acts.goes_on(slot, now=self.now):
                    self.fail(slot, RunInterrupted())
            elif not self.is_ours(slot):
                continue
            elif (given_up := self.given_up(slot)) is not None:
                state, reason = given_up
                if claims.change(slot, now=self.now, state=state, reason=reason):
                    _on_record(slot, now=self.now)
            elif claims.change(slot, now=self.now, state=State.CLAIMED, worker=dict(self.me)):
                self.begin(slot)

    def is_lost(self, slot: ScheduleSlot) -> bool:
        """Whether the process that works on this slot is gone, or of another host and silent."""
        alive = is_recent(slot.changed_at, within=working.SILENT, now=self.now)
        return ownership.is_gone(slot.worker) or not alive

    def is_ours(self, slot: ScheduleSlot) -> bool:
        """Whether the worker that claimed this slot is this one, or is gone."""
        same = ownership.is_same_process(slot.worker, self.me)
        silent = self.now - slot.changed_at > STALE
        return not slot.worker or same or ownership.is_gone(slot.worker) or silent

    def given_up(self, slot: ScheduleSlot) -> tuple[State, str] | None:
        """Return how a claimed slot ends without a run, or None while it may still begin."""
        row = slot.schedule
        if slot.reason == ASKED:
            return State.FAILED, RunInterrupted.code
        if outdated := claims.outdated(slot):
            return State.SKIPPED, outdated
        late = self.now - slot.slot >= due.ON_TIME
        interrupted = late and self.now - slot.changed_at >= due.ON_TIME
        if late and row.do == DueWork.BACKUP_AND_DELETE:
            return State.MISSED, Reason.MISSED.value
        if interrupted and row.if_missed == WhenMissed.SKIP:
            return State.MISSED, Reason.MISSED.value
        following = slots.upcoming(row.cron, time_zone=row.time_zone, after=slot.slot, count=1)
        return (State.SKIPPED, Reason.BUSY.value) if following and following[0] <= self.now else None

    def decide(self) -> None:
        """Decide about every enabled schedule. The database is asked only when something is due."""
        rows = sorted(claims.enabled(), key=lambda row: (list(DueWork).index(DueWork(row.do)), row.name))
        if all(self.decision(row, Situation(known=True)).act is Act.NOTHING for row in rows):
            return
        at_first = self.acts.situation()
        decisions = {row.name: self.decision(row, at_first) for row in rows}
        covers = due.covered({row.name: DueWork(row.do) for row in rows if decisions[row.name].act is Act.RUN})
        situation = at_first
        started: dict[str, ScheduleSlot] = {}
        for row in rows:
            by = started.get(covers.get(row.name, ""))
            if by is not None:
                self.record(row, decisions[row.name], state=State.COVERED, by=by)
            elif (slot := self.act(row, self.decision(row, situation), situation)) is not None:
                started[row.name] = slot
                situation = situation.with_run(active=situation.run_active or _takes_the_lease(row))

    def decision(self, row: Schedule, situation: Situation) -> SlotDecision:
        busy = situation.run_active and _takes_the_lease(row)
        return due.decide(
            claims.plan_of(row),
            now=self.now,
            run_active=busy,
            clocks_agree=situation.clocks_agree or not situation.known,
        )

    def act(self, row: Schedule, decision: SlotDecision, situation: Situation) -> ScheduleSlot | None:
        """Act on a decision. Return the slot's row when its work was started."""
        if decision.act is Act.DROP and situation.clocks_agree:
            for dropped in claims.drop_future(row, now=self.now):
                _record(row, now=self.now, result=State.DROPPED, details={"slot": formats.utc_seconds(dropped)})
        elif decision.act is Act.WAIT and row.waiting != decision.slot:
            assert decision.slot is not None
            claims.wait(row, slot=decision.slot)
        elif decision.act is Act.SKIP:
            missed = decision.reason is Reason.MISSED
            self.record(row, decision, state=State.MISSED if missed else State.SKIPPED)
        elif decision.act is Act.RUN:
            slot = claims.record(row, decision, now=self.now, worker=self.me, state=State.CLAIMED)
            if slot is not None:
                _older_on_record(row, decision, now=self.now)
                return slot if self.begin(slot) else None
        return None

    def record(self, row: Schedule, decision: SlotDecision, *, state: State, by: ScheduleSlot | None = None) -> None:
        name = "" if by is None else by.schedule.name
        slot = claims.record(row, decision, now=self.now, worker={}, state=state, by=name)
        if slot is not None:
            if by is not None:
                claims.change(slot, now=self.now, state=state, run=by.run)
            _older_on_record(row, decision, now=self.now)
            _on_record(slot, now=self.now)

    def begin(self, slot: ScheduleSlot) -> bool:
        """Start the work of a claimed slot. Return whether it was started; it stays claimed while another run is
        active, and for some minutes while the database does not answer."""
        try:
            run = self.acts.start(slot, now=self.now)
        except RunActive:
            return False
        except (ClocksDiffer, ScheduleTooLate) as refusal:
            reason = Reason.CLOCKS if isinstance(refusal, ClocksDiffer) else Reason.MISSED
            if claims.change(slot, now=self.now, state=State.SKIPPED, reason=reason.value):
                _on_record(slot, now=self.now)
            return False
        except DatabaseUnreachable as error:
            if self.now - slot.decided_at >= PATIENCE:
                self.fail(slot, error)
            return False
        except TempleOpsError as error:
            self.fail(slot, error)
            return False
        claims.change(slot, now=self.now, state=State.STARTED, run=run)  # a queued one may be running already
        return True

    def fail(self, slot: ScheduleSlot, error: TempleOpsError) -> None:
        """A run that could not even start is a failed run."""
        if claims.change(slot, now=self.now, state=State.FAILED, reason=error.code):
            logger.error("A planned run could not start", extra={"schedule": slot.schedule.name, "code": error.code})
            _on_record(slot, now=self.now)


def _takes_the_lease(row: Schedule) -> bool:
    """Verifying only reads: it waits for nothing and lets nothing wait."""
    return row.do != DueWork.VERIFY


def _on_record(slot: ScheduleSlot, *, now: datetime) -> None:
    details = {"slot": formats.utc_seconds(slot.slot), "reason": slot.reason, "by": slot.by, "run": slot.run}
    _record(slot.schedule, now=now, result=slot.state, details={name: one for name, one in details.items() if one})


def _older_on_record(row: Schedule, decision: SlotDecision, *, now: datetime) -> None:
    if decision.older:
        first, last = decision.older[0], decision.older[-1]
        details = {"slots": decision.missed, "first": formats.utc_seconds(first), "last": formats.utc_seconds(last)}
        _record(row, now=now, result=State.MISSED, details=details)


def _record(row: Schedule, *, now: datetime, result: str, details: Mapping[str, Any]) -> None:
    audit.record(
        actor=f"schedule {row.name}", origin=Origin.SCHEDULE, action="schedule.slot", target=row.name, result=result,
        now=now, details={"do": row.do, **details},
    )  # fmt: skip
