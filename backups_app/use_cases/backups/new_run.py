"""The document of a run that is asked for: its fields, its id, its row in the audit trail."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from backups_app.access.trail import audit
from backups_app.backup_files import layout
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import InvalidInput, RecordsUnavailable
from backups_app.messages import use_cases as messages
from backups_app.records import Origin, Phase, Status, SyncStatus
from backups_app.runs import pipelines, preparation, runner
from backups_app.runs.closing import closing
from backups_app.runs.ownership import this_process
from backups_app.use_cases.backups import idempotency
from backups_app.use_cases.readiness import readiness

logger = logging.getLogger(__name__)

TAKE_TRIES = 100


def new_document(
    configuration: Configuration,
    *,
    created_by: str,
    delete_bookings: bool,
    origin: Origin,
    now: datetime,
    note: str,
    idempotency_key: str | None = None,
    incremental: bool = False,
    starter: Mapping[str, Any] | None = None,
) -> RunRecord:
    """Return the document of a new backup run, queued and without an id. A restore's begins as one too."""
    claim = idempotency.claim(created_by=created_by, key=idempotency_key) if idempotency_key else None
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
        "incremental_requested": incremental,
        "incremental": None,
        "steps": runner.waiting_steps(pipelines.INCREMENTAL_STEPS if incremental else pipelines.STEPS),
        **_nothing_done(),
        "warnings": readiness.connection_warnings(configuration),
        "owner": None,
        "starter": starter,
        "fence": 0,
        "cancel_requested": False,
        "cancelled_by": None,
        "idempotency_key": idempotency_key,
        **({"idempotency_claim": claim} if claim else {}),
        "finished_at": None,
        "heartbeat_at": now,
    }
    return RunRecord(document)


def _nothing_done() -> dict[str, Any]:
    """Return the fields of a result before there is one."""
    return {
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
    }


def create(database: Database[Any], document: RunRecord, configuration: Configuration) -> RunRecord:
    """Give the run the first free id of its second, by the folders and by the records, write it and return it."""
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
        return document
    raise InvalidInput(message=messages.TOO_MANY_RUNS())


def put_on_record(database: Database[Any], document: RunRecord, *, details: dict[str, Any]) -> None:
    """Write the audit row of a request, dated by the clock: a run of the demo is dated back, its rows are not. Where
    that fails the run is closed again: it must not block the next one."""
    try:
        audit.record(
            actor=document.created_by, origin=document.origin, action=f"{document.kind}.requested",
            target=document.id, result="accepted", now=timezone.now(),
            details=details,
        )  # fmt: skip
    except RecordsUnavailable as error:
        changes = closing.closing_changes(document, published=False, error=error)
        runs.close_if_unchanged(database, document=document, changes=changes)
        raise
    logger.info("Run asked for", extra={"run_id": document.id})
