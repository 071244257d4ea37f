"""Gives an unfinished deletion up: what it has not deleted stays ("keep after all")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymongo.database import Database

from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, NotResumable, RunActive
from backups_app.messages import use_cases as messages
from backups_app.records import StepState
from backups_app.runs import lease, pipelines, preparation
from backups_app.runs.closing import closing, outcome, reporting
from backups_app.runs.recovery import kept_deletions
from backups_app.runs.steps import purge_sides

PURGES = tuple(step.NAME for step in pipelines.PURGE_STEPS)


def keep_after_all(
    *, configuration: Configuration, backup_id: str, put_on_record: Callable[[], object] = lambda: None
) -> None:
    """Give up what a run has not deleted: its documents are ordinary ones again, and sync carries them.

    1. Read the run under the lease: a Resume may have ended meanwhile, or wait for its worker.
    2. Put the request on record (`put_on_record`).
    3. Write it into the run, unless a Resume was asked for in that moment. From then on nothing resumes it.
    4. Close its ledger. Where the process dies before that, the next run closes it (`clearing.clear_the_way`).

    Raise `RunActive` where the run goes on or another one does, `NotResumable` where nothing is left to keep,
    `BackupNotFound`; then nothing was changed.
    """
    database = preparation.local_database(configuration)
    with lease.held(database, seconds=configuration.lease_seconds):
        document = _unfinished(database, backup_id)
        put_on_record()
        if not runs.amend(database, backup_id=backup_id, changes=kept(document), resumable=True):
            raise runs.another_run(database)
        kept_deletions.release(database, run_id=backup_id)
        closing.seal(database, preparation.store(configuration), document=document)
        reporting.run_ended(database, document=document)


def _unfinished(database: Database[Any], backup_id: str) -> RunRecord:
    document = runs.get(database, backup_id=backup_id)
    if document is None:
        raise BackupNotFound()
    if document.in_progress:
        raise RunActive(backup_id=document.backup_id, created_by=document.created_by)
    if not outcome.keep_available(document):
        raise NotResumable()
    return document


def kept(document: RunRecord) -> dict[str, Any]:
    """Say in the run's document that what was not deleted stays. Return the change."""
    planned = document.purge.planned
    kept_purge = {"purge.kept_after_all": True} if planned else {"purge": {**purge_sides.NO_PLAN, "kept_after_all": True}}
    changes: dict[str, Any] = {**kept_purge, "resume_available": False}
    document.apply(changes)
    for step in document.steps:
        if step.name in PURGES and step.state is not StepState.DONE:
            kept = {"sentence": messages.KEPT_AFTER_ALL()}
            changes |= document.apply_to_step(step.name, kept)
    return changes
