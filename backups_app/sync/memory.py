"""What a sync leaves for the next one, in the local mark; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson.binary import Binary

from backups_app.mongo import raw_ids
from backups_app.records import Side
from backups_app.sync.collection_sync import CollectionSync
from backups_app.sync.detection import Detection
from backups_app.sync.listing import Planned
from backups_app.sync.sides import SideAccess
from backups_app.sync.tally import Tally

LEFTOVER_AT_MOST = 5_000
NAMED_DOCUMENTS = 100


def of(
    *,
    detection: Detection,
    both: Sequence[SideAccess],
    planned: Iterable[Planned],
    works: Sequence[CollectionSync],
    tallies: Sequence[Tally],
    now: datetime,
) -> dict[str, Any]:
    """Return the fields of the local mark after a sync that went over every collection."""
    sound = [work for work in works if not work.tally.failed]
    leftover, full = _leftover(sound)
    full += [tally.name for tally in tallies if (tally.blocked or tally.failed) and tally.name not in full]
    known = {work.tally.name: work.base.count() for work in sound if work.search.scanned}
    differing = {tally.name for tally in tallies if tally.indexes_differ}
    left: dict[str, Any] = {
        "tokens": {side.value: token for side, token in detection.tokens.items() if token is not None},
        "echo": {access.side.value: echo for access in both if (echo := access.echo()) is not None},
        "collections": [
            {"name": one.name, **one.uuids, "known": known.get(one.name), "indexes_differ": one.name in differing}
            for one in planned
            if not one.skipped
        ],
        "leftover": [{"name": name, "ids": [Binary(raw_id) for raw_id in ids]} for name, ids in leftover.items()],
        "full": full,
        "blocked": _blocked(tallies),
        "left_over": _left_over(tallies),
        "synced_at": now,
    }
    if detection.everything:
        left["proof"] = proof(works=works, tallies=tallies, streams=len(detection.touched) == len(Side), now=now)
    return left


def of_some(
    before: Mapping[str, Any], *, only: frozenset[str], tallies: Sequence[Tally], now: datetime
) -> dict[str, Any]:
    """Return the fields of the local mark after a sync of `only` these collections: of the others it says what it said
    before, and the streams stay where they were."""

    def others(field: str) -> list[dict[str, Any]]:
        return [dict(one) for one in before.get(field, []) if one["name"] not in only]

    return {
        "synced_at": now,
        "blocked": [*others("blocked"), *_blocked(tallies)],
        "left_over": [*others("left_over"), *_left_over(tallies)],
    }


def _left_over(tallies: Sequence[Tally]) -> list[dict[str, Any]]:
    return [{"name": tally.name, "reason": tally.left_over} for tally in tallies if tally.left_over]


def _blocked(tallies: Sequence[Tally]) -> list[dict[str, Any]]:
    return [{"name": tally.name, "reason": tally.blocked} for tally in tallies if tally.blocked]


def proof(*, works: Sequence[CollectionSync], tallies: Sequence[Tally], streams: bool, now: datetime) -> dict[str, Any]:
    """Return the verdict of a sync that scanned everything: `equal`, or which documents still differ.

    `found_by_scan_alone` counts what the streams had not told, None where there were none to tell.
    """
    differing = [
        {"collection": work.tally.name, "id": raw_ids.shown(raw_id)} for work in works for raw_id in work.leftover()
    ]
    left_over = [tally.name for tally in tallies if tally.left_over]
    return {
        "at": now,
        "verdict": "differs" if differing or left_over else "equal",
        "documents": sum(tally.equal + tally.pulled + tally.pushed for tally in tallies),
        "differing_count": len(differing),
        "differing": differing[:NAMED_DOCUMENTS],
        "not_compared": left_over[:NAMED_DOCUMENTS],
        "found_by_scan_alone": sum(tally.found_by_scan_alone for tally in tallies) if streams else None,
    }


def _leftover(works: Iterable[CollectionSync]) -> tuple[Mapping[str, list[bytes]], list[str]]:
    """Return the raw ids to look at next time, by collection, and the collections that have too many of them."""
    leftover: dict[str, list[bytes]] = {}
    full: list[str] = []
    room = LEFTOVER_AT_MOST
    for work in works:
        ids = work.leftover()
        if work.scan_again or len(ids) > room or sum(map(len, ids)) > LEFTOVER_AT_MOST * 100:
            full.append(work.tally.name)
        elif ids:
            leftover[work.tally.name] = ids
            room -= len(ids)
    return leftover, full
