"""`backup_sync_base`: for every document, the SHA-256 of the bytes that both sides had when last seen equal.

    {_id: {c: "bookings", d: 1, b: "0a"}, n: 812, g: 7, e: Binary}     one bucket of about a thousand documents
    {_id: {c: "bookings"}, d: 1}                                       how deep the collection's buckets are

A document belongs to the bucket whose name is the first `d` hex digits of its key's BLAKE2b. `e` packs the entries:
length of the raw `_id` (2 bytes), raw `_id`, hash (32 bytes). Packed, a million documents take 47 MB and are read in
a second. `g` is the generation that wrote the bucket: a sync that was overtaken by a later one cannot commit.

A restore marks the entries of the documents that it puts back: their hashes begin with eight zero bytes. The next sync
takes such a document for a new edit of this side, and still knows what Atlas had (`merge.outcome`).

Losing an entry, or being late with one, costs work or a recorded conflict, never data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bson.binary import Binary
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError
from pymongo.operations import InsertOne, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from backups_app import batches
from backups_app.errors import OwnershipLost
from backups_app.mongo import raw_ids

NAME = "backup_sync_base"
BUCKET_ENTRIES = 1_000
DEEPEST = 5
LONGEST_KEY = 1_024
"""Of longer keys only a hash is stored, so that a bucket of them stays a document that the server takes."""

_HASH_BYTES = 32
_RESTORED = bytes(8)
_MARKED_AT_ONCE = 100
_MARKED_BYTES = 4 * 1024 * 1024
_DUPLICATE_KEY = 11000
_DURABLE = WriteConcern(w="majority", j=True)


class BaseEntry(NamedTuple):
    """The raw `_id` under which a document was last seen, and the hash of its bytes."""

    raw_id: bytes
    hash: bytes


BaseEntries = dict[bytes, BaseEntry]
"""Entries by short key."""


def collection(database: Database[Any]) -> Collection[Any]:
    """Return `backup_sync_base` of the local database, with durable writes."""
    return database.get_collection(NAME, write_concern=_DURABLE, read_concern=ReadConcern("majority"))


def short(key: bytes) -> bytes:
    """Return the key (`raw_ids.key`) under which entries are found: itself, or the hash of a very long one."""
    return key if len(key) <= LONGEST_KEY else b"\0" + hashlib.sha256(key).digest()


def is_real(raw_id: bytes) -> bool:
    """Whether an entry's raw `_id` can be looked up: of a very long one only the hash is known."""
    return raw_id[:1] != b"\0"


def place(key: bytes) -> str:
    """Return where a short key belongs, as hex digits of which a bucket's name is the beginning."""
    return hashlib.blake2b(key, digest_size=8).hexdigest()


def forget(database: Database[Any], *, collection: str, ids: Iterable[bytes]) -> None:
    """Given raw `_id`s of documents that were purged, drop their entries: what comes back later is simply new."""
    keys = [raw_ids.key(raw_id) for raw_id in ids]
    SyncBase(database, name=collection, generation=None, expected=0).change(dict.fromkeys(keys))


def as_restored(hash_of_document: bytes) -> bytes:
    """Return a hash as an entry has it that a restore has marked. Marking it once more changes nothing."""
    return _RESTORED + hash_of_document[len(_RESTORED) :]


def is_restored(hash_of_entry: bytes) -> bool:
    """Whether a restore has marked the entry since both sides were last seen equal."""
    return hash_of_entry.startswith(_RESTORED)


def clear(database: Database[Any]) -> None:
    """Drop every entry: the next sync takes the union of both sides and deletes nothing."""
    _everything(database).delete_many({})


def clear_collection(database: Database[Any], *, name: str) -> None:
    """Drop the entries of one collection."""
    _everything(database).delete_many({"_id.c": name})


def _everything(database: Database[Any]) -> Collection[Any]:
    return collection(database)


class SyncBase:
    """The base of one collection, in the hands of one sync."""

    def __init__(self, database: Database[Any], *, name: str, generation: int | None, expected: int) -> None:
        """Given the generation that this sync announced (None: outside a sync) and about how many documents there
        are, open the base of a collection."""
        self.name = name
        self._stored = collection(database)
        self._generation = generation
        self._depth = self._fitting_depth(expected)

    def count(self) -> int:
        """Return how many documents have an entry."""
        stages: list[dict[str, Any]] = [
            {"$match": {"_id": self._range("")}},
            {"$group": {"_id": None, "n": {"$sum": "$n"}}},
        ]
        found = next(iter(self._stored.aggregate(stages)), None)
        return int(found["n"]) if found else 0

    def is_empty(self) -> bool:
        """Whether no document was ever seen equal on both sides."""
        return self._stored.find_one({"_id": self._range(""), "n": {"$gt": 0}}, {"_id": 1}) is None

    def read(self, keys: Iterable[bytes]) -> BaseEntries:
        """Return the entries of these keys (long or short), as far as there are any."""
        wanted = {short(key): key for key in keys}
        found: BaseEntries = {}
        for bucket in self._buckets({self._bucket(key) for key in wanted}):
            found.update((wanted[key], entry) for key, entry in _unpack(bucket["e"]).items() if key in wanted)
        return found

    def read_prefix(self, prefix: str) -> BaseEntries:
        """Return all entries whose place begins with these hex digits."""
        if len(prefix) > self._depth:
            [*buckets] = self._buckets({prefix[: self._depth]})
        else:
            [*buckets] = self._stored.find({"_id": self._range(prefix)})
        found: BaseEntries = {}
        for bucket in buckets:
            found.update(_unpack(bucket["e"]))
        if len(prefix) <= self._depth:
            return found
        return {key: entry for key, entry in found.items() if place(key).startswith(prefix)}

    def change(self, changes: Mapping[bytes, BaseEntry | None]) -> None:
        """Set these entries (None removes), majority and journaled. Raise `OwnershipLost` when a later sync has
        written one of their buckets: then nothing of that bucket is changed."""
        by_bucket: dict[str, dict[bytes, BaseEntry | None]] = {}
        for key, entry in ((short(key), entry) for key, entry in changes.items()):
            by_bucket.setdefault(self._bucket(key), {})[key] = entry
        names = sorted(by_bucket)
        for at in range(0, len(names), BUCKET_ENTRIES):
            part = names[at : at + BUCKET_ENTRIES]
            stored = {bucket["_id"]["b"]: bucket for bucket in self._buckets(part)}
            self._write([self._change(name, stored.get(name), by_bucket[name]) for name in part])

    def mark_restored(self, is_put_back: Callable[[bytes], bool], *, among: Iterable[bytes] | None = None) -> None:
        """Mark the entries of the documents that a restore puts back, before it does: `is_put_back` is asked with the
        key of each entry, or only of the buckets of those `among`. An entry whose key is too long to be known is always
        marked. Repeating is harmless. Raise `OwnershipLost` as `change`."""
        everything = {"_id": self._range("")}
        buckets = (
            self._stored.find(everything) if among is None else self._buckets({self._bucket(short(k)) for k in among})
        )
        for part in batches.cut(buckets, size_of=_packed_bytes, most=_MARKED_AT_ONCE, most_bytes=_MARKED_BYTES):
            self._write([self._marked(bucket, is_put_back) for bucket in part])

    # ── inside ───────────────────────────────────────────────────────────────

    def _marked(
        self, stored: Mapping[str, Any], is_put_back: Callable[[bytes], bool]
    ) -> UpdateOne | InsertOne[Any] | None:
        changes: dict[bytes, BaseEntry | None] = {
            key: BaseEntry(entry.raw_id, as_restored(entry.hash))
            for key, entry in _unpack(stored["e"]).items()
            if not is_restored(entry.hash) and (not is_real(key) or is_put_back(key))
        }
        return self._change(stored["_id"]["b"], stored, changes) if changes else None

    def _change(
        self, name: str, stored: Mapping[str, Any] | None, changes: Mapping[bytes, BaseEntry | None]
    ) -> UpdateOne | InsertOne[Any] | None:
        entries = _unpack(stored["e"]) if stored else {}
        for key, entry in changes.items():
            if entry is None:
                entries.pop(key, None)
            else:
                entries[key] = entry if is_real(key) else BaseEntry(key, entry.hash)
        generation = self._generation if self._generation is not None else (stored or {}).get("g", 0)
        content = {"n": len(entries), "g": generation, "e": Binary(_pack(entries.values()))}
        if stored is None:
            return InsertOne({"_id": self._id(name), **content}) if entries else None
        if self._generation is not None and stored["g"] > self._generation:
            raise OwnershipLost
        # The whole bucket as it was read is the condition: nobody wrote it meanwhile.
        return UpdateOne({"_id": self._id(name), "g": stored["g"], "e": stored["e"]}, {"$set": content})

    def _write(self, operations: Sequence[Any]) -> None:
        real = [operation for operation in operations if operation is not None]
        if not real:
            return
        updates = sum(isinstance(operation, UpdateOne) for operation in real)
        try:
            result = self._stored.bulk_write(real, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] == _DUPLICATE_KEY for one in error.details["writeErrors"]):
                raise OwnershipLost from error
            raise
        if result.matched_count != updates:
            raise OwnershipLost

    def _buckets(self, names: Iterable[str]) -> Iterable[dict[str, Any]]:
        ids = [self._id(name) for name in names]
        return self._stored.find({"_id": {"$in": ids}}) if ids else ()

    def _bucket(self, key: bytes) -> str:
        return place(key)[: self._depth]

    def _id(self, name: str) -> dict[str, Any]:
        return {"c": self.name, "d": self._depth, "b": name}

    def _range(self, prefix: str) -> dict[str, Any]:
        return {"$gte": self._id(prefix), "$lt": self._id(prefix + "g")}

    def _fitting_depth(self, expected: int) -> int:
        """Return the depth in force, after making it deeper when the buckets have become too full."""
        head = self._stored.find_one({"_id": {"c": self.name}})
        wanted = next((d for d in range(DEEPEST) if expected <= BUCKET_ENTRIES * 16**d), DEEPEST)
        if head is None:
            if self._generation is not None:
                self._stored.replace_one({"_id": {"c": self.name}}, {"d": wanted}, upsert=True)
            return wanted
        if self._generation is None or expected <= 2 * BUCKET_ENTRIES * 16 ** head["d"]:
            return int(head["d"])
        self._depth = head["d"]
        return self._deepen(wanted)

    def _deepen(self, depth: int) -> int:
        """Copy every entry into deeper buckets, then switch. A crash in between leaves the old ones in force."""
        old = self._range("")
        self._depth, shallow = depth, self._depth
        self._stored.delete_many({"_id": self._range("")})
        for bucket in self._stored.find({"_id": old}):
            by_name: dict[str, list[BaseEntry]] = {}
            for key, entry in _unpack(bucket["e"]).items():
                by_name.setdefault(self._bucket(key), []).append(entry)
            deeper = [
                {"_id": self._id(name), "n": len(entries), "g": bucket["g"], "e": Binary(_pack(entries))}
                for name, entries in by_name.items()
            ]
            if deeper:
                self._stored.insert_many(deeper)
        self._stored.replace_one({"_id": {"c": self.name}, "d": shallow}, {"d": depth})
        self._stored.delete_many({"_id": old})
        return depth


def _packed_bytes(bucket: Mapping[str, Any]) -> int:
    return len(bucket["e"])


def _pack(entries: Iterable[BaseEntry]) -> bytes:
    return b"".join(len(entry.raw_id).to_bytes(2, "big") + entry.raw_id + entry.hash for entry in entries)


def _unpack(packed: bytes) -> BaseEntries:
    found: BaseEntries = {}
    at, end = 0, len(packed)
    while at < end:
        stop = at + 2 + int.from_bytes(packed[at : at + 2], "big")
        raw_id = packed[at + 2 : stop]
        found[raw_ids.key(raw_id) if is_real(raw_id) else raw_id] = BaseEntry(raw_id, packed[stop : stop + _HASH_BYTES])
        at = stop + _HASH_BYTES
    return found
