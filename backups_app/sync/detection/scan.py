"""The exact scan: reads every document of a collection raw, hashes it, and compares it with the base.

It finds candidates only. Whether one is really pushed, pulled or deleted is decided on documents that are read again.
Memory stays flat: what was seen lies on disk, cut by the key's hash, and is compared part by part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from backups_app.catalog.sync import sync_base
from backups_app.catalog.sync.sync_base import SyncBase
from backups_app.messages import sync as messages
from backups_app.messages import words
from backups_app.mongo import connections, raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.progress import Progress
from backups_app.records import Side
from backups_app.sync.collection_failures import ScanFellShort
from backups_app.sync.counters import CollectionCounters
from backups_app.sync.detection.scan_comparison import ScannedCollection, compare_part, distinguished, key_of
from backups_app.sync.detection.spool import Spool
from backups_app.sync.sides import SideAccess

SCAN_DOCUMENTS = 10_000
"""How many travel in one answer, or 16 MB: more would cost memory, fewer round trips."""

ONE_PART_DOCUMENTS = 20_000
MANY_PARTS = 256
REPORT_DOCUMENTS = 2_000
_WIDTH = 2
"""Hex digits of a part's name where there are many."""


def compare(
    *,
    name: str,
    scanned: Sequence[SideAccess],
    touched: Mapping[bytes, bytes],
    base: SyncBase,
    expected: int,
    hashed: Callable[[bytes], bytes],
    counters: CollectionCounters,
    progress: Progress,
    repeats: bool = False,
) -> Iterator[ScannedCollection]:
    """Scan these sides and yield what differs, part by part, ordered so that base buckets are written once.

    With one side scanned, the other is taken to be as the base says, except for what its stream has `touched` (raw
    `_id`s by key). `expected` is about how many documents there are. `repeats`: documents may
    share an `_id`, as in a time-series. Raise `DatabaseUnreachable`, `ScanFellShort`.
    """
    parts = MANY_PARTS if expected > ONE_PART_DOCUMENTS else 1
    with Spool(parts) as first, Spool(parts) as second:
        spools = dict(zip((access.side for access in scanned), (first, second), strict=False))
        for access in scanned:
            _scan(access, name, spools[access.side], parts, hashed, counters, progress)
        extra = _by_part(touched, parts)
        for number in range(parts):
            with connections.reachable(Side.LOCAL):
                stored = base.read_prefix(_prefix(number, parts))
            if repeats:
                seen = distinguished({side: list(spools[side].part(number)) for side in spools}, counters)
            else:
                seen = {side: {key_of(one.raw_id): one for one in spools[side].part(number)} for side in spools}
            yield compare_part(seen, stored, extra.get(number, {}))


def _scan(
    access: SideAccess,
    name: str,
    spool: Spool,
    parts: int,
    hashed: Callable[[bytes], bytes],
    counters: CollectionCounters,
    progress: Progress,
) -> None:
    with connections.reachable(access.side):
        collection = access.collection(name).with_options(
            read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("majority")
        )
        before = collection.estimated_document_count()
        progress.expect(f"{name} ({access.side.value})", before)
        count = size = 0
        whole = collection_of(connections.for_scans(access.database), name)
        for batch in whole.find_raw_batches({}, batch_size=SCAN_DOCUMENTS):
            progress.checkpoint()
            seen, nameless = _spool_batch(bytes(batch), spool, parts, hashed)
            if nameless:
                counters.count_without_name(messages.WITHOUT_ID(side=words.side(access.side.value)), nameless)
            count += seen
            size += len(batch)
            progress.advance(f"{name} ({access.side.value})", seen, len(batch))
        counters.size_bytes += size
        # The quick count may be wrong after a crash of the server; the slow one is not.
        short = count < min(before, collection.estimated_document_count())
        if short and count < min(before, collection.count_documents({})):
            raise ScanFellShort
    progress.note(f"{name}: read {count} documents on the {access.side.value} side")


def _spool_batch(batch: bytes, spool: Spool, parts: int, hashed: Callable[[bytes], bytes]) -> tuple[int, int]:
    """Remember each document of a raw batch. Return how many there were, and how many of them have no `_id`."""
    at, end, count, nameless = 0, len(batch), 0, 0
    of, key, place, add = raw_ids.id_of, key_of, sync_base.place, spool.add
    while at < end:
        length = int.from_bytes(batch[at : at + 4], "little")
        frame = batch[at : at + length]
        at += length
        count += 1
        try:
            raw_id = of(frame)
        except raw_ids.NoId:
            nameless += 1
            continue
        part = int(place(key(raw_id))[:_WIDTH], 16) if parts > 1 else 0
        add(part, raw_id, hashed(frame), length)
    return count, nameless


def _prefix(number: int, parts: int) -> str:
    return f"{number:0{_WIDTH}x}" if parts > 1 else ""


def _by_part(touched: Mapping[bytes, bytes], parts: int) -> dict[int, dict[bytes, bytes]]:
    by_part: dict[int, dict[bytes, bytes]] = {}
    for raw_id in touched.values():
        key = key_of(raw_id)
        part = int(sync_base.place(key)[:_WIDTH], 16) if parts > 1 else 0
        by_part.setdefault(part, {})[key] = raw_id
    return by_part
