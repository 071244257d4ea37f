"""What a database holds: collections as `listCollections` and the counters show them, less what is never dumped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.backup_files import layout
from backups_app.dump.server import measuring
from backups_app.mongo import raw_bson, scanning
from backups_app.records import CollectionInfo

VIEW, TIMESERIES = "view", "timeseries"
_KEPT_SYSTEM_COLLECTION = "system.js"
_DECODED: CodecOptions[Any] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
_EMPTY = b"\x05\0\0\0\0"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A collection with its options as raw BSON, untouched, and the collection where its documents lie: None for a
    view, the buckets for a time-series."""

    info: CollectionInfo
    options: bytes
    source: str | None


def collections(*, database: Database[Any], excluded: frozenset[str]) -> tuple[CollectionInfo, ...]:
    """Return what a dump of `database` must hold, with the server's fast counts. Raise pymongo's errors."""
    return tuple(listed.info for listed in _counted(database, excluded))


def listing(*, database: Database[Any], excluded: frozenset[str]) -> tuple[Listed, ...]:
    """As `collections`, with what a writer needs besides: also the bytes of those that hold more than a few documents.
    In the order of their names."""
    return tuple(
        replace(listed, info=measuring.sized(database=database, collection=listed.info))
        for listed in _counted(database, excluded)
    )


def _counted(database: Database[Any], excluded: frozenset[str]) -> list[Listed]:
    found = []
    for batch in scanning.batches(database, {"listCollections": 1, "cursor": {}}):
        found += [_listed(bytes(frame)) for frame in scanning.documents(batch.array)]
    wanted = sorted((one for one in found if is_dumped(one.info.name, excluded)), key=lambda one: one.info.name)
    counted = measuring.counted(database=database, collections=[one.info for one in wanted])
    return [replace(listed, info=info) for listed, info in zip(wanted, counted, strict=True)]


def is_dumped(name: str, excluded: frozenset[str]) -> bool:
    """Whether mongodump would dump a collection of this name: none of the server's own, none with a `$`."""
    if name in excluded or "$" in name:
        return False
    return not name.startswith("system.") or name == _KEPT_SYSTEM_COLLECTION


def collections_after_dump(
    *,
    database: Database[Any],
    excluded: frozenset[str],
    before: Sequence[CollectionInfo],
    dumped: Mapping[str, int],
) -> tuple[CollectionInfo, ...]:
    """As `collections`, after a dump of what was there `before`.

    Where fewer documents were dumped than the fast counts of both moments say, count exactly: after an unclean stop of
    the server a fast count can be wrong until somebody validates the collection. Buckets are counted as such.
    """
    checked = []
    counts = {info.name: info.documents for info in before}
    for info in collections(database=database, excluded=excluded):
        known = [count for count in (counts.get(info.name), info.documents) if count is not None]
        too_few = len(known) == 2 and dumped.get(info.name, min(known)) < min(known)
        checked.append(replace(info, documents=_exact_count(database, info)) if too_few else info)
    return tuple(checked)


def deleted_so_far(database: Database[Any]) -> int | None:
    """Return how many documents this server has deleted since it started, or None where the user may not ask: the
    difference between two moments bounds what a scan may lawfully miss."""
    try:
        metrics = database.client.admin.command("serverStatus", repl=0, locks=0, wiredTiger=0, tcmalloc=0)["metrics"]
        return int(metrics["document"]["deleted"]) + int(metrics.get("ttl", {}).get("deletedDocuments", 0))
    except (OperationFailure, KeyError):
        return None


def deleted_between(before: int | None, after: int | None) -> int | None:
    """Return the documents deleted between two answers of `deleted_so_far`; None if one is unknown, or the server was
    restarted meanwhile."""
    return None if before is None or after is None or after < before else after - before


def _listed(frame: bytes) -> Listed:
    fields = {name: value.data for name, value in raw_bson.elements(frame)}
    name = fields[b"name"][4:-1].decode()
    kind = fields[b"type"][4:-1].decode() if b"type" in fields else "collection"
    options = fields.get(b"options", _EMPTY)
    info = CollectionInfo(name=name, type=kind, uuid=_uuid(fields.get(b"info")), options=bson.decode(options, _DECODED))
    return Listed(info=info, options=options, source=_source(name, kind))


def _uuid(info: bytes | None) -> str:
    if info is None:
        return ""
    for name, value in raw_bson.elements(info):
        if name == b"uuid" and value.type == 0x05 and value.data[4] == 4:
            return value.data[5:].hex()
    return ""


def _source(name: str, kind: str) -> str | None:
    if kind == VIEW:
        return None
    return layout.BUCKETS_PREFIX + name if kind == TIMESERIES else name


def _exact_count(database: Database[Any], info: CollectionInfo) -> int:
    source = _source(info.name, info.type)
    pipeline = [{"$group": {"_id": 1, "n": {"$sum": 1}}}]
    reply = database.command({"aggregate": source, "pipeline": pipeline, "cursor": {}})
    return int(next((row["n"] for row in reply["cursor"]["firstBatch"]), 0))
