"""Which runs have ended and are not reported yet: `reported_at` is written after the messages are in the outbox.

A process that is killed between the end of a run and its messages leaves it out; the worker's next minute finds it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database

from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.messages import stored
from backups_app.records import Status


def find(database: Database[Any], *, since: datetime) -> list[RunRecord]:
    """Return the runs that ended since then and are not reported, the oldest end first."""
    ended = {
        "status": {"$ne": Status.IN_PROGRESS.value},
        "finished_at": {"$gte": since},
        # A run may end again, after Resume. What is missing is less than any moment.
        "$expr": {"$lt": ["$reported_at", "$finished_at"]},
    }
    found = runs.collection(database).find(ended).sort("finished_at", ASCENDING).limit(100)
    return [RunRecord(stored.restored(document)) for document in found]


def remember_reported(database: Database[Any], *, backup_id: str, now: datetime) -> None:
    """Remember that the end of this run is reported."""
    runs.amend(database, backup_id=backup_id, changes={"reported_at": now})


def was_reported(document: RunRecord) -> bool:
    """Return whether an end of this run was reported: a deletion that is finished later ends the run once more."""
    return document.stored_fields("reported_at")["reported_at"] is not None
