"""`sync_logs`: one document a sync, however it ends.

{_id: "20250119_143022-5c1e…", run_id, status: "in_progress" | "success" | "failed", started_at, finished_at,
 seconds, pair, generation, dry_run, detection: {local: "stream" | "scan", remote: …, reasons: [sentence, …]},
 collections: [{name, found_by: "stream" | "scan", pulled, pushed, equal, conflicts, deleted_local, deleted_remote,
                edit_beat_deletion, kept_back, stale, held, unresolved, unresolved_documents: [{id, reason, other_id}],
                skipped: reason | null, blocked: reason | null, differences: [sentence, …], created_on, size_bytes,
                seconds}, …],
 totals: {pulled, pushed, …}, bytes, round_trips: {local, remote}, warnings: [sentence, …],
 proof: {…} | null, error_code, error_message, half_way: bool}
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo import DESCENDING
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from backups_app.catalog.sync.sync_record import SyncRecord
from backups_app.messages import stored

NAME = "sync_logs"
_DURABLE = WriteConcern(w="majority", j=True)


def collection(database: Database[Any]) -> Collection[Any]:
    """Return `sync_logs` of the local database, with durable writes."""
    return database.get_collection(NAME, write_concern=_DURABLE)


def begin(database: Database[Any], *, run_id: str, now: datetime) -> SyncRecord:
    """Write the document of a sync that starts. Return it."""
    log = SyncRecord(
        {
            "_id": f"{run_id}-{secrets.token_hex(4)}",
            "run_id": run_id,
            "status": "in_progress",
            "started_at": now,
            "finished_at": None,
        }
    )
    collection(database).insert_one(log)
    return log


def end(database: Database[Any], *, log: Mapping[str, Any]) -> None:
    """Write the document of a sync that ended, in whatever way."""
    collection(database).replace_one({"_id": log["_id"]}, stored.with_details(log), upsert=True)


def newest(database: Database[Any], *, limit: int = 20) -> list[SyncRecord]:
    """Return the documents of the last syncs, newest first."""
    found = collection(database).find().sort([("started_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
    return [SyncRecord(stored.restored(log)) for log in found]


def of_run(database: Database[Any], *, run_id: str) -> SyncRecord | None:
    """Return the newest document of a run, or None."""
    log = collection(database).find_one({"run_id": run_id}, sort=[("started_at", DESCENDING)])
    return None if log is None else SyncRecord(stored.restored(log))
