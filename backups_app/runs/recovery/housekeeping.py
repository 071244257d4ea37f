"""What the worker's tick and the start of a run put in order. Reading a list, a run or a status writes nothing.

tick(configuration)            every minute of the worker
  put_in_order(configuration)  also before a run starts
    1. close what a dead process left        recovery.recover
    2. write lost records again              rebuild_records
  write missing audit events of ends         missing_ends.write
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from bson.errors import BSONError
from pymongo.database import Database
from pymongo.errors import DocumentTooLarge, WriteError

from backups_app.backup_files.store.store import Store
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.runs.description import description
from backups_app.runs.recovery import missing_ends, recovery

logger = logging.getLogger(__name__)

REFUSED = (BSONError, DocumentTooLarge, WriteError, ValueError, TypeError, OverflowError, RecursionError)
"""What is wrong with one record, and not with the server."""


def tick(*, configuration: Configuration, now: datetime) -> None:
    """Put in order what the last minute left. A server that does not answer is not a reason to stop working, and keeps
    the other looks of the worker waiting for five seconds, not for 30."""
    try:
        if configuration.is_local and configuration.local_url:
            with connections.reachable(Side.LOCAL):
                database = preparation.answering_database(configuration)
            put_in_order(configuration=configuration, now=now)
            with connections.reachable(Side.LOCAL):
                missing_ends.write(database, now=now)
    except TempleOpsError as error:
        logger.warning("Housekeeping could not be done", extra={"code": error.code})


def put_in_order(*, configuration: Configuration, now: datetime) -> list[str]:
    """Close stale runs, then rebuild lost records. Return the ids of the runs that were closed.

    Raise `DatabaseUnreachable` and what else the local server refuses.
    """
    closed = recovery.recover(configuration=configuration, now=now)
    with connections.reachable(Side.LOCAL):
        rebuild_records(database=preparation.local_database(configuration), store=preparation.store(configuration))
    return closed


def rebuild_records(*, database: Database[Any], store: Store) -> list[str]:
    """Write the record of every verified backup of this database that has none, from its `metadata.json`.

    A record that is there is never replaced. One that MongoDB does not take is named in the log and does not keep the
    others away. Return the ids that were written. Raise PyMongoError where the server fails.
    """
    known = runs.ids(database)
    lost = [description.merged(store, backup_id, None) for backup_id in store.backups().ids if backup_id not in known]
    ours = [run for run in lost if run.verified and run.database in ("", database.name)]
    return [run.id for run in ours if _restored(database, run)]


def _restored(database: Database[Any], run: RunRecord) -> bool:
    stored = {name: value for name, value in run.items() if name not in description.ADDED_BY_READERS}
    try:
        runs.restore_record(database, document=RunRecord(stored))
    except REFUSED as error:
        reason = type(error).__name__
        logger.warning("A lost record cannot be written again", extra={"backup_id": run.id, "reason": reason})
        return False
    return True
