"""Am I protected? The conclusion from evidence, the three badges and the facts, for page, API, command and metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo.errors import PyMongoError

from backups_app.access import records
from backups_app.assurance.sentence import Assurance, Level, conclude
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import RecordsReadOnly, TempleOpsError
from backups_app.messages.protection import status as messages
from backups_app.mongo import availability
from backups_app.records import Side, Status
from backups_app.use_cases import attention, status_of_files
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import reach, readiness
from backups_app.use_cases.readiness.reach import Reach
from backups_app.use_cases.schedules import overview
from backups_app.use_cases.status import evidence, restore_tests
from backups_app.use_cases.status.evidence import StatusFacts
from backups_app.use_cases.syncs import sync_overview
from backups_app.use_cases.syncs.sync_overview import SyncOverview

PROBE_SECONDS = 2
READY = messages.READY()


@dataclass(frozen=True, kw_only=True)
class SystemStatus:
    """What `GET /api/backup/status` and the status card say. `refusals` are the reasons why no run may start now.

    `unfinished` is the newest run whose deletion can be resumed. `last_proven` is the last restore test that ended
    well and whose source has not failed since: its backup was restored whole and compared.
    """

    primary_database: str
    backup_available: bool
    sync_enabled: bool
    message: str
    assurance: Assurance
    engine: str
    refusals: tuple[TempleOpsError, ...]
    last_backup: RunRecord | None
    last_run: RunRecord | None
    last_proven: RunRecord | None
    unfinished: RunRecord | None
    active_run: RunRecord | None
    next_run_at: datetime | None
    backups_count: int
    backups_on_other_hosts: int
    disk_total_bytes: int | None
    disk_free_bytes: int | None
    data_bytes: int | None
    local: Reach
    remote: Reach | None
    sync: SyncOverview | None
    plain_http: bool
    checked_at: datetime

    @property
    def verdict(self) -> Level:
        return self.assurance.level

    @property
    def sentence(self) -> str:
        return self.assurance.sentence

    @property
    def hint(self) -> str:
        return self.assurance.hint


def status(*, configuration: Configuration, now: datetime) -> SystemStatus:
    """Look at everything once. Never raises for what is wrong: it says it. Both servers are asked at the same time,
    each for less than three seconds."""
    return status_and_runs(configuration=configuration, now=now)[0]


def status_and_runs(*, configuration: Configuration, now: datetime) -> tuple[SystemStatus, Sequence[RunRecord]]:
    """Return the status and every run and backup that it rests on, newest first, from one look."""
    with availability.asked_once():
        return _looked_at(configuration, now)


def _looked_at(configuration: Configuration, now: datetime) -> tuple[SystemStatus, Sequence[RunRecord]]:
    asked = reach.ReachQuestion(configuration)
    incremental_at = now if overview.next_is_incremental(now=now) else None
    looked = readiness.check_readiness(configuration=configuration, fresh=True, incremental_at=incremental_at)
    if records.is_read_only():
        looked = dataclasses.replace(looked, refusals=(RecordsReadOnly(), *looked.refusals))
    every = listing.list_runs(configuration=configuration, every=True) if configuration.is_local else []
    found = StatusFacts(
        looked=looked,
        every=every,
        local=reach.local(looked, configuration),
        remote=asked.answer(),
        sync=_sync(configuration) if looked.local is not None else None,
        now=now,
    )
    return _described(found, configuration=configuration), every


def _described(found: StatusFacts, *, configuration: Configuration) -> SystemStatus:
    looked, every, now = found.looked, found.every, found.now
    active = next((run for run in every if run.status == Status.IN_PROGRESS), None)
    ended = evidence.backup_runs(every)
    dated = status_of_files.dated(ended, now=now)
    known = evidence.gather(found, configuration=configuration)
    good = status_of_files.newest_good(dated, database=configuration.database_name)
    return SystemStatus(
        primary_database=configuration.primary_database,
        backup_available=looked.ready and looked.full_has_room and active is None,
        sync_enabled=configuration.sync_enabled,
        message=_message(looked, active),
        assurance=conclude(known),
        engine=looked.engine,
        refusals=looked.refusals,
        last_backup=listing.whole([good], configuration=configuration)[0] if good else None,
        last_run=dated[0] if dated else None,
        last_proven=restore_tests.last_proven(status_of_files.dated(every, now=now)),
        unfinished=attention.unfinished(ended),
        active_run=active,
        next_run_at=min((slots.next for slots in known.schedules), default=None),
        backups_count=sum(1 for run in every if run.published),
        backups_on_other_hosts=known.others,
        disk_total_bytes=looked.disk.total_bytes if looked.disk else None,
        disk_free_bytes=looked.disk.free_bytes if looked.disk else None,
        data_bytes=looked.data_bytes,
        local=found.local,
        remote=found.remote,
        sync=found.sync,
        plain_http=configuration.allow_plain_http,
        checked_at=now,
    )


def _message(looked: readiness.Readiness, active: RunRecord | None) -> str:
    if looked.refusals:
        return looked.refusals[0].detail
    if active is not None:
        return messages.RUNNING_BY(by=active.created_by)
    return READY if looked.full_has_room else messages.READY_FOR_INCREMENTAL()


def _sync(configuration: Configuration) -> SyncOverview | None:
    """Return what is known of past syncs; None where sync is off or nobody can know."""
    if not (configuration.is_local and configuration.sync_enabled):
        return None
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=PROBE_SECONDS):
            return sync_overview.overview(configuration=configuration, limit=1)
    except (PyMongoError, TempleOpsError):
        return None
