"""Closes what a dead process left. It never deletes a document and never removes a published backup.

`runs/recovery/housekeeping.py` calls it: every minute in the worker, and before a run starts.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from pymongo.database import Database

from backups_app.backup_files import manifest as manifests
from backups_app.backup_files import metadata
from backups_app.backup_files.store.store import Store
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupNotFound,
    BackupRemoved,
    RunActive,
    RunCancelled,
    RunInterrupted,
    TempleOpsError,
    VerificationFailed,
    WorkerDown,
)
from backups_app.messages import runs as messages
from backups_app.mongo import connections, mongodump_process
from backups_app.progress import Silent
from backups_app.records import MAKES_A_BACKUP, Phase, Side
from backups_app.runs import declarations, lease, ownership, preparation, restore_messages
from backups_app.runs.closing import closing, end_messages, reporting
from backups_app.verification import verdict

logger = logging.getLogger(__name__)

UNCLAIMED_AFTER = timedelta(seconds=60)


def recover(*, configuration: Configuration, now: datetime) -> list[str]:
    """Close every stale run, in the order: unclaimed ones, then those whose owner is gone or silent.

    Return the ids that were closed. Only the holder of the lease decides; another holder means that somebody lives.
    """
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        closed = close_unclaimed(database=database)
        running = runs.active(database)
        if running is None or running.owner is None or not abandoned(database, running, configuration):
            return closed
        with suppress(RunActive), lease.held(database, seconds=configuration.lease_seconds):
            document = runs.active(database)
            if document is not None and document.fence == running.fence:
                close(configuration=configuration, database=database, document=document)
                closed.append(document.id)
    return closed


def abandoned(database: Database[Any], document: RunRecord, configuration: Configuration) -> bool:
    """Whether a run's owner is certainly gone on this host, or silent for as long as its lease lasts."""
    if document.owner is not None and ownership.is_gone(document.owner):
        return True
    silent = timedelta(seconds=configuration.lease_seconds)
    return any(stale.id == document.id for stale in runs.stale(database, older_than=silent))


def close_unclaimed(*, database: Database[Any]) -> list[str]:
    """Close runs that no worker took within a minute, and those of a command that is gone. Return their ids."""
    closed = []
    for document in runs.unclaimed(database, late_after=UNCLAIMED_AFTER):
        error = _why_unclaimed(document)
        if error is None:
            continue
        if _close(database, document, published=_was_published(document), error=error):
            closed.append(document.id)
    return closed


def _why_unclaimed(document: RunRecord) -> TempleOpsError | None:
    """Return what ended an unclaimed run, or None while it may still be taken."""
    starter = document.starter
    if starter is not None and ownership.is_gone(starter):
        return RunInterrupted()
    return WorkerDown(seconds=int(UNCLAIMED_AFTER.total_seconds())) if document.late else None


def close_cancelled(*, database: Database[Any], document: RunRecord) -> None:
    """Close a run that was cancelled before any worker took it."""
    _close(database, document, published=_was_published(document), error=RunCancelled())


def _was_published(document: RunRecord) -> bool:
    """Whether this is a run that was opened again for Resume: its backup was published long ago."""
    return document.has_done("publish")


def close(*, configuration: Configuration, database: Database[Any], document: RunRecord) -> None:
    """Decide about an abandoned run by what is there, and close it:

    1. its mongodump, if one still runs on this host, is ended;
    2. before publishing: failed, and its `.partial-*` is removed;
    3. from publishing on: the folder is verified again, then partial or success; only a host that has the store decides
       the folder, another one leaves it as partial.
    """
    _end_orphan(document)
    store = preparation.store(configuration)
    published = _published(store, document)
    lost = None if published or not _was_published(document) else _lost_backup_error(store, document)
    if not published and _is_here(store, document) and document.phase in declarations.phases_before_publishing():
        store.discard_partial(document.id, now=timezone.now())
    error = lost or _interrupted(document, published)
    if _close(database, document, published=published or lost is not None, error=error):
        closing.seal(database, store if published else None, document=document)


def _lost_backup_error(store: Store, document: RunRecord) -> TempleOpsError:
    """Return what became of a backup whose deletion had begun and that is not good any more: the run had published it,
    so it did not fail."""
    if document.id not in store.backups().ids:
        return BackupRemoved()
    return VerificationFailed(problem=messages.FILES_NOT_WHAT_WAS_VERIFIED())


def _interrupted(document: RunRecord, published: bool) -> TempleOpsError | None:
    """A run that died while finishing had done everything: its outcome is computed, not called interrupted."""
    if document.phase == Phase.RESTORING:
        return restore_messages.unfinished(document)
    done = published or restore_messages.has_result(document, document.steps)
    return None if done and document.phase == Phase.FINISHING else RunInterrupted()


def _published(store: Store, document: RunRecord) -> bool:
    """Whether a verified backup of this run is published, or can be: a run that died between verifying and renaming.

    Read again from the disk: what a dead process assumed is not evidence.
    """
    if document.kind not in MAKES_A_BACKUP:
        return False
    if document.phase in declarations.phases_before_publishing() and not _was_published(document):
        return False
    if not _is_here(store, document):
        return (
            True  # another host's disk: its folder is not ours to decide about, and it is never called failed from here
        )
    backup_id = document.id
    try:
        if backup_id in store.partials() and _verified(store.partial(backup_id)):
            store.publish(backup_id)
        return _verified(store.folder(backup_id))
    except BackupNotFound:
        return False


def _is_here(store: Store, document: RunRecord) -> bool:
    """Whether the folder of a run is in this host's store. In another database's store one of that id is not ours."""
    return store.store_id() == document.store_id and store.is_ours()


def _verified(folder: Any) -> bool:
    try:
        manifest = manifests.from_json(metadata.manifest_in(folder))
        verdict.recheck(folder=folder, manifest=manifest, progress=Silent())
    except (TempleOpsError, ValueError) as error:
        logger.error("A backup did not verify", extra={"folder": folder.name, "reason": str(error)})
        return False
    return True


def _close(database: Database[Any], document: RunRecord, *, published: bool, error: TempleOpsError | None) -> bool:
    wrote = end_messages.synced(database, document)
    changes = closing.closing_changes(document, published=published, error=error, wrote=wrote)
    sentences = closing.without_the_newest(document, published=published)
    changes["warnings"] = [*document.warnings, *sentences]
    if not runs.close_if_unchanged(database, document=document, changes=changes):
        return False
    document.apply(changes)
    closing.record_end(document)
    reporting.run_ended(database, document=document)
    return True


def _end_orphan(document: RunRecord) -> None:
    child = document.child
    if child and mongodump_process.end_orphan(mongodump_process.ChildProcess(**child)):
        logger.warning("Ended an orphaned mongodump", extra={"backup_id": document.id})
