"""How many documents collections hold now: what a restore is chosen by, and what a purge would delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import availability, raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.records import PURGEABLE, Side
from backups_app.runs import preparation

COUNT_SECONDS = 2
"""The longest that a page or a terminal waits for counts."""
EXACT_UP_TO = 10_000
_RAW = CodecOptions(document_class=RawBSONDocument)


@dataclass(frozen=True, kw_only=True)
class LiveCounts:
    """How many documents of each purgeable collection each side holds now; None where the side does not answer.

    `both`: how many they hold together, each counted once, of the collections of which that was read: a run syncs
    first, and then deletes those.
    """

    local: Mapping[str, int] | None
    remote: Mapping[str, int] | None
    sync_enabled: bool
    both: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class _Side:
    counts: Mapping[str, int]
    keys: Mapping[str, set[bytes]]


def purgeable_counts(*, configuration: Configuration) -> LiveCounts:
    """Count the purgeable collections on both sides now, both at the same time, each in at most two seconds."""
    sides = [Side.LOCAL, Side.REMOTE] if configuration.sync_enabled else [Side.LOCAL]
    with ThreadPoolExecutor(len(sides), thread_name_prefix="counts") as pool:
        found = dict(zip(sides, pool.map(lambda side: _counted(side, configuration), sides), strict=True))
    local, remote = found[Side.LOCAL], found.get(Side.REMOTE)
    return LiveCounts(
        local=local.counts if local else None,
        remote=remote.counts if remote else None,
        sync_enabled=configuration.sync_enabled,
        both=_together(local, remote) if configuration.sync_enabled else local.counts if local else {},
    )


def _together(local: _Side | None, remote: _Side | None) -> dict[str, int]:
    if local is None or remote is None:
        return {}
    return {name: len(local.keys[name] | remote.keys[name]) for name in local.keys.keys() & remote.keys.keys()}


def _counted(side: Side, configuration: Configuration) -> _Side | None:
    try:
        database = preparation.side(configuration, side)
        with availability.asking(side, configuration=configuration, seconds=COUNT_SECONDS, fresh=True):
            counts = {name: collection_of(database, name).count_documents({}) for name in PURGEABLE}
            return _Side(counts=counts, keys=_keys(database, counts) if configuration.sync_enabled else {})
    except (PyMongoError, TempleOpsError):
        return None


def _keys(database: Database[Any], counts: Mapping[str, int]) -> dict[str, set[bytes]]:
    """Read the `_id`s of small collections; those that were not read in time are left out."""
    found: dict[str, set[bytes]] = {}
    with suppress(PyMongoError):
        for name in (name for name, count in counts.items() if count <= EXACT_UP_TO):
            collection = collection_of(database, name).with_options(codec_options=_RAW)
            found[name] = {raw_ids.key(raw_ids.id_of(bytes(one.raw))) for one in collection.find({}, {"_id": 1})}
    return found


def counts_now(*, configuration: Configuration, names: Sequence[str]) -> dict[str, int]:
    """Return how many documents these collections hold now; empty where the server does not answer in time.

    Above 10,000 from the server's own books, without a scan: enough to choose by. The preview counts.
    """
    try:
        with pymongo.timeout(COUNT_SECONDS):
            database = preparation.local_database(configuration)
            there = set(database.list_collection_names(filter={"type": {"$in": ["collection", "timeseries"]}}))
            return {name: _count(collection_of(database, name)) if name in there else 0 for name in names}
    except (PyMongoError, TempleOpsError):
        return {}


def _count(collection: Collection[Any]) -> int:
    """Count exactly where that is quick: after an unclean stop the server's own books are wrong."""
    about = collection.estimated_document_count()
    return about if about > EXACT_UP_TO else collection.count_documents({})
