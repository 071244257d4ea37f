"""What the faces ask for: start, wait for, cancel, resume. And what the worker does with it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from django_tasks import task
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from backups_app import configuration as settings
from backups_app.access import audit
from backups_app.backup_files import layout
from backups_app.catalog import runs
from backups_app.catalog.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupNotFound,
    DatabaseUnreachable,
    IncrementalNeedsBuiltIn,
    InvalidInput,
    NotCancellable,
    NotResumable,
    RecordsUnavailable,
    RunInterrupted,
)
from backups_app.messages import use_cases as messages
from backups_app.mongo import availability, connections
from backups_app.records import Origin, Phase, Side, Status, SyncStatus
from backups_app.runs.closing import closing
from backups_app.runs import declarations, pipelines, preparation, runner, worker
from backups_app.runs.recovery import housekeeping, recovery
from backups_app.runs.ownership import this_process
from backups_app.runs.progress import Listener
from backups_app.use_cases.backups import idempotency, keeping
from backups_app.use_cases.listing import lost_backups
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.retention import prune, trash

POLL_SECONDS, TAKE_TRIES = 0.2, 100
KNOWN_SECONDS = 5
"""So long the record of a run may take: the one who asks for it waits."""


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
    configuration = settings.current()
    readiness.require_local(configuration)
    if incremental:
        _require_incremental(configuration, delete_bookings)
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        connections.ping(database.client)  # a lost server is found in seconds; the next question would wait for 30

        def start() -> RunRecord:
            trash.make_room(configuration=configuration, now=now)
            readiness.require_ready(configuration=configuration)
            audit.digest()  # a run that cannot be put on record is not started
            housekeeping.put_in_order(configuration=configuration, now=now)
            runs.ensure_indexes(database)
            document = new_document(configuration, created_by, delete_bookings, origin, now, idempotency_key, note)
            steps = runner.waiting_steps(pipelines.INCREMENTAL_STEPS if incremental else pipelines.STEPS)
            starter = None if enqueue else this_process().as_document()
            document.apply({"incremental_requested": incremental, "steps": steps, "starter": starter})
            create(database, document, configuration)
            return document

        document = idempotency.once(
            database, created_by=created_by, key=idempotency_key, delete_bookings=delete_bookings,
            incremental=incremental, now=now, start=start,
        )  # fmt: skip
    if document.replayed:
        return document
    details = {"delete_bookings": delete_bookings} | ({"incremental": True} if incremental else {})
    put_on_record(database, document, details=details)
    if enqueue:
        carry_out_backup.enqueue(backup_id=document.id)
    return document


def _require_incremental(configuration: Configuration, delete_bookings: bool) -> None:
    """Raise `InvalidInput` for one that is to delete, `IncrementalNeedsBuiltIn`."""
    if delete_bookings:
        raise InvalidInput(message=messages.INCREMENTAL_DELETES_NOTHING())
    if configuration.backup_engine == "mongodump":
        raise IncrementalNeedsBuiltIn()


def put_on_record(database: Database[Any], document: RunRecord, *, details: dict[str, Any]) -> None:
    """Write the audit row of a request. Where that fails the run is closed again: it must not block the next one."""
    try:
        audit.record(
            actor=document.created_by, origin=document.origin, action=f"{document.kind}.requested",
            target=document.id, result="accepted", now=document.created_at,
            details=details,
        )  # fmt: skip
    except RecordsUnavailable as error:
        changes = closing.closing_changes(document, published=False, error=error)
        runs.close_if_unchanged(database, document=document, changes=changes)
        raise


def new_document(
    configuration: Configuration,
    created_by: str,
    delete_bookings: bool,
    origin: Origin,
    now: datetime,
    idempotency_key: str | None,
    note: str,
) -> RunRecord:
    """Return the document of a new backup run, queued and without an id. A restore's begins as one too."""
    document = {
        "kind": "backup",
        "database": configuration.database_name,
        "host": this_process().host,
        "backup_timestamp": now,
        "created_at": now,
        "created_by": created_by,
        "origin": origin.value,
        "note": note,
        "status": Status.IN_PROGRESS.value,
        "sync_status": SyncStatus.IN_PROGRESS.value,
        "phase": Phase.QUEUED.value,
        "delete_bookings_requested": delete_bookings,
        "incremental_requested": False,
        "incremental": None,
        "steps": runner.waiting_steps(pipelines.STEPS),
        "collections_backed_up": [],
        "collections_deleted_local": [],
        "collections_deleted_remote": [],
        "documents": 0,
        "bytes": 0,
        "purge": None,
        "kept_changed": {"count": 0, "ids": []},
        "resume_available": False,
        "error_code": None,
        "error_message": None,
        "warnings": readiness.connection_warnings(configuration),
        "owner": None,
        "fence": 0,
        "cancel_requested": False,
        "cancelled_by": None,
        "idempotency_key": idempotency_key,
        **(
            {"idempotency_claim": idempotency.claim(created_by=created_by, key=idempotency_key)}
            if idempotency_key
            else {}
        ),
        "finished_at": None,
        "heartbeat_at": now,
    }
    return RunRecord(document)


def create(database: Database[Any], document: RunRecord, configuration: Configuration) -> None:
    """Give the run the first free id of its second, by the folders and by the records, and write it."""
    taken = set(preparation.store(configuration).taken_ids())
    for _ in range(TAKE_TRIES):
        backup_id = layout.new_backup_id(now=document.created_at, taken=taken)
        path = configuration.backup_dir / layout.published_name(backup_id)
        document.apply({"_id": backup_id, "backup_id": backup_id, "backup_path": str(path)})
        try:
            runs.create(database, document=document)
        except DuplicateKeyError:
            taken.add(backup_id)
            continue
        return
    raise InvalidInput(message=messages.TOO_MANY_RUNS())


@task()
def carry_out_backup(backup_id: str) -> None:
    """The worker's part. The queue's own status is not the truth: a run that somebody claimed is not run twice."""
    worker.execute(backup_id=backup_id)
    prune.after_run(backup_id=backup_id)


@task()
def carry_out_resume(backup_id: str) -> None:
    """The worker's part of Resume."""
    worker.execute_resume(backup_id=backup_id)


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
    """Wait until the run has ended or the time is over. Return its document as it then is."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        document = _known(backup_id)
        if document.status != Status.IN_PROGRESS or time.monotonic() >= deadline:
            return document
        if document.phase == Phase.QUEUED:
            recovery.close_unclaimed(database=preparation.local_database(settings.current()))
        time.sleep(POLL_SECONDS)


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
    would delete against are not here (what is left can still be kept), and what readiness refuses.
    """
    configuration = settings.current()
    readiness.require_local(configuration)
    document = _resumable(configuration, backup_id, now=now)
    if not keep:
        _require_files(configuration, document)
    action = "backup.keep_after_all" if keep else "backup.resume"
    audit.record(actor=requested_by, origin=origin, action=action, target=backup_id, result="accepted", now=now)
    if keep:
        keeping.keep_after_all(configuration=configuration, document=document)
        return _known(backup_id)
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


def _require_files(configuration: Configuration, document: RunRecord) -> None:
    try:
        preparation.store(configuration).folder(document.id)
    except BackupNotFound as error:
        raise lost_backups.named(error, configuration=configuration, backup_id=document.id) from error


def _known(backup_id: str) -> RunRecord:
    """Return the run's document. Raise `InvalidBackupId`, `BackupNotFound`, `DatabaseUnreachable`."""
    layout.check_id(backup_id)
    configuration = settings.current()
    with availability.asking(Side.LOCAL, configuration=configuration, seconds=KNOWN_SECONDS, fresh=True):
        document = runs.get(preparation.local_database(configuration), backup_id=backup_id)
    if document is None:
        raise BackupNotFound()
    return document
