"""Decides what happens to each document of a batch: the three-way table and its exceptions. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from backups_app.catalog.sync.replaced_version import ReplacedVersion
from backups_app.catalog.sync.sync_base import BaseEntries, BaseEntry
from backups_app.messages import sync as messages
from backups_app.messages import words
from backups_app.mongo import raw_bson, raw_ids
from backups_app.records import Side
from backups_app.sync import merge
from backups_app.sync.counters import CollectionCounters
from backups_app.sync.decisions.batch_plan import BatchPlan, Pending, Write
from backups_app.sync.merge import Outcome

Frames = Mapping[Side, bytes | None]
"""A document as both sides have it."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What holds for a collection besides the table.

    `insert_only` (capped, time-series): nothing is replaced or deleted there. `transactions` is False where the
    collection allows none. `unordered` (time-series): the server assembles a document on each read,
    so the order of its fields means nothing. `copy_back`: what vanished on one side is copied back instead of deleted
    on the other.
    """

    fields: Sequence[str]
    insert_only: bool = False
    transactions: bool = True
    unordered: bool = False
    copy_back: bool = False
    dry_run: bool = False

    @property
    def hashed(self) -> Callable[[bytes], bytes]:
        """Return the function that hashes a document's bytes."""
        return _hashed_without_order if self.unordered else _hashed


def _hashed(frame: bytes) -> bytes:
    return hashlib.sha256(frame).digest()


def _hashed_without_order(frame: bytes) -> bytes:
    parts = sorted(b"%c%s\0%s" % (value.type, name, value.data) for name, value in raw_bson.elements(frame))
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


@dataclass(kw_only=True)
class BatchDecisions:
    """The decisions of one batch. `deletes` are the sides where deletions are applied; elsewhere a vanished document
    is only noted in `pending`."""

    name: str
    rules: Rules
    counters: CollectionCounters
    now: datetime
    deletes: frozenset[Side]
    pending: Pending
    plan: BatchPlan = field(default_factory=BatchPlan)

    def decide(
        self,
        by_key: Mapping[bytes, bytes],
        *,
        base: BaseEntries,
        local: Mapping[bytes, bytes],
        remote: Mapping[bytes, bytes],
    ) -> BatchPlan:
        """Given raw `_id`s by key, the base, and what both sides have, decide each. Return the plan."""
        for key, raw_id in by_key.items():
            entry, frames = base.get(key), {Side.LOCAL: local.get(key), Side.REMOTE: remote.get(key)}
            hashes = {side: self.rules.hashed(frame) if frame is not None else None for side, frame in frames.items()}
            outcome = merge.outcome(
                base=entry.hash if entry else None, local=hashes[Side.LOCAL], remote=hashes[Side.REMOTE]
            )
            if outcome is Outcome.EQUAL:
                self._equal(key, entry, frames)
            elif outcome is Outcome.FORGET:
                self.plan.base[key] = None
            elif self.rules.insert_only:
                self._insert_only(key, raw_id, entry, frames)
            else:
                self._changed(key, raw_id, outcome, frames)
        return self.plan

    def entry_of(self, frame: bytes) -> BaseEntry:
        """Return the base entry of a document that both sides have."""
        return BaseEntry(raw_ids.id_of(frame), self.rules.hashed(frame))

    def _changed(self, key: bytes, raw_id: bytes, outcome: Outcome, frames: Frames) -> None:
        match outcome:
            case Outcome.DELETE_LOCAL | Outcome.DELETE_REMOTE:
                self._vanished(key, raw_id, Side.LOCAL if outcome is Outcome.DELETE_LOCAL else Side.REMOTE, frames)
            case Outcome.PULL_EDIT | Outcome.PUSH_EDIT:
                self.counters.edit_beat_deletion += 1
                side = Side.LOCAL if outcome is Outcome.PULL_EDIT else Side.REMOTE
                self._write(key, raw_id, side, frames, reason="edit", why=messages.WHY_EDIT_WON())
            case Outcome.CONFLICT:
                local, remote = frames[Side.LOCAL], frames[Side.REMOTE]
                assert local is not None and remote is not None
                winner = merge.winner(local=local, remote=remote, fields=self.rules.fields, now=self.now)
                self._write(key, raw_id, winner.side.other, frames, reason="conflict", why=winner.reason)
            case _:
                side = Side.LOCAL if outcome is Outcome.PULL else Side.REMOTE
                why = messages.WHY_EDITED_ON(side=words.side(side.other.value))
                self._write(key, raw_id, side, frames, reason="edit", why=why)

    def _vanished(self, key: bytes, raw_id: bytes, side: Side, frames: Frames) -> None:
        """It is gone on the other side and unchanged on `side`."""
        if self.rules.copy_back:
            self.counters.kept_back += 1
            self._write(key, raw_id, side.other, frames, reason="edit", why=messages.WHY_COPIED_BACK())
        elif side in self.deletes:
            self._delete(key, side, frames)
        else:
            self.pending.vanished[side][key] = raw_id

    def _insert_only(self, key: bytes, raw_id: bytes, entry: BaseEntry | None, frames: Frames) -> None:
        """New documents are copied. What a capped collection pushed out, or a time-series expired, stays away."""
        present = [side for side in Side if frames[side] is not None]
        if len(present) == 2:
            self.counters.unresolved_documents[raw_id] = messages.WHY_ONLY_INSERTS()
        elif entry is None:
            self._write(key, raw_id, present[0].other, frames, reason="edit", why=messages.WHY_NEW())

    def _equal(self, key: bytes, entry: BaseEntry | None, frames: Frames) -> None:
        frame = frames[Side.LOCAL]
        assert frame is not None
        self.counters.equal += 1
        now = self.entry_of(frame)
        if entry != now:
            self.plan.base[key] = now

    def _write(self, key: bytes, raw_id: bytes, side: Side, frames: Frames, *, reason: str, why: str) -> None:
        """The other side's version is written on `side`; what stands there is kept first."""
        new, expected = frames[side.other], frames[side]
        assert new is not None
        replaced = None
        if expected is not None:
            replaced = ReplacedVersion(
                collection=self.name, side=side.value, reason=reason, why=why, frame=expected, other=new
            )
            self.plan.replaced_versions[key] = replaced
        self.plan.writes[side][key] = Write(raw_id=raw_id, expected=expected, new=new, replaced=replaced)

    def _delete(self, key: bytes, side: Side, frames: Frames) -> None:
        frame = frames[side]
        assert frame is not None
        why = messages.WHY_DELETED_ON(side=words.side(side.other.value))
        replaced = ReplacedVersion(
            collection=self.name, side=side.value, reason="deletion", why=why, frame=frame, other=None
        )
        self.plan.replaced_versions[key] = replaced
        self.plan.deletes[side][key] = frame
