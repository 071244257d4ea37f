"""Which worker may carry a run out: one that has the backup which the run reads."""

from __future__ import annotations

import logging
import time
from typing import Any

from backups_app import configuration as settings
from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound
from backups_app.mongo import connections
from backups_app.records import Phase, Side
from backups_app.runs import preparation
from backups_app.use_cases.listing import lost_backups

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""So that two workers without the folder do not hand a job to and fro all the time."""


def require_files(configuration: Configuration, document: RunRecord) -> None:
    """Raise `BackupRemoved` or `BackupElsewhere` where the files of a run's backup are not here."""
    try:
        preparation.store(configuration).folder(document.id)
    except BackupNotFound as error:
        raise lost_backups.named(error, configuration=configuration, backup_id=document.id) from error


def handed_on(task: Any, *, backup_id: str) -> bool:
    """Put the job of a run whose backup lies in another host's folder back into the queue, for the worker there.
    Return whether that was done. A run that nobody takes is closed after a minute, like any other."""
    if not _belongs_elsewhere(backup_id):
        return False
    logger.info("The run is left to the host that has the backup", extra={"run_id": backup_id})
    time.sleep(PAUSE_SECONDS)
    task.enqueue(backup_id=backup_id)
    return True


def _belongs_elsewhere(backup_id: str) -> bool:
    configuration = settings.current()
    store, database = preparation.store(configuration), preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        run = runs.get(database, backup_id=backup_id)
        needed = _needed(run) if run is not None and run.phase == Phase.QUEUED and run.owner is None else ""
        if not needed or needed in store.backups().ids:
            return False
        source = runs.get(database, backup_id=needed)
    if source is None:
        return False
    return whereabouts.files_of(source, here=False, store_id=store.store_id()) is Files.ELSEWHERE


def _needed(run: RunRecord) -> str:
    """Return the backup that a run reads: the one that it restores, or its own where its deletion is resumed."""
    if run.is_restore:
        return "" if run.restore.copy_at else str(run.restore.choices.get("backup_id") or "")
    return run.id if run.has_done("publish") else ""
