"""Two real databases that are synced, what an application writes to them, and what must hold afterwards."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.catalog.sync import sync_conflicts
from backups_app.mongo import raw_bson, raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.mongo.exact_writes import encoding
from backups_app.mongo.raw_bson import Value
from backups_app.progress import Progress, Silent
from backups_app.records import INTERNAL, Side
from backups_app.sync import engine
from backups_app.sync.engine import SyncReport
from backups_app.sync.options import SyncOptions
from tests.sync import counts

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_versions = itertools.count(1)


def document(*fields: tuple[str, Value]) -> bytes:
    """Return a raw document of these fields."""
    return raw_bson.document(fields)


def int32(number: int) -> Value:
    return Value(0x10, struct.pack("<i", number))


def int64(number: int) -> Value:
    return Value(0x12, struct.pack("<q", number))


def double(number: float) -> Value:
    return Value(0x01, struct.pack("<d", number))


def date(moment: datetime) -> Value:
    return Value(0x09, struct.pack("<q", int(moment.timestamp() * 1000)))


def timestamp(number: int) -> Value:
    return Value(0x11, struct.pack("<q", number))


def version(key: int, *, minutes: int | None = 0) -> bytes:
    """Return a document of its own: no two calls return the same bytes. `minutes` after NOW it was edited."""
    fields = [("_id", int32(key)), ("version", int64(next(_versions)))]
    if minutes is not None:
        fields.append(("updatedAt", date(NOW + timedelta(minutes=minutes))))
    return document(*fields)


def cents(frame: bytes) -> bytes:
    """Return the same document with only the fraction of a double changed, and its date not bumped."""
    fields = [(name.decode(), value) for name, value in raw_bson.elements(frame) if name != b"amount"]
    return document(*fields, ("amount", double(10 + next(_versions) / 4096)))


@dataclass(kw_only=True)
class Pair:
    """`local` and `remote` go through the clients that the product uses."""

    local: Database[Any]
    remote: Database[Any]
    application: dict[Side, Database[Any]]
    heads: dict[tuple[str, bytes], set[bytes]] = field(default_factory=dict)

    @property
    def has_transactions(self) -> bool:
        """Whether the local server is a replica set."""
        return "setName" in self.local.client.admin.command("hello")

    def side(self, side: Side) -> Database[Any]:
        return self.local if side is Side.LOCAL else self.remote

    def sync(
        self,
        *,
        progress: Progress | None = None,
        now: datetime = NOW,
        run_id: str = "20260110_120000",
        **options: Any,
    ) -> SyncReport:
        """Run one sync."""
        counts.count(counts.SYNCS)
        return engine.synchronise(
            local=self.local,
            remote=self.remote,
            run_id=run_id,
            options=SyncOptions(**options),
            progress=progress or Silent(),
            now=now,
        )

    # ── what an application does ─────────────────────────────────────────────

    def collection(self, side: Side, name: str = "bookings") -> Collection[RawBSONDocument]:
        """Return a collection as an application sees it: raw, and with a client of its own."""
        return collection_of(self.application[side], name).with_options(codec_options=RAW)

    def put(self, side: Side, frame: bytes, name: str = "bookings", **options: Any) -> None:
        """Write a version and note which one it replaced there. A time limit (`maxTimeMS`) may prevent it."""
        by_id, whole = _by_id(raw_ids.id_of(frame)), encoding.Whole(frame)
        target = self.collection(side, name)
        self._note(
            side,
            raw_ids.id_of(frame),
            name,
            frame,
            lambda: target.find_one_and_replace(by_id, whole, upsert=True, **options),
        )

    def delete(self, side: Side, key: int, name: str = "bookings", **options: Any) -> None:
        """Delete a document and note which version was deleted. A time limit (`maxTimeMS`) may prevent it."""
        raw_id = b"\x10" + struct.pack("<i", key)
        delete = partial(self.collection(side, name).find_one_and_delete, _by_id(raw_id), **options)
        self._note(side, raw_id, name, None, delete)

    def _note(self, side: Side, raw_id: bytes, name: str, after: bytes | None, write: Callable[[], Any]) -> None:
        """Carry out a write and note what it replaced. One whose time ran out may have been done all the same: the
        document itself says, for nobody else writes in this moment."""
        before = self._live(side, raw_id, name)
        try:
            write()
        except PyMongoError as error:
            assert error.timeout, error
            if self._live(side, raw_id, name) != after or before == after:
                return
        heads = self.heads.setdefault((name, raw_ids.key(raw_id)), set())
        heads.discard(before or b"")
        if after is not None:
            heads.add(after)

    def _live(self, side: Side, raw_id: bytes, name: str) -> bytes | None:
        found = self.collection(side, name).find_one(_by_id(raw_id))
        return None if found is None else bytes(found.raw)

    def get(self, side: Side, key: int, name: str = "bookings") -> bytes | None:
        """Return a live version, or None."""
        found = self.collection(side, name).find_one({"_id": key})
        return None if found is None else bytes(found.raw)

    # ── what must hold ───────────────────────────────────────────────────────

    def kept(self) -> set[bytes]:
        """Return every version that `sync_conflicts` holds."""
        heads = sync_conflicts.collection(self.local).find({"part_of": None}, {"_id": 1})
        documents = (sync_conflicts.get(self.local, conflict_id=head["_id"]) for head in heads)
        return {document["bytes"] for document in documents if document}

    def assert_converged(self) -> None:
        """After at most two quiet syncs both sides are byte-identical, and a third writes nothing."""
        for _ in range(2):
            self.sync()
        assert contents(self.local) == contents(self.remote)
        report = self.sync()
        written = ("pulled", "pushed", "deleted_local", "deleted_remote", "conflicts", "stale", "unresolved")
        assert {name: report.log["totals"][name] for name in written} == dict.fromkeys(written, 0)

    def assert_every_head_is_somewhere(self) -> None:
        """At any moment, also after a failure: each head is live on a side or kept."""
        kept, sides = self.kept(), (contents(self.local), contents(self.remote))
        for (name, key), heads in self.heads.items():
            live = {side.get(name, {}).get(key, b"") for side in sides}
            assert heads <= kept | live, f"lost: {name} {key!r}: {heads - kept - live} is nowhere, live is {live}"

    def assert_nothing_lost(self, *, resurrection: bool = False) -> None:
        """The live version is a head; every other head is kept; what has no heads is absent on both sides.

        `resurrection`: without a base a deleted document may come back.
        """
        kept = self.kept()
        for (name, key), heads in self.heads.items():
            for side in (self.local, self.remote):
                live = contents(side).get(name, {}).get(key)
                if live is None:
                    assert heads <= kept, f"lost: {name} {key!r} on {side.name}"
                elif heads or not resurrection:
                    assert live in heads, f"resurrected or overwritten: {name} {key!r}"
                    assert heads - {live} <= kept, f"lost: {name} {key!r}"


def contents(database: Database[Any]) -> dict[str, dict[bytes, bytes]]:
    """Return every document of the temple, raw, by collection and key."""
    found: dict[str, dict[bytes, bytes]] = {}
    for info in database.list_collections():
        name = info["name"]
        if name in INTERNAL or name.startswith("system.") or info["type"] != "collection":
            continue
        frames = [
            bytes(document.raw) for document in collection_of(database, name).with_options(codec_options=RAW).find()
        ]
        found[name] = {raw_ids.key(raw_ids.id_of(frame)): frame for frame in frames}
    return found


def state_pairs(pair: Pair) -> None:
    """Lay out every row of the decision table over documents that were just synced, or are new."""
    local, remote = Side.LOCAL, Side.REMOTE
    pair.put(local, version(1, minutes=1))
    pair.put(remote, version(2, minutes=1))
    for key, sides in ((3, (local, remote)), (4, (remote, local))):
        pair.put(sides[0], version(key, minutes=5))
        pair.put(sides[1], version(key, minutes=2))
    for side in (local, remote):
        pair.put(side, cents(pair.get(side, 5) or version(5)))
    pair.delete(local, 6)
    pair.delete(remote, 7)
    pair.delete(local, 8)
    pair.put(remote, version(8, minutes=1))
    pair.put(local, version(9, minutes=1))
    pair.delete(remote, 9)
    pair.delete(local, 10)
    pair.delete(remote, 10)
    pair.put(local, version(11))
    pair.put(remote, version(12))
    pair.put(local, version(13, minutes=1))
    pair.put(remote, version(13, minutes=2))
    same_version = version(14)
    for side in (local, remote):
        pair.put(side, same_version)
    pair.put(local, document(("_id", int32(15)), ("n", double(7.0))))


def first_documents() -> Iterator[bytes]:
    """Yield what both sides have before `state_pairs`."""
    for key in range(11):
        yield version(key)
    yield document(("_id", int32(15)), ("n", int64(7)))


def seed(pair: Pair, frames: Sequence[bytes], *, sides: Sequence[Side] = tuple(Side), name: str = "bookings") -> None:
    """Put these documents on both sides, as an application did long ago."""
    for side in sides:
        pair.collection(side, name).insert_many([RawBSONDocument(frame) for frame in frames])
    for frame in frames:
        pair.heads.setdefault((name, raw_ids.key(raw_ids.id_of(frame))), set()).add(frame)


def _by_id(raw_id: bytes) -> RawBSONDocument:
    equal = raw_bson.embedded(raw_bson.document([("$eq", raw_ids.value(raw_id))]))
    return RawBSONDocument(raw_bson.document([("_id", equal)]))
