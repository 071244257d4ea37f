"""What a sync leaves for the next one, in the local mark; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson.binary import Binary

from backups_app.mongo import raw_ids
from backups_app.records import Side
from backups_app.sync.collection_sync import CollectionSync
from backups_app.sync.counters import CollectionCounters
from backups_app.sync.detection.detection import Detection
from backups_app.sync.listing import PlannedCollection
from backups_app.sync.sides import SideAccess

PENDING_AT_MOST = 5_000
NAMED_DOCUMENTS = 100


def after_full_sync(
    *,
    detection: Detection,
    both: Sequence[SideAccess],
    planned: Iterable[PlannedCollection],
    works: Sequence[CollectionSync],
    all_counters: Sequence[CollectionCounters],
    now: datetime,
) -> dict[str, Any]:
    """Return the fields of the local mark after a sync that went over every collection."""
    sound = [work for work in works if not work.counters.failed]
    pending_ids, full = _pending(sound)
    full += [
        counters.name
        for counters in all_counters
        if (counters.blocked or counters.failed) and counters.name not in full
    ]
    known = {work.counters.name: work.base.count() for work in sound if work.search.scanned}
    differing = {counters.name for counters in all_counters if counters.indexes_differ}
    left: dict[str, Any] = {
        "tokens": {side.value: token for side, token in detection.tokens.items() if token is not None},
        "echo": {access.side.value: echo for access in both if (echo := access.echo()) is not None},
        "collections": [
            {"name": one.name, **one.uuids, "known": known.get(one.name), "indexes_differ": one.name in differing}
            for one in planned
            if not one.skipped
        ],
        "leftover": [{"name": name, "ids": [Binary(raw_id) for raw_id in ids]} for name, ids in pending_ids.items()],
        "full": full,
        "blocked": _blocked(all_counters),
        "left_over": _left_over(all_counters),
        "synced_at": now,
    }
    if detection.everything:
        left["proof"] = proof_of_equality(
            works=works, all_counters=all_counters, streams=len(detection.touched) == len(Side), now=now
        )
    return left


def after_partial_sync(
    before: Mapping[str, Any], *, only: frozenset[str], all_counters: Sequence[CollectionCounters], now: datetime
) -> dict[str, Any]:
    """Return the fields of the local mark after a sync of `only` these collections: of the others it says what it
    stated before, and the streams stay where they were."""

    def others(field: str) -> list[dict[str, Any]]:
        return [dict(one) for one in before.get(field, []) if one["name"] not in only]

    return {
        "synced_at": now,
        "blocked": [*others("blocked"), *_blocked(all_counters)],
        "left_over": [*others("left_over"), *_left_over(all_counters)],
    }


def _left_over(all_counters: Sequence[CollectionCounters]) -> list[dict[str, Any]]:
    return [{"name": counters.name, "reason": counters.left_over} for counters in all_counters if counters.left_over]


def _blocked(all_counters: Sequence[CollectionCounters]) -> list[dict[str, Any]]:
    return [{"name": counters.name, "reason": counters.blocked} for counters in all_counters if counters.blocked]


def proof_of_equality(
    *, works: Sequence[CollectionSync], all_counters: Sequence[CollectionCounters], streams: bool, now: datetime
) -> dict[str, Any]:
    """Return the verdict of a sync that scanned everything: `equal`, or which documents still differ.

    `found_by_scan_alone` counts what the streams had not reported, None where there were none to report.
    """
    differing = [
        {"collection": work.counters.name, "id": raw_ids.readable(raw_id)}
        for work in works
        for raw_id in work.pending_ids()
    ]
    left_over = [counters.name for counters in all_counters if counters.left_over]
    return {
        "at": now,
        "verdict": "differs" if differing or left_over else "equal",
        "documents": sum(counters.equal + counters.pulled + counters.pushed for counters in all_counters),
        "differing_count": len(differing),
        "differing": differing[:NAMED_DOCUMENTS],
        "not_compared": left_over[:NAMED_DOCUMENTS],
        "found_by_scan_alone": sum(counters.found_by_scan_alone for counters in all_counters) if streams else None,
    }


def _pending(works: Iterable[CollectionSync]) -> tuple[Mapping[str, list[bytes]], list[str]]:
    """Return the raw ids to look at next time, by collection, and the collections that have too many of them."""
    pending_ids: dict[str, list[bytes]] = {}
    full: list[str] = []
    room = PENDING_AT_MOST
    for work in works:
        ids = work.pending_ids()
        if work.scan_again or len(ids) > room or sum(map(len, ids)) > PENDING_AT_MOST * 100:
            full.append(work.counters.name)
        elif ids:
            pending_ids[work.counters.name] = ids
            room -= len(ids)
    return pending_ids, full
