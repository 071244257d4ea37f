"""One part of a scan, compared with the base. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backups_app.catalog.sync import sync_base
from backups_app.catalog.sync.sync_base import BaseEntries, BaseEntry
from backups_app.messages import sync as messages
from backups_app.mongo import raw_ids
from backups_app.records import Side
from backups_app.sync.counters import CollectionCounters
from backups_app.sync.detection.spool import ScannedDocument

SHARED = messages.SHARED_ID()

UNFINDABLE = messages.ID_NOT_FINDABLE()


@dataclass(frozen=True, kw_only=True)
class ScannedCollection:
    """One part of a scan, compared. `candidates` differ and need a decision, each with the size of its larger
    version; `alone` counts those that no stream had reported, `unknown` what vanished under an `_id` too
    long to be remembered. `base` are entries to write at once, for both sides
    were seen equal (None: seen on neither)."""

    candidates: Mapping[bytes, int]
    base: Mapping[bytes, BaseEntry | None]
    equal: int
    alone: int = 0
    unknown: int = 0


def distinguished(
    found: Mapping[Side, Sequence[ScannedDocument]], counters: CollectionCounters
) -> dict[Side, dict[bytes, ScannedDocument]]:
    """Leave out the measurements that no `_id` distinguishes, and count them unless both sides have them alike."""
    by_side: dict[Side, dict[bytes, list[ScannedDocument]]] = {side: {} for side in found}
    for side, documents in found.items():
        for one in documents:
            by_side[side].setdefault(key_of(one.raw_id), []).append(one)
    for key in {key for one in by_side.values() for key in one}:
        groups = [by_key.pop(key, []) for by_key in by_side.values()]
        unfindable = not all(raw_ids.can_be_live(one.raw_id) for group in groups for one in group)
        if not unfindable and all(len(group) <= 1 for group in groups):
            for by_key, group in zip(by_side.values(), groups, strict=True):
                by_key.update({key: group} if group else {})
        elif len({tuple(sorted(one.hash for one in group)) for group in groups}) > 1:
            counters.count_without_name(UNFINDABLE if unfindable else SHARED, max(map(len, groups)))
    return {side: {key: group[0] for key, group in by_key.items()} for side, by_key in by_side.items()}


def compare_part(
    seen: Mapping[Side, Mapping[bytes, ScannedDocument]], base: BaseEntries, touched: Mapping[bytes, bytes]
) -> ScannedCollection:
    """Return what differs in one part, given what was seen on each side, the base and what the stream reported."""
    candidates: dict[bytes, int] = dict.fromkeys(touched.values(), 0)
    base_changes: dict[bytes, BaseEntry | None] = {}
    equal = unknown = 0
    keys = sorted(base.keys() | {key for one in seen.values() for key in one}, key=sync_base.place)
    for key in keys:
        if key in touched:
            continue
        entry = base.get(key)
        ours = [one.get(key) for one in seen.values()]
        hashes = {one.hash if one else None for one in ours}
        if len(seen) == 1:
            hashes.add(entry.hash if entry else None)
        if len(hashes) > 1:
            present = next((one for one in ours if one), None)
            raw_id = present.raw_id if present else entry.raw_id if entry else b""
            if not sync_base.is_real(raw_id):
                unknown += 1
                continue
            candidates[raw_id] = max((one.size for one in ours if one), default=0)
            continue
        here = ours[0]
        equal += here is not None
        if here is None:
            base_changes[key] = None
        elif entry is None or entry.hash != here.hash:
            base_changes[key] = BaseEntry(here.raw_id, here.hash)
    alone = len(candidates) - len(touched)
    return ScannedCollection(candidates=candidates, base=base_changes, equal=equal, alone=alone, unknown=unknown)


def key_of(raw_id: bytes) -> bytes:
    return sync_base.short(raw_ids.key(raw_id))
