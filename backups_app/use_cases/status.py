"""Am I protected? The verdict, the three badges and the facts behind them, for page, API and command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pymongo.errors import PyMongoError

from backups_app import formats
from backups_app.configuration import Configuration
from backups_app.errors import ModeNotLocal, RunCancelled, TempleOpsError
from backups_app.mongo import availability
from backups_app.records import RunDocument, RunKind, Side, Status
from backups_app.use_cases import listing, reach, readiness, status_of_files, syncs
from backups_app.use_cases.reach import Reach
from backups_app.use_cases.syncs import SyncOverview

PROBE_SECONDS = 2
STALE_AFTER = timedelta(days=8)
ROOM_FOR_BACKUPS = 5
READY = "Backup system ready"


class StatusVerdict(StrEnum):
    OFF = "off"
    NOT_PROTECTED = "not_protected"
    NEEDS_ATTENTION = "needs_attention"
    RUNNING = "running"
    PROTECTED = "protected"


@dataclass(frozen=True, kw_only=True)
class SystemStatus:
    """What `GET /api/backup/status` and the status card say. `refusals` are the reasons why no run may start now.

    `unfinished` is the newest run whose deletion can be resumed. `last_proven` is the last rehearsal that ended well:
    its backup was restored whole and compared.
    """

    primary_database: str
    backup_available: bool
    sync_enabled: bool
    message: str
    verdict: StatusVerdict
    sentence: str
    hint: str
    engine: str
    refusals: tuple[TempleOpsError, ...]
    last_backup: RunDocument | None
    last_run: RunDocument | None
    last_proven: RunDocument | None
    unfinished: RunDocument | None
    active_run: RunDocument | None
    backups_count: int
    disk_total_bytes: int | None
    disk_free_bytes: int | None
    data_bytes: int | None
    local: Reach
    remote: Reach | None
    sync: SyncOverview | None
    plain_http: bool
    checked_at: datetime


def status(*, configuration: Configuration, now: datetime) -> SystemStatus:
    """Look at everything once. Never raises for what is wrong: it says it. Both servers are asked at the same time,
    each for less than three seconds."""
    asked = reach.Asked(configuration)
    looked = readiness.check_readiness(configuration=configuration, fresh=True)
    every = listing.list_runs(configuration=configuration, every=True) if configuration.is_local else []
    active = next((run for run in every if run["status"] == Status.IN_PROGRESS), None)
    ended = [run for run in every if run["status"] != Status.IN_PROGRESS and run["kind"] == "backup"]
    dated = status_of_files.dated(ended, now=now)
    good = status_of_files.newest_good(dated, database=configuration.database_name)
    remote = asked.answer()
    local = reach.local(looked, configuration)
    sync = _sync(configuration) if looked.local is not None else None
    verdict, sentence, hint = judge(
        looked=looked, good=good, ended=ended, active=active, local=local, remote=remote, sync=sync, now=now
    )
    return SystemStatus(
        primary_database=configuration.primary_database,
        backup_available=looked.ready and active is None,
        sync_enabled=configuration.sync_enabled,
        message=_message(looked, active),
        verdict=verdict,
        sentence=sentence,
        hint=hint,
        engine=looked.engine,
        refusals=looked.refusals,
        last_backup=good,
        last_run=dated[0] if dated else None,
        last_proven=_last_proven(status_of_files.dated(every, now=now)),
        unfinished=status_of_files.unfinished(ended),
        active_run=active,
        backups_count=sum(1 for run in every if run["published"]),
        disk_total_bytes=looked.disk.total_bytes if looked.disk else None,
        disk_free_bytes=looked.disk.free_bytes if looked.disk else None,
        data_bytes=looked.data_bytes,
        local=local,
        remote=remote,
        sync=sync,
        plain_http=configuration.allow_plain_http,
        checked_at=now,
    )


def judge(
    *,
    looked: readiness.Readiness,
    good: RunDocument | None,
    ended: list[RunDocument],
    active: RunDocument | None,
    remote: Reach | None,
    now: datetime,
    sync: SyncOverview | None = None,
    local: Reach | None = None,
) -> tuple[StatusVerdict, str, str]:
    """Return the verdict, its sentence and what to do. The first that fits wins:

    1. off: the primary database is not local;
    2. not protected: a run cannot start, there never was a good backup, or the last two runs failed;
    3. running;
    4. needs attention: a deletion is unfinished, the last run was not a success, the last good backup is older than
       eight days, the last sync left something over, there is room for less than five like it, a server refuses us
       something, Atlas does not answer, the two clocks are a minute apart;
    5. protected.

    What is dated in the future is evidence for nothing but a deletion that is unfinished.
    """
    if any(isinstance(refusal, ModeNotLocal) for refusal in looked.refusals):
        return StatusVerdict.OFF, ModeNotLocal.sentence, ModeNotLocal.hint
    if looked.refusals:
        return StatusVerdict.NOT_PROTECTED, f"Not protected: {looked.refusals[0].detail}", looked.refusals[0].hint
    if active is not None:
        return StatusVerdict.RUNNING, "A backup is running.", ""
    dated = status_of_files.dated(ended, now=now)
    if good is None:
        return StatusVerdict.NOT_PROTECTED, *status_of_files.no_backup(ended, dated=dated)
    tried = [run for run in dated if run["status"] != Status.CANCELLED]
    if len(tried) > 1 and all(run["status"] == Status.FAILED for run in tried[:2]):
        return StatusVerdict.NOT_PROTECTED, f"Not protected: the last two runs failed. {tried[0]['message']}", ""
    return _attention(looked=looked, good=good, ended=ended, local=local, remote=remote, sync=sync, now=now) or (
        StatusVerdict.PROTECTED,
        "Your data is protected.",
        "",
    )


def _attention(
    *,
    looked: readiness.Readiness,
    good: RunDocument,
    ended: list[RunDocument],
    local: Reach | None,
    remote: Reach | None,
    sync: SyncOverview | None,
    now: datetime,
) -> tuple[StatusVerdict, str, str] | None:
    dated = status_of_files.dated(ended, now=now)
    needs, last = StatusVerdict.NEEDS_ATTENTION, dated[0]
    undone = status_of_files.deletion_unfinished(ended) or status_of_files.newest_is_gone(dated, good)
    if undone is not None:
        return needs, *undone
    if last["status"] != Status.SUCCESS:
        return needs, f"{_how_it_ended(last)} {last['message']}", ""
    if now - good["created_at"] > STALE_AFTER:
        return needs, "Needs attention: the last good backup is older than eight days.", "Make a backup now."
    if sync is not None and sync.left_over:
        name, reason = next(iter(sync.left_over.items()))
        said = f"Needs attention: the last sync left something over. {name}: {reason}."
        return needs, said, "The last sync's log names everything and what to do."
    room = room_for(backup=good, free_bytes=looked.disk.free_bytes if looked.disk else None)
    if room is not None and room < ROOM_FOR_BACKUPS:
        said = f"Needs attention: the backup disk has room for {formats.grouped(room)} more backups like the last one."
        return needs, said, "Free some space, or remove old backups."
    ahead = looked.local.clock_ahead_seconds if looked.local else 0.0
    trouble = reach.trouble(local=local, remote=remote, local_ahead_seconds=ahead)
    return None if trouble is None else (needs, *trouble)


def _how_it_ended(last: RunDocument) -> str:
    if last.get("error_code") == RunCancelled.code:
        return "Needs attention: the last run was cancelled."
    if last["status"] == Status.FAILED:
        return "Needs attention: the last run failed."
    return f"Needs attention: the last run was {last['status']}."


def room_for(*, backup: RunDocument, free_bytes: int | None) -> int | None:
    """Return for how many backups like this one there is room; None where its size or the disk is not known."""
    size = backup.get("bytes")
    return free_bytes // size if size and free_bytes is not None else None


def _message(looked: readiness.Readiness, active: Mapping[str, Any] | None) -> str:
    if looked.refusals:
        return looked.refusals[0].detail
    return READY if active is None else f"A backup by {active['created_by']} is running"


def _sync(configuration: Configuration) -> SyncOverview | None:
    """Return what is known of past syncs; None where sync is off or nobody can tell."""
    if not (configuration.is_local and configuration.sync_enabled):
        return None
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=PROBE_SECONDS):
            return syncs.overview(configuration=configuration, limit=1)
    except (PyMongoError, TempleOpsError):
        return None


def _last_proven(every: list[RunDocument]) -> RunDocument | None:
    return next((run for run in every if run["kind"] == RunKind.REHEARSAL and run["status"] == Status.SUCCESS), None)
