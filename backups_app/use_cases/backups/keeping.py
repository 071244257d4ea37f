"""Gives an unfinished deletion up: what it has not deleted stays ("keep after all")."""

from __future__ import annotations

from typing import Any

from backups_app.catalog import purge_ledger
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.sync import sync_base
from backups_app.configuration import Configuration
from backups_app.messages import use_cases as messages
from backups_app.records import StepState
from backups_app.runs import lease, pipelines, preparation
from backups_app.runs.closing import closing, reporting
from backups_app.runs.steps import purge_sides

PURGES = tuple(step.NAME for step in pipelines.PURGE_STEPS)


def keep_after_all(*, configuration: Configuration, document: RunRecord) -> None:
    """Close the ledger of the run: its remaining documents are ordinary ones again, and sync carries them. Raise
    `RunActive`."""
    database = preparation.local_database(configuration)
    with lease.held(database, seconds=configuration.lease_seconds):
        # Without its base a document that one side lost is simply new on the other: the next sync copies it back.
        for name, ids in purge_ledger.open_documents(database, run_id=document.id):
            sync_base.forget(database, collection=name, ids=ids)
        purge_ledger.close_all_for_run(database, run_id=document.id)
        changes = kept(document)
        runs.amend(database, backup_id=document.id, changes=changes)
        closing.seal(database, preparation.store(configuration), document=document)
        reporting.run_ended(database, document=document)


def kept(document: RunRecord) -> dict[str, Any]:
    """Say in the run's document that what was not deleted stays. Return the change."""
    purge = document.purge.stored if document.purge.planned else purge_sides.NO_PLAN
    changes: dict[str, Any] = {"purge": {**purge, "kept_after_all": True}, "resume_available": False}
    document.apply(changes)
    for step in document.steps:
        if step.name in PURGES and step.state is not StepState.DONE:
            kept = {"sentence": messages.KEPT_AFTER_ALL()}
            changes |= document.apply_to_step(step.name, kept)
    return changes
