"""What the faces ask for: start, wait for, cancel, resume. And what the worker does with it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django_tasks import task
from pymongo.database import Database

from backups_app import configuration as settings
from backups_app.access.trail import audit
from backups_app.backup_files import layout
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupNotFound,
    DatabaseUnreachable,
    IncrementalNeedsBuiltIn,
    InvalidInput,
    NotCancellable,
    NotResumable,
    RunInterrupted,
)
from backups_app.messages import use_cases as messages
from backups_app.mongo import availability, connections
from backups_app.records import Origin, Phase, Side, Status
from backups_app.runs import declarations, preparation, worker
from backups_app.runs.ownership import this_process
from backups_app.runs.progress import Listener
from backups_app.runs.recovery import housekeeping, recovery
from backups_app.runs.steps import purge_sides
from backups_app.use_cases.backups import idempotency, keeping, new_run, placement, stopping
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.retention import prune, trash_emptying

POLL_SECONDS = 0.2
KNOWN_SECONDS = 5
"""How long the record of a run may take while somebody waits for it."""


def start_backup(
    *,
    created_by: str,
    delete_bookings: bool,
    origin: Origin,
    now: datetime,
    idempotency_key: str | None = None,
    note: str = "",
    enqueue: bool = True,
    incremental: bool = False,
) -> RunRecord:
    """Start a run and return its document. With `enqueue` a worker carries it out, else the caller does (`execute`).

    `delete_bookings` must be a real boolean. An `incremental` run writes what changed since a full backup, and deletes
    nothing. The same `idempotency_key` of the same person returns the run it started before, marked `replayed`.
    Raise what readiness refuses by name, `RunActive`, `IdempotencyKeyReused`.
    """
    if not isinstance(delete_bookings, bool):
        raise InvalidInput(message=messages.DELETE_BOOKINGS_NOT_BOOLEAN())
    asked = _BackupRequest(
        created_by=created_by, delete_bookings=delete_bookings, origin=origin, now=now, note=note,
        idempotency_key=idempotency_key, enqueue=enqueue, incremental=incremental,
    )  # fmt: skip
    configuration = settings.current()
    readiness.require_local(configuration)
    _require_allowed(configuration, asked)
    database = preparation.local_database(configuration)
    document = _made_once(configuration, database, asked)
    if not document.replayed:
        _hand_over(database, document, asked)
    return document


@dataclass(frozen=True, kw_only=True)
class _BackupRequest:
    """What `start_backup` was asked for."""

    created_by: str
    delete_bookings: bool
    origin: Origin
    now: datetime
    note: str
    idempotency_key: str | None
    enqueue: bool
    incremental: bool


def _require_allowed(configuration: Configuration, asked: _BackupRequest) -> None:
    """Raise `InvalidInput` for an incremental run that is to delete, `IncrementalNeedsBuiltIn`."""
    if not asked.incremental:
        return
    if asked.delete_bookings:
        raise InvalidInput(message=messages.INCREMENTAL_DELETES_NOTHING())
    if configuration.backup_engine == "mongodump":
        raise IncrementalNeedsBuiltIn()


def _made_once(configuration: Configuration, database: Database[Any], asked: _BackupRequest) -> RunRecord:
    """Return the new run; with an idempotency key that was used before, the run of that time."""
    with connections.reachable(Side.LOCAL):
        connections.ping(database.client)  # a lost server is found in seconds; the next question would wait for 30
        return idempotency.once(
            database, created_by=asked.created_by, key=asked.idempotency_key, delete_bookings=asked.delete_bookings,
            incremental=asked.incremental, now=asked.now, start=partial(_made, configuration, database, asked),
        )  # fmt: skip


def _made(configuration: Configuration, database: Database[Any], asked: _BackupRequest) -> RunRecord:
    """Write the run's document, once everything that it needs is there."""
    incremental_at = asked.now if asked.incremental else None
    trash_emptying.make_room(configuration=configuration, now=asked.now, incremental_at=incremental_at)
    readiness.require_ready(configuration=configuration, incremental_at=incremental_at)
    audit.digest()  # a run that cannot be put on record is not started
    housekeeping.put_in_order(configuration=configuration, now=asked.now)
    runs.ensure_indexes(database)
    document = new_run.new_document(
        configuration, created_by=asked.created_by, delete_bookings=asked.delete_bookings, origin=asked.origin,
        now=asked.now, note=asked.note, idempotency_key=asked.idempotency_key, incremental=asked.incremental,
        starter=None if asked.enqueue else this_process().as_document(),
    )  # fmt: skip
    return new_run.create(database, document, configuration)


def _hand_over(database: Database[Any], document: RunRecord, asked: _BackupRequest) -> None:
    """Put the run on record, and queue it for a worker unless the caller carries it out."""
    details = {"delete_bookings": asked.delete_bookings} | ({"incremental": True} if asked.incremental else {})
    new_run.put_on_record(database, document, details=details)
    if asked.enqueue:
        carry_out_backup.enqueue(backup_id=document.id)


@task()
def carry_out_backup(backup_id: str) -> None:
    """The worker's part. The queue's own status is not the truth: a run that somebody claimed is not run twice."""
    if placement.handed_on(carry_out_backup, backup_id=backup_id):
        return
    worker.execute(backup_id=backup_id)
    prune.after_run(backup_id=backup_id)


@task()
def carry_out_resume(backup_id: str) -> None:
    """The worker's part of Resume. A run that was stopped or closed while the job waited stays as it is."""
    if placement.handed_on(carry_out_resume, backup_id=backup_id):
        return
    worker.execute(backup_id=backup_id)


def execute(*, backup_id: str, listener: Listener | None = None) -> RunRecord:
    """Carry a started run out in this process and return its final document. Raise `RunInterrupted` when the local
    server went away meanwhile: recovery will say how the run ended."""
    worker.execute(backup_id=backup_id, listener=listener)
    prune.after_run(backup_id=backup_id)
    try:
        return _known(backup_id)
    except DatabaseUnreachable as error:
        raise RunInterrupted() from error


def wait_for(*, backup_id: str, timeout_seconds: float) -> RunRecord:
    """Wait until the run has ended, the time is over or this process is asked to stop. Return its document as it then
    is."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        document = _known(backup_id)
        if document.status != Status.IN_PROGRESS or time.monotonic() >= deadline:
            return document
        if document.phase == Phase.QUEUED:
            recovery.close_unclaimed(database=preparation.local_database(settings.current()))
        if stopping.wait(POLL_SECONDS):
            return _known(backup_id)


def cancel(*, backup_id: str, requested_by: str, origin: Origin, now: datetime) -> RunRecord:
    """Ask a run to stop. It stops within seconds, at its next batch. Raise `NotCancellable`, `BackupNotFound`."""
    _known(backup_id)
    database = preparation.local_database(settings.current())
    document = runs.request_cancel(
        database, backup_id=backup_id, requested_by=requested_by, phases=declarations.cancellable_phases()
    )
    if document is None:
        raise NotCancellable()
    audit.record(
        actor=requested_by, origin=origin, action="backup.cancel", target=backup_id, result="accepted", now=now
    )
    if document.phase == Phase.QUEUED and document.owner is None:
        recovery.close_cancelled(database=database, document=document)
    return _known(backup_id)


def resume(
    *, backup_id: str, requested_by: str, origin: Origin, now: datetime, keep: bool = False, enqueue: bool = True
) -> RunRecord:
    """Finish the deletion of a partial run, or with `keep` give it up: what is left stays ("keep after all").

    Raise `NotResumable`, `BackupNotFound`, `RunActive`, `BackupRemoved` or `BackupElsewhere` where the files that it
    would delete against are not here, `PurgeNeedsAtlas` or `PurgeWithoutAtlas` where sync was switched on or off since
    (what is left can still be kept), and what readiness refuses.
    """
    configuration = settings.current()
    readiness.require_local(configuration)
    document = _resumable(configuration, backup_id, now=now)
    asked = partial(audit.record, actor=requested_by, origin=origin, target=backup_id, result="accepted", now=now)
    if keep:
        on_record = partial(asked, action="backup.keep_after_all")
        keeping.keep_after_all(configuration=configuration, backup_id=backup_id, put_on_record=on_record)
        return _known(backup_id)
    purge_sides.require_sides(document, atlas_is_configured=configuration.sync_enabled)
    placement.require_files(configuration, document)
    asked(action="backup.resume")
    if enqueue:
        worker.reopen(database=preparation.local_database(configuration), backup_id=backup_id)
    carry_out_resume.enqueue(backup_id=backup_id) if enqueue else worker.execute_resume(backup_id=backup_id)
    return _known(backup_id)


def _resumable(configuration: Configuration, backup_id: str, *, now: datetime) -> RunRecord:
    """Return the run to resume. A record that was lost since the worker's last tick is rebuilt first."""
    try:
        document = _known(backup_id)
    except BackupNotFound:
        housekeeping.put_in_order(configuration=configuration, now=now)
        document = _known(backup_id)
    if not document.resume_available:
        raise NotResumable()
    return document


def _known(backup_id: str) -> RunRecord:
    """Return the run's document. Raise `InvalidBackupId`, `BackupNotFound`, `DatabaseUnreachable`."""
    layout.check_id(backup_id)
    configuration = settings.current()
    with availability.asking(Side.LOCAL, configuration=configuration, seconds=KNOWN_SECONDS, fresh=True):
        document = runs.get(preparation.local_database(configuration), backup_id=backup_id)
    if document is None:
        raise BackupNotFound()
    return document
