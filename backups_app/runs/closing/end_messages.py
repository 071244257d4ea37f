"""What a run's end says beside its reason: that its deletion step did not run, and what the sync before had changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.sync import sync_logs
from backups_app.catalog.sync.sync_record import WRITES
from backups_app.errors import DatabaseUnreachable, SyncAborted, SyncInterrupted
from backups_app.messages import runs as messages
from backups_app.messages.message import Message, Sentence, code_of, together
from backups_app.records import RunKind, StepState, SyncStatus

logger = logging.getLogger(__name__)

WROTE_NOTHING: Mapping[str, int] = {}


def synced(database: Database[Any], document: RunRecord) -> Mapping[str, int] | None:
    """Return what this run's sync wrote, by count, without zeros; empty when it wrote nothing; None when nobody knows,
    for it was killed, or its log cannot be read."""
    step = document.step("sync")
    if step is None or step.state in (StepState.WAITING, StepState.SKIPPED):
        return WROTE_NOTHING
    try:
        log = sync_logs.of_run(database, run_id=document.id)
    except PyMongoError as error:
        logger.warning("The log of a sync cannot be read", extra={"backup_id": document.id}, exc_info=error)
        return None
    if log is None:  # it is written before anything else
        return WROTE_NOTHING
    return log.writes


def deletion(document: RunRecord, *, wrote: Mapping[str, int] | None, error_code: str, reason: str) -> str:
    """Return the sentences that follow the reason why a run did not do everything. Empty where its deletion step did
    run, which says so itself, and for a restore, which has none. `reason` is the reason."""
    if document.kind != RunKind.BACKUP or document.incremental.requested or document.purge.allowed:
        return ""
    unreachable = document.sync_status == SyncStatus.FAILED and error_code == DatabaseUnreachable.code
    step = (messages.STEP_DID_NOT_RUN_WITHOUT_ATLAS if unreachable else messages.STEP_DID_NOT_RUN)()
    if code_of(reason) == SyncInterrupted.declared.code:  # it counts what the sync did
        return step
    if wrote is not None and not wrote:
        return together("" if code_of(reason) == SyncAborted.declared.code else step, messages.NOTHING_DELETED())
    return together(step, *changed(wrote))


def changed(wrote: Mapping[str, int] | None) -> tuple[Message, ...]:
    """Return what a sync had changed, and where the versions it replaced are."""
    if wrote is None:
        return messages.SYNC_BEFORE_UNKNOWN(), messages.KEPT()
    return _counted(wrote, messages.SYNC_BEFORE, messages.SYNC_BEFORE_DELETED), messages.KEPT()


def half_way(wrote: Mapping[str, int]) -> Message:
    """Return what a sync by itself had done before it failed."""
    counted = _counted(wrote, messages.BEFORE_THAT, messages.BEFORE_THAT_DELETED)
    return together(counted, messages.KEPT(), messages.NEXT_SYNC_GOES_ON())


def _counted(wrote: Mapping[str, int], exchanged: Sentence, exchanged_and_deleted: Sentence) -> Message:
    pulled, pushed, here, there = (wrote.get(name, 0) for name in WRITES)
    if wrote.keys().isdisjoint(("deleted_local", "deleted_remote")):
        return exchanged(pulled=pulled, pushed=pushed, n=pushed)
    return exchanged_and_deleted(pulled=pulled, pushed=pushed, n=pushed, here=here, there=there)


def without_the_newest(document: RunRecord, *, published: bool) -> bool:
    """Whether there is a backup, and the sync before it failed."""
    return published and document.kind == RunKind.BACKUP and document.sync_status == SyncStatus.FAILED
