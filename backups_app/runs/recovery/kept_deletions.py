"""Lets the documents of a deletion go that a person gave up ("keep after all"): they are ordinary ones again."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

from backups_app.catalog import purge_ledger
from backups_app.catalog.run import runs
from backups_app.catalog.sync import sync_base


def release(database: Database[Any], *, run_id: str) -> None:
    """Close what the ledger has open of this run. Repeating is harmless.

    Call it under the lease, once the run's record says that the deletion was given up: before that, a Resume would go
    on with the batches that it had not begun.
    """
    # Without its base a document that one side lost is simply new on the other: the next sync copies it back.
    for name, ids in purge_ledger.open_documents(database, run_id=run_id):
        sync_base.forget(database, collection=name, ids=ids)
    purge_ledger.close_all_for_run(database, run_id=run_id)


def release_left_over(database: Database[Any]) -> list[str]:
    """Finish what a process that died in between had begun. Return the ids of the runs. Call it under the lease."""
    records = (runs.get(database, backup_id=run_id) for run_id in purge_ledger.runs_with_open(database))
    given_up = [run.id for run in records if run is not None and not run.in_progress and run.purge.kept_after_all]
    for run_id in given_up:
        release(database, run_id=run_id)
    return given_up
