"""Gathers what the card's conclusion rests on. What no room makes yet is "none" here, never assumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backups_app.assurance.evidence import Evidence, Finding, Slots, Watch
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import DatabaseUnreachable
from backups_app.records import RunKind, Status
from backups_app.runs.closing import holding
from backups_app.use_cases import attention, status_of_files
from backups_app.use_cases.copies.evidence import copies, hosts_of
from backups_app.use_cases.notifications import notifications
from backups_app.use_cases.readiness.reach import Reach
from backups_app.use_cases.readiness.readiness import Readiness
from backups_app.use_cases.retention.facts import holds_something
from backups_app.use_cases.schedules import claims, overview
from backups_app.use_cases.status import restore_tests
from backups_app.use_cases.syncs.sync_overview import SyncOverview


@dataclass(frozen=True, kw_only=True)
class StatusFacts:
    """What one look at servers, folder and records found. `every` are all runs and backups, newest first."""

    looked: Readiness
    every: Sequence[RunRecord]
    local: Reach
    remote: Reach | None
    sync: SyncOverview | None
    now: datetime


def gather(found: StatusFacts, *, configuration: Configuration) -> Evidence:
    """Return the evidence for the conclusion (`assurance/`). Nothing is asked again but schedules and messages."""
    now, refusals = found.now, found.looked.refusals
    ended = backup_runs(found.every)
    dated, every_dated = (status_of_files.dated(runs, now=now) for runs in (ended, found.every))
    good = status_of_files.newest_good(dated, database=configuration.database_name)
    newest_at = good.created_at if good else None
    failed = attention.two_failed(dated)
    others = on_other_hosts(found.every)
    return Evidence(
        now=now,
        is_local=configuration.is_local,
        refusal=attention.of_error(refusals[0]) if refusals else None,
        local_away=bool(refusals) and type(refusals[0]) is DatabaseUnreachable,
        none_good=attention.none_good(ended, dated=dated) if good is None else None,
        two_failed=failed,
        running=any(run.status == Status.IN_PROGRESS for run in found.every),
        backups=sum(1 for run in found.every if run.published and run.verified),
        newest_at=newest_at,
        schedules=schedules(now=now, newest_at=newest_at),
        copies=copies(configuration=configuration, every=found.every, good=good, now=now),
        rehearsal=restore_tests.rehearsal(every_dated, database=configuration.database_name),
        failed_test=restore_tests.last_failure(every_dated),
        rehearsal_valid=timedelta(days=configuration.rehearsal_days),
        watch=watch(configuration=configuration, now=found.now),
        attention=(
            *_attention(
                found,
                good=good,
                ended=ended,
                dated=dated,
                has_failed_twice=failed is not None,
                backs_up_without_atlas=configuration.backs_up_without_atlas,
            ),
            *restore_tests.findings(every_dated),
        ),
        sync_known=found.sync is not None or not configuration.sync_enabled,
        sync_enabled=configuration.sync_enabled,
        synced_at=_synced_at(found.sync),
        unsynced=_unsynced(found.sync, configuration),
        held_documents=_held(found.every),
        held_on=hosts_of([run for run in _holding(found.every) if holds_something(run)]),
        held_unknown=any(holds_something(run) and not holding.holds_alone(run) for run in _holding(found.every)),
        others=len(others),
        other_hosts=tuple(sorted({run.host or "?" for run in others})),
        newest_on=(good.host or "?") if good and good.files == Files.ELSEWHERE else "",
    )


def schedules(*, now: datetime, newest_at: datetime | None) -> tuple[Slots, ...]:
    """Return the slots of every enabled schedule that makes backups."""
    return overview.assurance_slots(now=now, newest_at=newest_at)


def watch(*, configuration: Configuration, now: datetime) -> Watch:
    """Return who would notice that backups stop: the worker's last look, and whether messages arrive."""
    delivered = notifications.delivery(configuration=configuration)
    return Watch(
        tick_at=claims.last_tick(now=now),
        accepted_at=delivered.accepted_at,
        undelivered_since=delivered.undelivered_since,
    )


def backup_runs(every: Sequence[RunRecord]) -> list[RunRecord]:
    """Return the runs that were to make a backup and have ended, newest first."""
    return [run for run in every if run.status != Status.IN_PROGRESS and run.kind == RunKind.BACKUP]


def _attention(
    found: StatusFacts,
    *,
    good: RunRecord | None,
    ended: Sequence[RunRecord],
    dated: Sequence[RunRecord],
    has_failed_twice: bool,
    backs_up_without_atlas: bool,
) -> Iterator[Finding]:
    """Yield what needs attention, but for what the sentence says already."""
    disk, server = found.looked.disk, found.looked.local
    sentence = {refusal.detail for refusal in found.looked.refusals[:1]}
    for finding in attention.findings(
        good=good,
        every=found.every,
        ended=ended,
        dated=dated,
        free_bytes=disk.free_bytes if disk else None,
        full_has_room=found.looked.full_has_room,
        local=found.local,
        remote=found.remote,
        local_ahead_seconds=server.clock_ahead_seconds if server else 0.0,
        backs_up_without_atlas=backs_up_without_atlas,
        sync=found.sync,
    ):
        if finding.message.english not in sentence and not (has_failed_twice and attention.is_about_last_run(finding)):
            yield finding


def _synced_at(sync: SyncOverview | None) -> datetime | None:
    return sync.synced_at if sync else None


def _unsynced(sync: SyncOverview | None, configuration: Configuration) -> tuple[str, ...]:
    """The collections of which Atlas does not have what is here."""
    known = {*sync.left_over, *sync.blocked} if sync else set()
    return tuple(sorted(known | set(configuration.sync_exclude)))


def _held(every: Sequence[RunRecord]) -> int:
    """Return how many deleted documents only backups hold: those of every backup here, or on another host, that no
    admin has released."""
    return sum(sum((holding.holds_alone(run) or {}).values()) for run in _holding(every))


def _holding(every: Sequence[RunRecord]) -> list[RunRecord]:
    kept = (run for run in every if run.published or (run.files == Files.ELSEWHERE and not run.removed))
    return [run for run in kept if not run.released]


def on_other_hosts(every: Sequence[RunRecord]) -> list[RunRecord]:
    """Return the backups on other hosts that these confirmed a moment ago."""
    return [run for run in every if run.files == Files.ELSEWHERE and run.verified and not run.removed]
