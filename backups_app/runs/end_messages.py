"""What a run's end says beside its reason: that its deletion step did not run, and what the sync before had changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app import formats
from backups_app.catalog import sync_logs
from backups_app.catalog.run_record import RunRecord
from backups_app.errors import SyncAborted
from backups_app.records import RunKind, StepState, SyncStatus

logger = logging.getLogger(__name__)

NOTHING_DELETED = "Nothing was deleted by this run."
STEP_DID_NOT_RUN = "The deletion step did not run."
KEPT = "What it replaced or deleted is kept: see Replaced versions on the page Sync conflicts."
WITHOUT_THE_NEWEST = "The backup was made without the newest changes from Atlas."

WROTE_NOTHING: Mapping[str, int] = {}
WRITES = ("pulled", "pushed", "deleted_local", "deleted_remote")


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
    return written(log)


def written(log: Mapping[str, Any]) -> Mapping[str, int] | None:
    """Return what a sync wrote by its log, by count, without zeros; None where it was killed before it could say."""
    totals = log.get("totals")
    return None if totals is None else {name: totals[name] for name in WRITES if totals.get(name)}


def deletion(document: RunRecord, *, wrote: Mapping[str, int] | None, error_code: str | None, said: str) -> str:
    """Return the sentences that follow the reason why a run did not do everything. Empty where its deletion step did
    run, which tells of itself, and for a restore, which has none."""
    if document.kind != RunKind.BACKUP or document.purge.allowed:
        return ""
    if "pulled" in said:  # the reason told it already
        return STEP_DID_NOT_RUN
    if wrote is not None and not wrote:
        return NOTHING_DELETED if said.startswith(SyncAborted.sentence) else f"{STEP_DID_NOT_RUN} {NOTHING_DELETED}"
    return f"{STEP_DID_NOT_RUN} {changed(wrote)}"


def changed(wrote: Mapping[str, int] | None) -> str:
    """Return what a sync had changed, and where what it took away is."""
    if wrote is None:
        return f"How much the sync before it had changed is not on record. {KEPT}"
    return f"The sync before it {_counted(wrote)}. {KEPT}"


def half_way(wrote: Mapping[str, int]) -> str:
    """Return what a sync by itself had done before it failed."""
    return f"Before that, this sync {_counted(wrote)}. {KEPT} The next sync goes on from there."


def _counted(wrote: Mapping[str, int]) -> str:
    pulled, pushed, here, there = (formats.grouped(wrote.get(name, 0)) for name in WRITES)
    if wrote.keys().isdisjoint(("deleted_local", "deleted_remote")):
        return f"pulled {pulled} and pushed {pushed} documents"
    return f"pulled {pulled} and pushed {pushed} documents, and deleted {here} on this computer and {there} on Atlas"


def without_the_newest(document: RunRecord, *, published: bool) -> bool:
    """Whether there is a backup, and the sync before it failed."""
    return published and document.kind == RunKind.BACKUP and document.sync_status == SyncStatus.FAILED
