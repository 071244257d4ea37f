"""How much collections hold, by the server's own counters.

`collStats` reads every statistic of a collection, some milliseconds of the server for each. The counters alone cost
next to nothing, and one aggregation asks for a hundred collections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.records import CollectionInfo

_AT_ONCE = 100
_FEW = 10
"""So few documents make few answers, whatever their bytes."""


def counted(*, database: Database[Any], collections: Sequence[CollectionInfo]) -> list[CollectionInfo]:
    """Return these collections with their `documents`: of a time-series its buckets and their bytes, of a view nothing.
    Raise pymongo's errors."""
    ordinary = [one.name for one in collections if one.type == "collection"]
    counts = {name: count for names in _parts(ordinary) for name, count in _counts(database, names).items()}
    return [_with_count(database, one, counts) for one in collections]


def sized(*, database: Database[Any], collection: CollectionInfo) -> CollectionInfo:
    """Return a counted collection with its `size_bytes`; those of a few documents have none. Raise pymongo's errors."""
    if collection.type != "collection" or (collection.documents or 0) <= _FEW:
        return collection
    return replace(collection, size_bytes=_count_and_bytes(database, collection.name)[1])


def _parts(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))


def _with_count(database: Database[Any], one: CollectionInfo, counts: Mapping[str, int]) -> CollectionInfo:
    if one.type == "collection":
        return replace(one, documents=counts[one.name])
    if one.type == "timeseries":
        documents, size_bytes = _by_statistics(database, one.name)
        return replace(one, documents=documents, size_bytes=size_bytes)
    return one


def _counts(database: Database[Any], names: list[str]) -> dict[str, int]:
    """Return the counts by name. Where the server does not answer for all of them together (one became a view, a right
    is missing, it is before 4.4), ask for each, and for those that it left out: they may be gone."""
    count = [{"$collStats": {"count": {}}}, {"$project": {"ns": 1, "count": 1}}]
    others = [{"$unionWith": {"coll": name, "pipeline": count}} for name in names[1:]]
    # One more than can come, so that the server closes the cursor with its first answer.
    command = {"aggregate": names[0], "pipeline": [*count, *others], "cursor": {"batchSize": len(names) + 1}}
    try:
        rows = database.command(command)["cursor"]["firstBatch"]
    except OperationFailure:
        rows = []
    found = {row["ns"].removeprefix(f"{database.name}."): int(row["count"]) for row in rows}
    return {name: found[name] if name in found else _count_and_bytes(database, name)[0] for name in names}


def _count_and_bytes(database: Database[Any], name: str) -> tuple[int, int]:
    try:
        answer = database.command({"dataSize": f"{database.name}.{name}", "estimate": True})
    except OperationFailure:
        return _by_statistics(database, name)
    return int(answer["numObjects"]), int(answer["size"])


def _by_statistics(database: Database[Any], name: str) -> tuple[int, int]:
    """Asked of a time-series, not of its buckets: more users may ask that."""
    stats = database.command("collStats", name)
    documents = stats.get("count", stats.get("timeseries", {}).get("bucketCount", 0))
    return int(documents), int(stats.get("size", 0))
