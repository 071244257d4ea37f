"""`sync_conflicts`: the bytes of every version that a sync replaced or deleted, kept before it did so.

    {_id: "5f…", run_id, collection: "bookings", document_id: …, key: Binary, side: "remote",
     kind: "replaced" | "deleted", reason: "conflict" | "edit" | "deletion", why: "the local version is newer",
     bytes: Binary, sha256: "…", other: Binary | null, other_sha256: "…" | null, parts: 0, kept_at: Date, applied: bool,
     put_back_at: Date}

`bytes` is the replaced version, `other` the one that replaced it (only for a real conflict, and when both fit).
`applied` is false when the write that should have followed did not happen, or its end is not known. `_id` is derived
from collection, key, side and both hashes: a repeated attempt writes one document. Backups hold this collection. A
version too large for one document lies in `parts` more, `{_id: "5f…:0", part_of: "5f…", bytes}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import DESCENDING
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.operations import UpdateOne
from pymongo.write_concern import WriteConcern

from backups_app import batches
from backups_app.catalog.sync import replaced_version
from backups_app.catalog.sync.replaced_version import ReplacedVersion
from backups_app.messages import stored
from backups_app.mongo.exact_writes import delete, live_collection

NAME = "sync_conflicts"
KEPT_DAYS = 90
WRITE_BYTES = 16 * 1024 * 1024
BATCH_DOCUMENTS = 500
_AWARE: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument, tz_aware=True)
_DURABLE = WriteConcern(w="majority", j=True)


def collection(database: Database[Any]) -> Collection[Any]:
    """Return `sync_conflicts` of the local database, with durable writes."""
    return database.get_collection(NAME, write_concern=_DURABLE)


def ensure_indexes(database: Database[Any]) -> None:
    """Make the index by which the newest are listed first."""
    collection(database).create_index([("kept_at", DESCENDING), ("_id", DESCENDING)], name="newest_first")


def keep(database: Database[Any], *, replaced_versions: Sequence[ReplacedVersion], run_id: str, now: datetime) -> None:
    """Keep these versions, majority and journaled, before they are touched. What is kept already stays as it is."""
    batch: list[UpdateOne] = []
    size = 0
    for replaced in replaced_versions:
        for document in replaced_version.documents_of(replaced, run_id=run_id, now=now):
            batch.append(UpdateOne({"_id": document.pop("_id")}, {"$setOnInsert": document}, upsert=True))
            size += len(document["bytes"]) + len(document.get("other") or b"")
            if size > WRITE_BYTES:
                collection(database).bulk_write(batch, ordered=True)
                batch, size = [], 0
    if batch:
        collection(database).bulk_write(batch, ordered=True)


def mark_applied(database: Database[Any], *, ids: Sequence[str]) -> None:
    """Record that these versions were replaced: the write was acknowledged."""
    if ids:
        collection(database).update_many({"_id": {"$in": list(ids)}}, {"$set": {"applied": True}})


def newest(
    database: Database[Any], *, only_conflicts: bool, limit: int, offset: int = 0, run_id: str = ""
) -> list[dict[str, Any]]:
    """Return kept versions, newest first, without their bytes; with `run_id` those of one sync."""
    wanted: dict[str, Any] = {"part_of": None} | ({"reason": "conflict"} if only_conflicts else {})
    wanted |= {"run_id": run_id} if run_id else {}
    found = collection(database).find(wanted, {"bytes": 0, "other": 0})
    page = found.sort([("kept_at", DESCENDING), ("_id", DESCENDING)]).skip(offset).limit(limit)
    return [{**one, **_why(one)} for one in page]


def count(database: Database[Any]) -> dict[str, int]:
    """Return how many kept versions there are, by the reason why each was kept."""
    groups: list[dict[str, Any]] = [{"$match": {"part_of": None}}, {"$group": {"_id": "$reason", "n": {"$sum": 1}}}]
    return {str(group["_id"]): int(group["n"]) for group in collection(database).aggregate(groups)}


def get(database: Database[Any], *, conflict_id: str) -> dict[str, Any] | None:
    """Return one kept version with its whole `bytes`, or None."""
    document: dict[str, Any] | None = collection(database).find_one({"_id": conflict_id, "part_of": None})
    if document is None:
        return None
    parts = [f"{conflict_id}:{number}" for number in range(document["parts"])]
    by_id = {part["_id"]: bytes(part["bytes"]) for part in collection(database).find({"_id": {"$in": parts}})}
    document["bytes"] = bytes(document["bytes"]) + b"".join(by_id[part] for part in parts)
    return document | _why(document)


def _why(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return why a version was kept, as a message."""
    return stored.restored({name: document[name] for name in ("why", "why_details") if name in document})


def mark_restored(database: Database[Any], *, conflict_id: str, now: datetime) -> None:
    """Remember that an admin put this version back."""
    collection(database).update_one({"_id": conflict_id}, {"$set": {"put_back_at": now}})


def has_expired(database: Database[Any], *, now: datetime) -> bool:
    """Whether some version was kept more than 90 days ago."""
    return collection(database).find_one({"kept_at": {"$lt": _limit(now)}}, {"_id": 1}) is not None


def expire(database: Database[Any], *, held: Callable[[], Iterator[bytes]], now: datetime) -> int:
    """Remove versions that were kept more than 90 days ago and that a backup holds. Return how many entries.

    `held` yields this collection as the backup holds it, raw, each time it is called. Only what is byte for byte the
    same is removed: what was kept or marked after the backup stays. The parts of a version go after its head. Raise
    PyMongoError and what `held` raises; repeating is harmless.
    """
    live = live_collection.inspect(collection=collection(database))

    def remove(frames: Sequence[bytes]) -> int:
        return len(delete.delete_equal(live=live, frames=frames).deleted)

    heads_held = (frame for frame in held() if _is_old_head(_raw(frame), now))
    removed = sum(remove(batch) for batch in _batches(heads_held))
    for batch in _batches(frame for frame in held() if "part_of" in _raw(frame)):
        heads = {_raw(frame)["part_of"] for frame in batch}
        standing = {one["_id"] for one in collection(database).find({"_id": {"$in": list(heads)}}, {"_id": 1})}
        remove([frame for frame in batch if _raw(frame)["part_of"] not in standing])
    return removed


def _is_old_head(document: RawBSONDocument, now: datetime) -> bool:
    kept_at = document.get("kept_at")
    return "part_of" not in document and isinstance(kept_at, datetime) and kept_at < _limit(now)


def _limit(now: datetime) -> datetime:
    return now - timedelta(days=KEPT_DAYS)


def _raw(frame: bytes) -> RawBSONDocument:
    return RawBSONDocument(frame, codec_options=_AWARE)


def _batches(frames: Iterable[bytes]) -> Iterator[list[bytes]]:
    return batches.cut(frames, size_of=len, most=BATCH_DOCUMENTS, most_bytes=WRITE_BYTES)
