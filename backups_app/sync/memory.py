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
    leftover, full = _leftover(works)
    full += [tally.name for tally in tallies if tally.blocked and tally.name not in full]
    known = {work.tally.name: work.base.count() for work in works if work.search.scanned}
    left: dict[str, Any] = {
        "tokens": {side.value: token for side, token in detection.tokens.items() if token is not None},
        "echo": {access.side.value: echo for access in both if (echo := access.echo()) is not None},
        "collections": [
            {"name": one.name, **one.uuids, "known": known.get(one.name)} for one in planned if not one.skipped
        ],
        "leftover": [{"name": name, "ids": [Binary(raw_id) for raw_id in ids]} for name, ids in leftover.items()],
        "full": full,
        "blocked": _blocked(tallies),
        "synced_at": now,
    }
    if detection.everything:
        left["proof"] = proof(works=works, tallies=tallies, streams=len(detection.touched) == len(Side), now=now)
    return left


def blocked_still(before: Mapping[str, Any], *, only: frozenset[str], tallies: Sequence[Tally]) -> list[dict[str, Any]]:
    """Return what is blocked after a sync of `only` these collections, given what the mark remembered before."""
    others = [dict(one) for one in before.get("blocked", []) if one["name"] not in only]
    return [*others, *_blocked(tallies)]


def _blocked(tallies: Sequence[Tally]) -> list[dict[str, Any]]:
    return [{"name": tally.name, "reason": tally.blocked} for tally in tallies if tally.blocked]


def proof(*, works: Sequence[CollectionSync], tallies: Sequence[Tally], streams: bool, now: datetime) -> dict[str, Any]:
    """Return the verdict of a sync that scanned everything: `equal`, or which documents still differ.

    `found_by_scan_alone` counts what the streams had not told, None where there were none to tell.
    """
    differing = [
        {"collection": work.tally.name, "id": raw_ids.decoded(raw_id)} for work in works for raw_id in work.leftover()
    ]
    blocked = any(tally.blocked for tally in tallies)
    return {
        "at": now,
        "verdict": "differs" if differing or blocked else "equal",
        "documents": sum(tally.equal + tally.pulled + tally.pushed for tally in tallies),
        "differing_count": len(differing),
        "differing": differing[:NAMED_DOCUMENTS],
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
