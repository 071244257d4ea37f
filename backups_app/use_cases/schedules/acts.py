"""What a schedule starts, and what it has to know before: is a run active, do the clocks agree."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from django.utils import timezone
from django_tasks import task
from pymongo.errors import PyMongoError

from backups_app import configuration as settings
from backups_app.backup_files import metadata
from backups_app.catalog import lease
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupNotFound,
    ClocksDiffer,
    RunActive,
    RunCancelled,
    ScheduleTooLate,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.models import ScheduleSlot
from backups_app.mongo import connections
from backups_app.progress import Silent
from backups_app.records import CLOCK_TOLERANCE, Origin, RunKind, Side
from backups_app.runs import lease as run_lease
from backups_app.runs import ownership, preparation
from backups_app.runs.closing import holding
from backups_app.schedule import due
from backups_app.schedule.due import DueWork
from backups_app.use_cases import copy_rehearsals, verification
from backups_app.use_cases.backups import backups
from backups_app.use_cases.copies import upkeep
from backups_app.use_cases.lanes import asking
from backups_app.use_cases.lanes.kind import Call, JobKind
from backups_app.use_cases.restores import restores
from backups_app.use_cases.schedules import working
from backups_app.use_cases.schedules.claims import ASKED, State
from backups_app.use_cases.schedules.working import Signs
from backups_app.use_cases.syncs import syncs
from backups_app.use_cases.syncs.syncs import SyncWish

QUEUED_SYNC = timedelta(minutes=10)
"""So long a sync that was queued counts as active before it has taken the lease."""
LEFT_OVER = "left_over"
STORED_TO = timedelta(milliseconds=1)
"""MongoDB keeps a moment to the millisecond."""
LOOK_BACK = 20
"""Of so many newest runs one may be the rehearsal of a slot."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is true at this moment. `known` is False where a database did not answer; then nothing else is known."""

    known: bool
    run_active: bool = False
    clocks_agree: bool = True

    def with_run(self, *, active: bool) -> Self:
        """Return the same with a run active, or none."""
        return replace(self, run_active=active)


@dataclass(frozen=True, kw_only=True)
class TempleActs:
    """The temple's own databases and runs."""

    configuration: Configuration

    def situation(self) -> Situation:
        """Ask the databases. Never raises because one is away."""
        try:
            busy = self._is_busy()
        except TempleOpsError:
            return Situation(known=False, clocks_agree=False)
        return Situation(known=True, run_active=busy, clocks_agree=clocks_agree(configuration=self.configuration))

    def _is_busy(self) -> bool:
        with connections.reachable(Side.LOCAL):
            database = preparation.answering_database(self.configuration)
            holder = lease.held_by(database)
            held = holder is not None and not ownership.is_gone(holder)
            if held or runs.active(database) is not None:
                return True
        since = timezone.now() - QUEUED_SYNC
        queued = ScheduleSlot.objects.filter(state=State.STARTED, schedule__do=DueWork.SYNC, changed_at__gt=since)
        return queued.exists()

    def start(self, slot: ScheduleSlot, *, now: datetime) -> str:
        """Start what the slot's schedule does. Return the id of its run, empty for what is queued and has none yet.

        Calling it twice for one slot starts one run. Raise `RunActive`, `ScheduleTooLate`, `ClocksDiffer`, and what
        readiness refuses by name.
        """
        work, key = DueWork(slot.schedule.do), f"schedule-slot-{slot.pk}"
        if work is DueWork.BACKUP_AND_DELETE and slot.reason != ASKED:
            self._require_in_time(slot, now=now)
        if work is DueWork.SYNC:
            carry_out_sync.enqueue(slot_id=slot.pk)
            return ""
        if work is DueWork.VERIFY:
            by, origin = asked_by(slot)
            asking.enqueue(
                VERIFICATION,
                configuration=self.configuration,
                arguments={"slot": slot.pk},
                by=by,
                origin=origin,
                now=now,
            )
            return ""
        by, origin = asked_by(slot)
        if work is DueWork.REHEARSE:
            run = self._rehearsal_of(slot, by=by) or self._rehearse(slot, by=by, origin=origin, now=now)
        else:
            deletes = work is DueWork.BACKUP_AND_DELETE
            run = backups.start_backup(
                created_by=by, delete_bookings=deletes, origin=origin, now=now, idempotency_key=key,
                incremental=work is DueWork.INCREMENTAL,
            )  # fmt: skip
        return run.id

    def goes_on(self, slot: ScheduleSlot, *, now: datetime) -> bool:
        """Whether the work of a slot whose process ended or is silent goes on: the next process takes its verification
        up, or the silent one holds the lease. True also where nobody can know."""
        try:
            job = asking.known(VERIFICATION, configuration=self.configuration, arguments={"slot": slot.pk}, now=now)
        except TempleOpsError:  # the disk of the backups does not answer
            return True
        if job is not None and not job.ended:
            return True
        return not ownership.is_gone(slot.worker) and run_lease.is_held_by(
            slot.worker, configuration=self.configuration
        )

    def _rehearse(self, slot: ScheduleSlot, *, by: str, origin: Origin, now: datetime) -> RunRecord:
        target = slot.schedule.target
        if target:
            return copy_rehearsals.start(target=target, created_by=by, origin=origin, now=now)
        return restores.rehearse(backup_id=None, created_by=by, origin=origin, now=now)

    def _rehearsal_of(self, slot: ScheduleSlot, *, by: str) -> RunRecord | None:
        """Return the rehearsal that was started for this slot before its worker was killed, or None."""
        database = preparation.local_database(self.configuration)
        with connections.reachable(Side.LOCAL):
            found = runs.recent(database, limit=LOOK_BACK)
        since = slot.decided_at - STORED_TO
        begun = (run for run in found if run.created_by == by and run.created_at >= since)
        return next((run for run in begun if run.kind == RunKind.REHEARSAL), None)

    def _require_in_time(self, slot: ScheduleSlot, *, now: datetime) -> None:
        """A late deletion would delete a new season, and a wrong clock makes any deletion late."""
        if not timedelta(0) <= now - slot.slot < due.ON_TIME:
            raise ScheduleTooLate()
        if not clocks_agree(configuration=self.configuration):
            raise ClocksDiffer()


def asked_by(slot: ScheduleSlot) -> tuple[str, Origin]:
    """Return who a slot's run is asked for by, as its record names them."""
    if slot.reason == ASKED:
        return slot.by, Origin(str(slot.worker.get("origin") or Origin.SCHEDULE.value))
    return f"schedule {slot.schedule.name}", Origin.SCHEDULE


def clocks_agree(*, configuration: Configuration) -> bool:
    """Return whether the clocks of this computer, MongoDB and Atlas differ by less than ten minutes. False where one
    cannot be asked."""
    ahead = [0.0]
    try:
        for side in Side if configuration.sync_enabled else (Side.LOCAL,):
            client = preparation.side(configuration, side).client
            with connections.reachable(side):
                ahead.append(connections.facts(client).clock_ahead_seconds)
    except TempleOpsError:
        return False
    return timedelta(seconds=max(ahead) - min(ahead)) < CLOCK_TOLERANCE


@task()
def carry_out_sync(slot_id: int) -> None:
    """The worker's part of a scheduled sync. While another run holds the lease the slot waits for the next tick."""
    slot = working.take(slot_id)
    if slot is None:
        return
    by, origin = asked_by(slot)
    signs = Signs(slot, Silent())
    try:
        report = syncs.sync_now(wish=SyncWish(), requested_by=by, origin=origin, now=timezone.now(), listener=signs)
    except RunActive as error:
        if slot.reason == ASKED:
            working.fail(slot, error)
        else:
            working.record(slot, state=State.CLAIMED, worker={})
    except (TempleOpsError, PyMongoError) as error:
        working.fail(slot, error)
    except Exception:
        working.fail(slot, TempleOpsError())
        raise
    else:
        reason = LEFT_OVER if report.left_over else ""
        working.record(slot, state=State.DONE, run=report.log.run_id, reason=reason)


def carry_out_verification(call: Call) -> None:
    """The worker's part of a scheduled verification: the newest backup, and each that alone holds deleted documents,
    here and at the targets. A slot that names a run found something wrong with it, which is reported of that backup or
    copy; without one, something could not be looked at."""
    slot = working.take(int(call.arguments["slot"]), again=call.again)
    if slot is None:
        return
    by, origin = asked_by(slot)
    signs = Signs(slot, call.progress)
    damaged, read = [], []
    try:
        for backup_id in to_verify(configuration=settings.current()):
            answer = verification.verify_backup(
                configuration=settings.current(),
                backup_id=backup_id,
                requested_by=by,
                origin=origin,
                now=timezone.now(),
                progress=signs,
            )
            read.append(backup_id)
            damaged += [backup_id] if not answer["verified"] else []
        copies = upkeep.read_back_what_is_due(
            configuration=settings.current(), now=timezone.now(), whatever_the_age=slot.reason == ASKED,
            progress=signs,
        )  # fmt: skip
    except RunCancelled:  # the job is another process's now, and the slot with it
        raise
    except (TempleOpsError, PyMongoError) as error:
        working.fail(slot, error)
        return
    except Exception:
        working.fail(slot, TempleOpsError())
        raise
    damaged += [one.row.backup_id for one in copies if one.is_damaged]
    away = next((one.failure for one in copies if one.is_target_away), None)
    unread = next((one for one in copies if one.is_unread), None)
    if away is not None:
        working.fail(slot, away)
    elif damaged:
        working.record(slot, state=State.FAILED, run=damaged[0], reason=VerificationFailed.code)
    elif unread is not None:
        working.record(slot, state=State.FAILED, run=unread.row.backup_id, reason=unread.row.unread_code)
    else:
        working.record(slot, state=State.DONE, run=read[0] if read else "")


VERIFICATION: JobKind[None] = JobKind(
    name="scheduled_verification",
    make=carry_out_verification,
    keep=lambda _: None,
    recall=lambda *_: None,
    to_the_end=True,
)


def to_verify(*, configuration: Configuration) -> list[str]:
    """Return the newest backup, the newest that counts as verified, and the holders, newest first. Raise
    `BackupNotFound` where there is none."""
    store = preparation.store(configuration)
    ids = sorted(store.backups().ids, reverse=True)
    if not ids:
        raise BackupNotFound()
    with suppress(BackupNotFound):  # each is damaged already: the newest is read all the same, and named
        newest_verified = restores.newest_verified(configuration=configuration)
        return [one for one in ids if one in (ids[0], newest_verified) or _holds(store.folder(one))]
    return [one for one in ids if one == ids[0] or _holds(store.folder(one))]


def _holds(folder: Path) -> bool:
    """Whether a backup alone may hold documents. Unknown counts as yes: it is read once more."""
    try:
        written = metadata.read(folder) or {}
    except TempleOpsError:
        return True
    alone = holding.holds_alone(RunRecord(written))
    return alone is None or bool(sum(alone.values()))
