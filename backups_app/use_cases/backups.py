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
from backups_app.catalog import purge_ledger, runs, sync_base
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupNotFound,
    DatabaseUnreachable,
    InvalidInput,
    NotCancellable,
    NotResumable,
    RecordsUnavailable,
    RunInterrupted,
)
from backups_app.messages import use_cases as messages
from backups_app.mongo import availability, connections
from backups_app.records import Origin, Phase, RunDocument, Side, Status, StepState, SyncStatus
from backups_app.runs import (
    closing,
    housekeeping,
    pipelines,
    preparation,
    purge_sides,
    recovery,
    reporting,
    runner,
    worker,
)
from backups_app.runs.ownership import this_process
from backups_app.runs.progress import Listener
from backups_app.use_cases import idempotency, lost_backups, readiness
from backups_app.use_cases.retention import prune

POLL_SECONDS, TAKE_TRIES = 0.2, 100
KNOWN_SECONDS = 5
"""So long the record of a run may take: whoever asks for it waits."""


def start_backup(
    *,
    created_by: str,
    delete_bookings: bool,
    origin: Origin,
    now: datetime,
    idempotency_key: str | None = None,
    note: str = "",
    enqueue: bool = True,
) -> RunDocument:
    """Start a run and return its document. With `enqueue` a worker carries it out, else the caller does (`execute`).

    `delete_bookings` must be a real boolean. The same `idempotency_key` of the same person returns the run it
    started before, marked `replayed`. Raise what readiness refuses by name, `RunActive`, `IdempotencyKeyReused`.
    """
    if not isinstance(delete_bookings, bool):
        raise InvalidInput(message=messages.DELETE_BOOKINGS_NOT_BOOLEAN())
    configuration = settings.current()
    readiness.require_local(configuration)
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        connections.ping(database.client)  # a lost server is found in seconds; the next question would wait for 30

        def start() -> RunDocument:
            readiness.require_ready(configuration=configuration)
            audit.digest()  # a run that cannot be put on record is not started
            housekeeping.put_in_order(configuration=configuration, now=now)
            runs.ensure_indexes(database)
            document = new_document(configuration, created_by, delete_bookings, origin, now, idempotency_key, note)
            document["starter"] = None if enqueue else this_process().as_document()
            create(database, document, configuration)
            return document

        document = idempotency.once(
            database, created_by=created_by, key=idempotency_key, delete_bookings=delete_bookings, now=now, start=start
        )
    if document.get("replayed"):
        return document
    put_on_record(database, document, details={"delete_bookings": delete_bookings})
    if enqueue:
        carry_out_backup.enqueue(backup_id=document["_id"])
    return document


def put_on_record(database: Database[Any], document: RunDocument, *, details: dict[str, Any]) -> None:
    """Write the audit row of a request. Where that fails the run is closed again: it must not block the next one."""
    try:
        audit.record(
            actor=document["created_by"], origin=document["origin"], action=f"{document['kind']}.requested",
            target=document["_id"], result="accepted", now=document["created_at"],
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
) -> RunDocument:
    """Return the document of a new backup run, queued and without an id. A restore's begins as one too."""
    return {
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


def create(database: Database[Any], document: RunDocument, configuration: Configuration) -> None:
    """Give the run the first free id of its second, by the folders and by the records, and write it."""
    taken = set(preparation.store(configuration).taken_ids())
    for _ in range(TAKE_TRIES):
        backup_id = layout.new_backup_id(now=document["created_at"], taken=taken)
        document |= {
            "_id": backup_id,
            "backup_id": backup_id,
            "backup_path": str(configuration.backup_dir / layout.published_name(backup_id)),
        }
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


def execute(*, backup_id: str, listener: Listener | None = None) -> RunDocument:
    """Carry a started run out in this process and return its final document. Raise `RunInterrupted` when the local
    server went away meanwhile: recovery will say how the run ended."""
    worker.execute(backup_id=backup_id, listener=listener)
    prune.after_run(backup_id=backup_id)
    try:
        return _known(backup_id)
    except DatabaseUnreachable as error:
        raise RunInterrupted() from error


def wait_for(*, backup_id: str, timeout_seconds: float) -> RunDocument:
    """Wait until the run has ended or the time is over. Return its document as it then is."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        document = _known(backup_id)
        if document["status"] != Status.IN_PROGRESS or time.monotonic() >= deadline:
            return document
        if document["phase"] == Phase.QUEUED:
            recovery.close_unclaimed(database=preparation.local_database(settings.current()))
        time.sleep(POLL_SECONDS)


def cancel(*, backup_id: str, requested_by: str, origin: Origin, now: datetime) -> RunDocument:
    """Ask a run to stop. It stops within seconds, at its next batch. Raise `NotCancellable`, `BackupNotFound`."""
    _known(backup_id)
    database = preparation.local_database(settings.current())
    document = runs.request_cancel(database, backup_id=backup_id, requested_by=requested_by)
    if document is None:
        raise NotCancellable()
    audit.record(
        actor=requested_by, origin=origin, action="backup.cancel", target=backup_id, result="accepted", now=now
    )
    if document["phase"] == Phase.QUEUED and document["owner"] is None:
        recovery.close_cancelled(database=database, document=document)
    return _known(backup_id)


def resume(
    *, backup_id: str, requested_by: str, origin: Origin, now: datetime, keep: bool = False, enqueue: bool = True
) -> RunDocument:
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
        return _keep_after_all(configuration, document)
    if enqueue:
        worker.reopen(database=preparation.local_database(configuration), backup_id=backup_id)
    carry_out_resume.enqueue(backup_id=backup_id) if enqueue else worker.execute_resume(backup_id=backup_id)
    return _known(backup_id)


def _resumable(configuration: Configuration, backup_id: str, *, now: datetime) -> RunDocument:
    """Return the run to resume. A record that was lost since the worker's last tick is rebuilt first."""
    try:
        document = _known(backup_id)
    except BackupNotFound:
        housekeeping.put_in_order(configuration=configuration, now=now)
        document = _known(backup_id)
    if not document.get("resume_available"):
        raise NotResumable()
    return document


def _require_files(configuration: Configuration, document: RunDocument) -> None:
    try:
        preparation.store(configuration).folder(document["_id"])
    except BackupNotFound as error:
        raise lost_backups.named(error, configuration=configuration, backup_id=document["_id"]) from error


def _keep_after_all(configuration: Configuration, document: RunDocument) -> RunDocument:
    """Close the ledger of the run: its remaining documents are ordinary ones again, and sync carries them."""
    database = preparation.local_database(configuration)
    with runner.leased(database, me=this_process(), seconds=configuration.lease_seconds) as fence:
        if fence is None:
            raise runs.another_run(database)
        # Without its base a document that one side lost is simply new on the other: the next sync copies it back.
        for name, ids in purge_ledger.open_documents(database, run_id=document["_id"]):
            sync_base.forget(database, collection=name, ids=ids)
        purge_ledger.close_all_for_run(database, run_id=document["_id"])
        document["purge"] = (document["purge"] or purge_sides.NO_PLAN) | {"kept_after_all": True}
        for step in document["steps"]:
            if step["name"] in ("purge_remote", "purge_local") and step["state"] != StepState.DONE:
                step.update(sentence=messages.KEPT_AFTER_ALL())
        changes = {"purge": document["purge"], "steps": document["steps"], "resume_available": False}
        runs.amend(database, backup_id=document["_id"], changes=changes)
        closing.seal(database, preparation.store(configuration), document=document | changes)
        reporting.run_ended(database, document=document | changes)
    return _known(document["_id"])


def _known(backup_id: str) -> RunDocument:
    """Return the run's document. Raise `InvalidBackupId`, `BackupNotFound`, `DatabaseUnreachable`."""
    layout.check_id(backup_id)
    configuration = settings.current()
    with availability.asking(Side.LOCAL, configuration=configuration, seconds=KNOWN_SECONDS, fresh=True):
        document = runs.get(preparation.local_database(configuration), backup_id=backup_id)
    if document is None:
        raise BackupNotFound()
    return document
