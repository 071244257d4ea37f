"""`backup_metadata`: one document a run, the one truth that page, API, command and audit read.

    {_id: "20250119_143022", backup_id: "20250119_143022", kind: "backup",
     backup_timestamp: Date, created_at: Date, created_by: "ananya", origin: "web", note: "",
     backup_path: "backups/backup_20250119_143022", store_id: "…", host: "…", database: "temple_db",
     status, sync_status, phase, delete_bookings_requested, incremental_requested,
     incremental: {base: "20250119_020000", number: 3} or null,
     steps: [{name: "sync", state: "done", sentence: "14 pulled, 6 pushed", code, facts, started_at, finished_at,
              counts: {…}, labels: [{name: "bookings", done: 1240, total: 1240}]}, …],
     collections_backed_up: ["bookings", …], documents, bytes, engine, engine_version, consistency: {…},
     collections_deleted_local: ["activities (50 documents)", …], collections_deleted_remote: […],
     purge: {allowed: bool, sides: ["remote", "local"], withheld: {name: sentence},
             remote: {bookings: {deleted, gone, kept_changed, kept_ids: […], done: bool}, …}, local: {…}},
     kept_changed: {count, ids}, resume_available, error_code, error_message, error_details, error_facts, warnings,
     warning_details: [{code, facts, sentence}, …],
     owner: {host, pid, started, boot_id, token}, fence, heartbeat_at, cancel_requested, cancelled_by,
     idempotency_key, idempotency_claim: "ananya\\nkey", finished_at}

Every change after the claim is a compare-and-set on (`_id`, `fence`, `phase`). Without a match the run is lost: stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import DESCENDING, ReturnDocument
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from backups_app.catalog.run import record_shape, run_documents
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import OtherWorkActive, RunActive
from backups_app.messages import stored
from backups_app.records import Phase, Status

NAME = "backup_metadata"
ONE_ACTIVE_RUN = "one_active_run"
ONE_RUN_A_KEY = "one_run_a_key"
_RESUMABLE = {"status": Status.PARTIAL.value, "resume_available": True}


class ClaimTaken(Exception):
    """Another run of the same person has the same Idempotency-Key."""


def collection(database: Database[Any]) -> Collection[Any]:
    """Return `backup_metadata` of the local database."""
    return database[NAME]


def ensure_indexes(database: Database[Any]) -> None:
    """Make the indexes that refuse a second active run, and a second run of one Idempotency-Key. Call it only after
    readiness: it creates the collection."""
    collection(database).create_index(
        "status",
        name=ONE_ACTIVE_RUN,
        unique=True,
        partialFilterExpression={"status": Status.IN_PROGRESS.value},
    )
    collection(database).create_index(
        "idempotency_claim",
        name=ONE_RUN_A_KEY,
        unique=True,
        partialFilterExpression={"idempotency_claim": {"$type": "string"}},
    )


def create(database: Database[Any], *, document: RunRecord) -> None:
    """Write the document of a new run. Raise `RunActive` when another one runs, `ClaimTaken` when one has its key,
    `DuplicateKeyError` on its `_id`."""
    try:
        collection(database).insert_one(stored.with_details(document))
    except DuplicateKeyError as error:
        clash = (error.details or {}).get("keyPattern", {})
        if "idempotency_claim" in clash:
            raise ClaimTaken from error
        if "status" not in clash:
            raise
        raise another_run(database) from error


def another_run(database: Database[Any]) -> RunActive:
    """Return the refusal that names the run in progress."""
    running = active(database)
    if running is None:
        return OtherWorkActive(backup_id="unknown", created_by="somebody")
    return RunActive(backup_id=running.backup_id, created_by=running.created_by)


def get(database: Database[Any], *, backup_id: str) -> RunRecord | None:
    """Return the run's document, or None."""
    return _record(collection(database).find_one({"_id": backup_id}))


def active(database: Database[Any]) -> RunRecord | None:
    """Return the run in progress, or None."""
    return _record(collection(database).find_one({"status": Status.IN_PROGRESS.value}))


def recent(database: Database[Any], *, limit: int = 0, kinds: Iterable[str] = ()) -> list[RunRecord]:
    """Return runs whole, newest first by their recorded time, all or those of these kinds; `limit` 0 means all."""
    wanted = {"kind": {"$in": [*kinds]}} if kinds else {}
    found = collection(database).find(wanted).sort([("created_at", DESCENDING), ("_id", DESCENDING)])
    return _records(found.limit(limit))


def with_fields(database: Database[Any], *, names: Iterable[str]) -> list[RunRecord]:
    """Return every run with these stored fields alone."""
    return _records(collection(database).find({}, dict.fromkeys(names, True)))


def whole_runs(database: Database[Any], *, backup_ids: Iterable[str]) -> dict[str, RunRecord]:
    """Return these runs whole, by id, in one question; those that have no record are left out."""
    return {run.id: run for run in _records(collection(database).find({"_id": {"$in": [*backup_ids]}}))}


def ids(database: Database[Any]) -> frozenset[str]:
    """Return the ids of all runs that have a record."""
    return frozenset(collection(database).distinct("_id"))


def resumable(database: Database[Any]) -> list[RunRecord]:
    """Return the runs whose purge is unfinished, oldest first."""
    found = collection(database).find(_RESUMABLE)
    return _records(found.sort("created_at", 1))


def open_to_resume(database: Database[Any]) -> list[str]:
    """Return the ids of the runs that are in progress, or whose purge is unfinished."""
    wanted = {"$or": [{"status": Status.IN_PROGRESS.value}, {"resume_available": True}]}
    return [str(one) for one in collection(database).distinct("_id", wanted)]


def by_idempotency_key(database: Database[Any], *, created_by: str, key: str, since: datetime) -> RunRecord | None:
    """Return the run that this person started with this key after `since`, or None."""
    wanted = {"idempotency_key": key, "created_by": created_by, "created_at": {"$gte": since}}
    return _record(collection(database).find_one(wanted, sort=[("created_at", DESCENDING)]))


def _record(found: Mapping[str, Any] | None) -> RunRecord | None:
    """Return a stored document with its sentences as messages."""
    return None if found is None else readable(found)


def _records(found: Iterable[Mapping[str, Any]]) -> list[RunRecord]:
    return [readable(document) for document in found]


def readable(found: Mapping[str, Any]) -> RunRecord:
    """Return a stored document as a record. One that an earlier version rebuilt from a file that somebody had edited
    may hold anything."""
    return RunRecord(record_shape.without_wrong_fields(stored.restored(found)))


def release_claim(database: Database[Any], *, claim: str | None, older_than: datetime) -> None:
    """Let an Idempotency-Key be used again whose run was started before `older_than`."""
    collection(database).update_many(
        {"idempotency_claim": claim, "created_at": {"$lt": older_than}}, {"$unset": {"idempotency_claim": True}}
    )


def claim(database: Database[Any], *, backup_id: str, owner: Mapping[str, Any], fence: int) -> RunRecord | None:
    """Give a queued run this owner and its host. Return its document, or None when somebody else was quicker."""
    return _record(
        collection(database).find_one_and_update(
            {"_id": backup_id, "status": Status.IN_PROGRESS.value, "phase": Phase.QUEUED.value, "owner": None},
            run_documents.update(
                {"owner": dict(owner), "host": owner["host"], "fence": fence, "phase": Phase.PREFLIGHT.value}
            ),
            return_document=ReturnDocument.AFTER,
        )
    )


def reopen(
    database: Database[Any], *, backup_id: str, owner: Mapping[str, Any] | None, fence: int, phase: Phase
) -> RunRecord | None:
    """Open a partial run again for Resume. Return its document, or None when it is not resumable any more. The process
    that started the run is not the one that carries the Resume out: its end says nothing about it.

    Raise `RunActive` when another run is in progress: the same index that refuses a second trigger refuses this.
    """
    try:
        return _record(
            collection(database).find_one_and_update(
                {"_id": backup_id, **_RESUMABLE},
                run_documents.update(
                    {
                        "status": Status.IN_PROGRESS.value,
                        "phase": phase.value,
                        "owner": None if owner is None else dict(owner),
                        "starter": None,
                        "fence": fence,
                        "cancel_requested": False,
                        "finished_at": None,
                    }
                ),
                return_document=ReturnDocument.AFTER,
            )
        )
    except DuplicateKeyError as error:
        raise another_run(database) from error


def request_cancel(
    database: Database[Any], *, backup_id: str, requested_by: str, phases: Iterable[str]
) -> RunRecord | None:
    """Ask the owner to stop. Return the document, or None when the run has ended or is in none of these phases: then
    it finishes what it does by itself."""
    return _record(
        collection(database).find_one_and_update(
            {
                "_id": backup_id,
                "status": Status.IN_PROGRESS.value,
                "phase": {"$in": sorted(phases)},
            },
            {"$set": {"cancel_requested": True, "cancelled_by": requested_by}},
            return_document=ReturnDocument.AFTER,
        )
    )


def cancelled_by(database: Database[Any], *, backup_id: str) -> str | None:
    """Return who asked for the cancel of a run, or None."""
    document = collection(database).find_one({"_id": backup_id}, {"cancelled_by": True}) or {}
    return document.get("cancelled_by")


def unclaimed(database: Database[Any], *, late_after: timedelta) -> list[RunRecord]:
    """Return queued runs that no worker has taken, each with `late`: whether for so long, by the server's clock."""
    queued = {"status": Status.IN_PROGRESS.value, "phase": Phase.QUEUED.value, "owner": None}
    found = collection(database).aggregate([{"$match": queued}, {"$set": {"late": _silent(late_after)}}])
    return _records(found)


def stale(database: Database[Any], *, older_than: timedelta) -> list[RunRecord]:
    """Return owned runs whose heartbeat is older than `older_than`, by the server's clock."""
    owned = {"status": Status.IN_PROGRESS.value, "owner": {"$ne": None}, "$expr": _silent(older_than)}
    return _records(collection(database).find(owned))


def _silent(older_than: timedelta) -> dict[str, Any]:
    milliseconds = int(older_than.total_seconds() * 1000)
    return {"$lt": ["$heartbeat_at", {"$subtract": ["$$NOW", milliseconds]}]}


def close_if_unchanged(database: Database[Any], *, document: RunRecord, changes: Mapping[str, Any]) -> bool:
    """Finish a run whose owner is gone. Return False when it moved on meanwhile: then it is not ours to close."""
    result = collection(database).update_one(
        {
            "_id": document["_id"],
            "status": Status.IN_PROGRESS.value,
            "phase": document["phase"],
            "fence": document["fence"],
            "heartbeat_at": document["heartbeat_at"],
        },
        {"$set": stored.with_details(changes)},
    )
    return result.matched_count == 1


def amend(database: Database[Any], *, backup_id: str, changes: Mapping[str, Any], resumable: bool = False) -> bool:
    """Change fields of a run that has ended (`resume_available`, a note), or, with `resumable`, of one alone whose
    deletion is unfinished. Never touches one in progress. Return whether there was such a run."""
    ended: dict[str, Any] = {"_id": backup_id, "status": {"$ne": Status.IN_PROGRESS.value}}
    wanted = ended | (_RESUMABLE if resumable else {})
    return collection(database).update_one(wanted, {"$set": stored.with_details(changes)}).matched_count == 1


def restore_record(database: Database[Any], *, document: RunRecord) -> None:
    """Write a record rebuilt from a folder, unless the run has one."""
    collection(database).update_one(
        {"_id": document["_id"]}, {"$setOnInsert": stored.with_details(document)}, upsert=True
    )
