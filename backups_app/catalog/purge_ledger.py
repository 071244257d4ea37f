"""`backup_purge_ledger`: what we are deleting on purpose, written before the first delete of each batch.

    {_id: {run: "20250119_143022", collection: "bookings", first: 12500}, run, collection, first, state: "open",
     open: ["remote", "local"], begun: ["remote"], documents: [{id: …, sha256: Binary}, …], released: [{id: …}, …],
     seen: {remote: {deleted: 498, gone: 0, kept: [17, 40]}}, opened_at, closed_at, reason: "purged"}

One entry a batch; `first` is the number of its first document in the backup's file, so that a repeated attempt finds
its entry again. An entry is open until every side was seen without the documents, or with other bytes (kept). Sync
neither copies nor deletes a key with an open entry. A side is `begun` before the first delete there: what is absent
then, and was never `seen`, was deleted by an attempt that did not live to say so. `released` are those that a restore
took back: no purge touches them again. `kept` numbers the kept ones within the batch. Every write is majority and
journaled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError
from pymongo.operations import IndexModel
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from backups_app import batches
from backups_app.catalog import ledger_documents
from backups_app.mongo import raw_bson, raw_ids
from backups_app.records import Side

NAME = "backup_purge_ledger"
IDS_AT_ONCE = 1_000
BYTES_AT_ONCE = 4 * 1024 * 1024
OPEN, CLOSED = "open", "closed"

_DURABLE = WriteConcern(w="majority", j=True)
_INDEXES = [
    IndexModel([("collection", 1), ("documents.id", 1)], name="open_ids", partialFilterExpression={"state": OPEN}),
    IndexModel([("run", 1), ("collection", 1)], name="run"),
    IndexModel([("closed_at", 1)], name="closed_at"),
]


@dataclass(frozen=True, kw_only=True)
class SeenOnSide:
    """What was seen on a side after its deletes. `skipped` numbers the changed documents within the batch."""

    deleted: int = 0
    already_absent: int = 0
    skipped: tuple[int, ...] = ()

    def as_stored(self) -> dict[str, Any]:
        """Return the fields under the names of the ledger."""
        return {"deleted": self.deleted, "gone": self.already_absent, "kept": list(self.skipped)}

    @classmethod
    def of_stored(cls, fields: Mapping[str, Any]) -> SeenOnSide:
        """Return what the ledger stored."""
        return cls(deleted=fields["deleted"], already_absent=fields["gone"], skipped=tuple(fields["kept"]))


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One batch of one run, as the ledger has it. `released` holds keys (`raw_ids.key`). `begun_before`: the sides of
    which an earlier attempt was about to delete."""

    run_id: str
    collection: str
    first: int
    open_sides: frozenset[Side]
    begun_before: frozenset[Side] = frozenset()
    released: frozenset[bytes] = frozenset()
    seen: Mapping[Side, SeenOnSide] = field(default_factory=dict)

    @property
    def identity(self) -> dict[str, Any]:
        return {"run": self.run_id, "collection": self.collection, "first": self.first}

    def is_unrecorded(self, side: Side) -> bool:
        """Whether an earlier attempt began this side and did not live, or did not get an answer, to say what it saw."""
        return side in self.begun_before and side not in self.seen


class TooLargeToRemember(Exception):
    """A document whose `_id` is so large that no entry can hold it: it must not be deleted."""


def entries(database: Database[Any]) -> Collection[Any]:
    """Return the ledger of the local database: reads and writes by majority."""
    return database.get_collection(NAME, write_concern=_DURABLE, read_concern=ReadConcern("majority"))


def ensure_indexes(database: Database[Any]) -> None:
    """Make the indexes; repeating is harmless. Every lookup by `_id` of a document uses the first."""
    entries(database).create_indexes(_INDEXES)


def open_batch(
    database: Database[Any],
    *,
    run_id: str,
    collection: str,
    first: int,
    frames: Sequence[bytes],
    sides: Sequence[Side],
    now: datetime,
    begins: Side | None = None,
    released: Sequence[bytes] = (),
) -> LedgerEntry:
    """Write the entry of a batch, or find the one that an earlier attempt of the same run wrote, and note in it which
    side `begins` (the first of `sides`). Of a new one the raw ids `released` are those of a restore. Return it.

    When this returns it is on the disk of a majority: only then may the first of these documents be deleted there.
    Raise `TooLargeToRemember` for `_id`s of more than 4 MiB together.
    """
    ids = raw_ids.ids_of(frames)
    if sum(map(len, ids)) > BYTES_AT_ONCE:
        raise TooLargeToRemember
    side = begins or sides[0]
    keys = frozenset(map(raw_ids.key, released))
    entry = LedgerEntry(run_id=run_id, collection=collection, first=first, open_sides=frozenset(sides), released=keys)
    fields: dict[str, Any] = {
        "_id": entry.identity,
        **entry.identity,
        "state": OPEN,
        "open": [one.value for one in sides],
        "begun": [side.value],
        "documents": [],
        "released": [_as_released(raw_id) for raw_id in released],
        "seen": {},
        "opened_at": now,
    }
    try:
        entries(database).insert_one(ledger_documents.with_documents(bson.encode(fields), ids, frames))
    except DuplicateKeyError:
        return _begin(database, entry, side)
    return entry


def close_side(
    database: Database[Any], *, entry: LedgerEntry, side: Side, seen: SeenOnSide, finished: bool, reason: str = "purged"
) -> None:
    """Record what a side was seen to be. `finished`: every document of the batch was seen gone or kept there, so the
    side is closed, and with the last side the entry."""
    update: dict[str, Any] = {"$set": {f"seen.{side.value}": seen.as_stored()}}
    if finished:
        update["$pull"] = {"open": side.value}
        if entry.open_sides <= {side}:
            update["$set"] |= {"state": CLOSED, "reason": reason}
            update["$currentDate"] = {"closed_at": True}
    entries(database).update_one({"_id": entry.identity}, update)


def close_entries(database: Database[Any], *, entries_to_close: Sequence[LedgerEntry], side: Side) -> None:
    """Close entries of which `side` was the last open one, and whose every document was seen gone or kept there."""
    if not entries_to_close:
        return
    closing = {
        "$pull": {"open": side.value},
        "$set": {"state": CLOSED, "reason": "purged"},
        "$currentDate": {"closed_at": True},
    }
    identities = [entry.identity for entry in entries_to_close]
    entries(database).update_many({"_id": {"$in": identities}, "open": [side.value]}, closing)


def open_ids(database: Database[Any], *, collection: str, ids: Sequence[bytes]) -> set[bytes]:
    """Given raw ids, return those with an open entry, compared as the `_id` index compares them (1 = 1.0)."""
    held: set[bytes] = set()
    for part in in_parts(ids):
        for document in _open_entries(database, collection, part):
            held |= keys_in(document, "documents") - keys_in(document, "released")
    return {raw_id for raw_id in ids if held and raw_ids.key(raw_id) in held}


def open_collections(database: Database[Any], *, run_id: str) -> list[str]:
    """Return the names of the collections that have an open entry of this run."""
    return sorted(entries(database).distinct("collection", {"run": run_id, "state": OPEN}))


def open_for_run(database: Database[Any], *, run_id: str) -> dict[str, int]:
    """Return how many documents of each collection are in open entries of this run."""
    stages: list[dict[str, Any]] = [
        {"$match": {"run": run_id, "state": OPEN}},
        {"$group": {"_id": "$collection", "n": {"$sum": {"$size": "$documents"}}}},
    ]
    return {found["_id"]: found["n"] for found in entries(database).aggregate(stages)}


def runs_with_open(database: Database[Any]) -> list[str]:
    """Return the ids of the runs that have an open entry, oldest first."""
    return sorted(entries(database).distinct("run", {"state": OPEN}))


def open_documents(database: Database[Any], *, run_id: str) -> Iterator[tuple[str, list[bytes]]]:
    """Yield what is open of a run, entry by entry: its collection and the raw ids."""
    for document in raw_entries(database).find({"run": run_id, "state": OPEN}, {"collection": 1, "documents.id": 1}):
        yield document["collection"], list(ids_in(bytes(document.raw), "documents"))


def close_all_for_run(database: Database[Any], *, run_id: str, reason: str = "kept_after_all") -> int:
    """Close what is open of a run, whatever was seen: its documents are ordinary again. Return how many entries."""
    closing = {"$set": {"state": CLOSED, "reason": reason}, "$currentDate": {"closed_at": True}}
    return entries(database).update_many({"run": run_id, "state": OPEN}, closing).modified_count


def close_for_restore(database: Database[Any], *, collection: str, is_chosen: Callable[[bytes], bool]) -> int:
    """Release the documents of a restore (`is_chosen`, given a key) from every open entry, before it writes the first:
    no resumed purge touches them again, and sync carries them. Return how many were released."""
    released = 0
    shown = {"documents.id": 1, "released": 1}
    for document in raw_entries(database).find({"state": OPEN, "collection": collection}, shown):
        raw = bytes(document.raw)
        already = keys_in(raw, "released")
        all_of_it = {raw_ids.key(raw_id): raw_id for raw_id in ids_in(raw, "documents")}
        now_released = {key: raw_id for key, raw_id in all_of_it.items() if key in already or is_chosen(key)}
        if len(now_released) > len(already):
            released += len(now_released) - len(already)
            _release(database, raw, list(now_released.values()), closes=len(now_released) == len(all_of_it))
    return released


def expire(database: Database[Any], *, now: datetime, days: int) -> int:
    """Forget entries that were closed more than `days` days ago. Return how many. Open ones never expire."""
    long_closed = {"state": CLOSED, "closed_at": {"$lt": now - timedelta(days=days)}}
    return entries(database).delete_many(long_closed).deleted_count


def _begin(database: Database[Any], entry: LedgerEntry, side: Side) -> LedgerEntry:
    """Note that a side begins in an entry that is there. Return it as it was before."""
    noting = {"$addToSet": {"begun": side.value}}
    found = raw_entries(database).find_one_and_update({"_id": entry.identity}, noting)
    assert found is not None, "its insert was refused because it is there"
    raw = bytes(found.raw)
    fields = bson.decode(raw_bson.document((name.decode(), value) for name, value in _entry_fields(raw)))
    return replace(
        entry,
        open_sides=frozenset(map(Side, fields["open"] if fields["state"] == OPEN else [])),
        begun_before=frozenset(map(Side, fields.get("begun", []))),
        released=frozenset(keys_in(raw, "released")),
        seen={Side(name): SeenOnSide.of_stored(seen) for name, seen in fields["seen"].items()},
    )


def _entry_fields(raw: bytes) -> Iterator[tuple[bytes, raw_bson.Value]]:
    """Yield what an entry says besides its documents: those have `_id`s that only their bytes distinguish."""
    return (one for one in raw_bson.elements(raw) if one[0] in (b"state", b"open", b"begun", b"seen"))


def _open_entries(database: Database[Any], name: str, ids: Sequence[bytes]) -> Iterator[bytes]:
    among = RawBSONDocument(raw_bson.document([("$in", raw_ids.array(ids))]))
    wanted = {"state": OPEN, "collection": name, "documents.id": among}
    for document in raw_entries(database).find(wanted, {"documents.id": 1, "released": 1}):
        yield bytes(document.raw)


def _release(database: Database[Any], raw: bytes, ids: Iterable[bytes], *, closes: bool) -> None:
    identity = RawBSONDocument(next(value for name, value in raw_bson.elements(raw) if name == b"_id").data)
    update: dict[str, Any] = {"$set": {"released": [_as_released(raw_id) for raw_id in ids]}}
    if closes:
        update["$set"] |= {"state": CLOSED, "reason": "restored"}
        update["$currentDate"] = {"closed_at": True}
    entries(database).update_one({"_id": identity}, update)


def _as_released(raw_id: bytes) -> RawBSONDocument:
    return RawBSONDocument(raw_bson.document([("id", raw_ids.value(raw_id))]))


def ids_in(raw: bytes, field_name: str) -> Iterator[bytes]:
    """Yield the raw ids in an array of `{id: …}` of a raw entry."""
    for name, value in raw_bson.elements(raw):
        if name == field_name.encode():
            for _, member in raw_bson.elements(value.data):
                first = next(raw_bson.elements(member.data))[1]
                yield bytes([first.type]) + first.data


def keys_in(raw: bytes, field_name: str) -> set[bytes]:
    """Return their keys."""
    return {raw_ids.key(raw_id) for raw_id in ids_in(raw, field_name)}


def raw_entries(database: Database[Any]) -> Collection[RawBSONDocument]:
    """Return the ledger, its entries as bytes."""
    return entries(database).with_options(codec_options=CodecOptions(document_class=RawBSONDocument))


def in_parts(ids: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Cut ids into what one query carries. No server stores an `_id` that cannot be live, so those are left out."""
    return batches.cut(filter(raw_ids.can_be_live, ids), size_of=len, most=IDS_AT_ONCE, most_bytes=BYTES_AT_ONCE)
