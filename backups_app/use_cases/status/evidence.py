"""Gathers what the card's conclusion rests on. What no room makes yet is "none" here, never assumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backups_app.assurance.evidence import Evidence, Finding, Rehearsal, Slots, Watch
from backups_app.catalog.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import DatabaseUnreachable
from backups_app.records import RunKind, Status
from backups_app.runs.closing import holding
from backups_app.use_cases import attention, status_of_files
from backups_app.use_cases.copies.evidence import copies
from backups_app.use_cases.notifications import notifications
from backups_app.use_cases.readiness.reach import Reach
from backups_app.use_cases.readiness.readiness import Readiness
from backups_app.use_cases.schedules import claims, overview
from backups_app.use_cases.syncs import SyncOverview


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one look at servers, folder and records found. `every` are all runs and backups, newest first."""

    looked: Readiness
    every: Sequence[RunRecord]
    local: Reach
    remote: Reach | None
    sync: SyncOverview | None
    now: datetime


def gather(found: Found, *, configuration: Configuration) -> Evidence:
    """Return the evidence for the conclusion (`assurance/`). Nothing is asked again but schedules and messages."""
    now, refusals = found.now, found.looked.refusals
    ended = backup_runs(found.every)
    dated = status_of_files.dated(ended, now=now)
    good = status_of_files.newest_good(dated, database=configuration.database_name)
    failed = attention.two_failed(dated)
    return Evidence(
        now=now,
        is_local=configuration.is_local,
        refusal=attention.of_error(refusals[0]) if refusals else None,
        local_away=bool(refusals) and type(refusals[0]) is DatabaseUnreachable,
        none_good=attention.none_good(ended, dated=dated) if good is None else None,
        two_failed=failed,
        running=any(run.status == Status.IN_PROGRESS for run in found.every),
        backups=sum(1 for run in found.every if run.published and run.verified),
        newest_at=good.created_at if good else None,
        schedules=schedules(now=now),
        copies=copies(configuration=configuration, every=found.every, good=good),
        rehearsal=rehearsal(status_of_files.dated(found.every, now=now)),
        rehearsal_valid=timedelta(days=configuration.rehearsal_days),
        watch=watch(configuration=configuration),
        attention=tuple(_attention(found, good=good, ended=ended, dated=dated, has_failed_twice=failed is not None)),
        sync_known=found.sync is not None or not configuration.sync_enabled,
        synced_at=_synced_at(found.sync),
        unsynced=_unsynced(found.sync, configuration),
        held_documents=_held(found.every),
    )


def schedules(*, now: datetime) -> tuple[Slots, ...]:
    """Return the last and the next slot of every enabled schedule that makes backups."""
    return overview.assurance_slots(now=now)


def watch(*, configuration: Configuration) -> Watch:
    """Return who would notice that backups stop: the worker's last look, and whether messages arrive."""
    delivered = notifications.delivery(configuration=configuration)
    return Watch(
        tick_at=claims.last_tick(),
        accepted_at=delivered.accepted_at,
        undelivered_since=delivered.undelivered_since,
    )


def rehearsal(dated: Sequence[RunRecord]) -> Rehearsal | None:
    """Return the last restore test that ended well, and how long it took; None without one."""
    proven = last_proven(dated)
    step = proven.step("rehearse") if proven else None
    if proven is None or step is None or step.started_at is None or step.finished_at is None:
        return None
    seconds = (step.finished_at - step.started_at).total_seconds()
    at = proven.finished_at or step.finished_at
    return Rehearsal(at=at, seconds=max(seconds, 0.0), target=proven.restore.copy_at)


def last_proven(dated: Sequence[RunRecord]) -> RunRecord | None:
    """Return the last rehearsal that ended well, of the runs given newest first; None without one."""
    return next((run for run in dated if run.kind == RunKind.REHEARSAL and run.status == Status.SUCCESS), None)


def backup_runs(every: Sequence[RunRecord]) -> list[RunRecord]:
    """Return the runs that were to make a backup and have ended, newest first."""
    return [run for run in every if run.status != Status.IN_PROGRESS and run.kind == RunKind.BACKUP]


def _attention(
    found: Found,
    *,
    good: RunRecord | None,
    ended: Sequence[RunRecord],
    dated: Sequence[RunRecord],
    has_failed_twice: bool,
) -> Iterator[Finding]:
    """Yield what needs attention, but for what the sentence says already."""
    disk, server = found.looked.disk, found.looked.local
    said = {refusal.detail for refusal in found.looked.refusals[:1]}
    for finding in attention.findings(
        good=good,
        every=found.every,
        ended=ended,
        dated=dated,
        free_bytes=disk.free_bytes if disk else None,
        local=found.local,
        remote=found.remote,
        local_ahead_seconds=server.clock_ahead_seconds if server else 0.0,
        sync=found.sync,
    ):
        if finding.message.english not in said and not (has_failed_twice and attention.is_about_last_run(finding)):
            yield finding


def _synced_at(sync: SyncOverview | None) -> datetime | None:
    return sync.synced_at if sync else None


def _unsynced(sync: SyncOverview | None, configuration: Configuration) -> tuple[str, ...]:
    """The collections of which Atlas does not have what is here."""
    known = {*sync.left_over, *sync.blocked} if sync else set()
    return tuple(sorted(known | set(configuration.sync_exclude)))


def _held(every: Sequence[RunRecord]) -> int:
    """Return how many deleted documents only backups hold: those of every backup here that no admin has released."""
    here = (run for run in every if run.published and not run.released)
    return sum(sum((holding.holds_alone(run) or {}).values()) for run in here)
