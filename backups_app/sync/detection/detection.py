"""How a sync finds what changed, side by side and collection by collection: by stream, or by scan and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backups_app.messages import sync as messages
from backups_app.messages import words
from backups_app.mongo import raw_ids
from backups_app.progress import Progress
from backups_app.records import Side, is_ahead
from backups_app.sync.detection import stream
from backups_app.sync.detection.stream import StreamBroken, Touched
from backups_app.sync.listing import PlannedCollection
from backups_app.sync.pair import Attempt
from backups_app.sync.sides import SideAccess


@dataclass(kw_only=True)
class Detection:
    """`touched` holds the sides whose stream reported everything since the last sync; the others are scanned.

    `everything` is set when this sync scans all of both sides: `exact`, or a proof that is due.
    """

    checkpoint: Mapping[str, Any]
    touched: dict[Side, Touched] = field(default_factory=dict)
    tokens: dict[Side, Mapping[str, Any] | None] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    everything: bool = False

    def as_log(self) -> dict[str, Any]:
        """Return how differences were found, for `sync_logs`."""
        found = {side.value: "stream" if side in self.touched and not self.everything else "scan" for side in Side}
        return {**found, "reasons": list(self.reasons)}

    def scanned(self, planned: PlannedCollection, both: Sequence[SideAccess]) -> tuple[SideAccess, ...]:
        """Return the sides of a collection that are scanned."""
        if self.everything or self._must_be_scanned(planned):
            return tuple(both)
        return tuple(access for access in both if access.side not in self.touched)

    def base_is_whole(self, name: str, count: int) -> bool:
        """Whether the base has as many entries as the last sync left: else a scan of one side misses deletions."""
        known = next((one.get("known") for one in self.checkpoint.get("collections", []) if one["name"] == name), None)
        return known is not None and count >= known

    def indexes_differed(self, name: str) -> bool:
        """Whether the last sync found that the indexes of a collection differ."""
        return any(one["name"] == name and one.get("indexes_differ") for one in self.checkpoint.get("collections", []))

    def ids(self, name: str) -> dict[bytes, bytes]:
        """Return what the streams reported of a collection and what the last sync left over: raw ids by key."""
        found: dict[bytes, bytes] = {}
        for one in self.checkpoint.get("leftover", []):
            if one["name"] == name:
                found.update((raw_ids.key(bytes(raw_id)), bytes(raw_id)) for raw_id in one["ids"])
        for touched in self.touched.values():
            found.update(touched.ids.get(name, {}))
        return found

    def _must_be_scanned(self, planned: PlannedCollection) -> bool:
        known = {one["name"]: one for one in self.checkpoint.get("collections", [])}.get(planned.name)
        same = known is not None and {side.value: known.get(side.value) for side in Side} == planned.uuids
        whole = any(planned.name in touched.whole for touched in self.touched.values())
        return not same or whole or planned.type == "timeseries" or planned.name in self.checkpoint.get("full", [])


def detect(
    *,
    attempt: Attempt,
    both: Sequence[SideAccess],
    exact: bool,
    proof_days: int,
    dry_run: bool,
    progress: Progress,
    now: datetime,
) -> Detection:
    """Ask the streams, and say why not where they cannot know. Raise `DatabaseUnreachable`."""
    found = Detection(checkpoint=attempt.checkpoint)
    if exact:
        found.reasons.append(messages.SCAN_ASKED_FOR())
    elif attempt.first:
        found.reasons.append(messages.PAIR_NEVER_SYNCED())
    elif proof_is_due(attempt.checkpoint, days=proof_days, now=now):
        found.reasons.append(messages.PROOF_DUE())
    found.everything = bool(found.reasons)
    for access in both:
        _ask(found, access, attempt, dry_run, progress)
    return found


def proof_is_due(checkpoint: Mapping[str, Any], *, days: int, now: datetime) -> bool:
    """Whether the last scan of everything is older than `days`."""
    proof = checkpoint.get("proof")
    if proof is None or is_ahead(proof["at"], now=now):
        return True
    return bool(now - proof["at"] >= timedelta(days=days))


def _ask(found: Detection, access: SideAccess, attempt: Attempt, dry_run: bool, progress: Progress) -> None:
    side = access.side
    tokens, echoes = attempt.checkpoint.get("tokens") or {}, attempt.checkpoint.get("echo") or {}
    token = tokens.get(side.value)
    if access.session is None:
        found.reasons.append(messages.NO_CHANGE_STREAM(side=words.side(side.value)))
        return
    if token is not None:
        try:
            touched = stream.read(
                access,
                token=token,
                generation=None if dry_run else attempt.generation,
                echo=echoes.get(side.value),
                progress=progress,
            )
        except StreamBroken as broken:
            found.reasons.append(messages.CHANGE_STREAM_BROKE(side=words.side(side.value), reason=broken.args[0]))
        else:
            found.touched[side], found.tokens[side] = touched, touched.token
            return
    elif not found.everything:
        found.reasons.append(messages.NO_STREAM_TOKEN(side=words.side(side.value)))
    found.tokens[side] = None if dry_run else stream.here_and_now(access)
