"""Live data as the search of the viewer sees it: the documents of a collection block by block, raw."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from backups_app.browsing.reading.frames import Block
from backups_app.mongo import connections, raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.mongo.exact_writes import filters
from backups_app.records import INTERNAL, Side

BATCH_DOCUMENTS = 2_000
"""How many travel in one answer, or 16 MB."""

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


class ReadableCollection:
    """A collection of the local database. `total` is known once its end was reached. A search that goes on finds its
    place by counting: what is deleted meanwhile moves it, and is found in the backup made before."""

    def __init__(self, database: Database[Any], name: str) -> None:
        self._documents = collection_of(connections.for_scans(database), name)
        self._end: int | None = None

    @property
    def total(self) -> int:
        return sys.maxsize if self._end is None else self._end

    def blocks(self, *, start: int) -> Iterator[Block]:
        """Yield the documents from number `start` on. Raise `DatabaseUnreachable`, `DatabaseRefused`."""
        first = start
        with connections.reachable(Side.LOCAL):
            cursor = self._documents.find_raw_batches({}, skip=start, batch_size=BATCH_DOCUMENTS)
            for batch in cursor:
                data = bytes(batch)
                count = _count(data)
                if count:
                    yield Block(first=first, count=count, data=data)
                first += count
        self._end = first


def names(database: Database[Any]) -> list[str]:
    """Return the temple's collections that hold documents, by name. Raise `DatabaseUnreachable`."""
    with connections.reachable(Side.LOCAL):
        listed = database.list_collection_names(filter={"type": {"$in": ["collection", "timeseries"]}})
    return sorted(name for name in listed if name not in INTERNAL and not name.startswith("system."))


def present(database: Database[Any], *, collection: str, ids: Sequence[bytes]) -> set[bytes]:
    """Given raw ids, return the keys (`raw_ids.key`) of those that the database holds now. Raise pymongo's errors."""
    possible = [raw_id for raw_id in ids if raw_ids.can_be_live(raw_id)]
    if not possible:
        return set()
    there = collection_of(database, collection).with_options(codec_options=_RAW)
    with there.find(filters.by_ids(possible), {"_id": 1}, batch_size=len(possible) + 1) as cursor:
        found = {raw_ids.key(raw_ids.id_of(bytes(one.raw))) for one in cursor if bytes(one.raw)[5:9] == b"_id\0"}
    return found & {raw_ids.key(raw_id) for raw_id in possible}


def _count(data: bytes) -> int:
    """Return how many documents stand one behind the other in a raw batch."""
    at = count = 0
    while at < len(data):
        at += int.from_bytes(data[at : at + 4], "little")
        count += 1
    return count
