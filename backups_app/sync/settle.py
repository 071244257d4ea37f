"""Judges documents one batch at a time by the three-way table and carries out the judgement, exactly and in order:

1. read both sides and the base;
2. decide by `merge`;
3. keep the bytes of whatever will be replaced or deleted in `sync_conflicts`;
4. write and delete, each compared with what was read;
5. only then the base: an entry says that both sides had these bytes.

What changed meanwhile is `again`: read again in the next round.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymongo.database import Database

from backups_app.catalog import purge_ledger, sync_conflicts
from backups_app.catalog.sync_base import Base, Entry
from backups_app.catalog.sync_conflicts import Loser
from backups_app.mongo import connections, raw_ids
from backups_app.mongo.exact_writes import delete, insert, live_documents, replace
from backups_app.mongo.exact_writes.live_collection import DURABLE, LiveCollection
from backups_app.mongo.exact_writes.replace import Replacement
from backups_app.mongo.exact_writes.written import WriteOutcome
from backups_app.progress import Progress
from backups_app.records import Side
from backups_app.sync import merge
from backups_app.sync.merge import Outcome
from backups_app.sync.sides import SideAccess
from backups_app.sync.tally import Tally

BATCH_DOCUMENTS = 500
BATCH_BYTES = 4 * 1024 * 1024
READ_BYTES = 12 * 1024 * 1024
"""More than this on one side, and the batch is halved: edits may have made documents larger than was foreseen."""

_OTHER = {Side.LOCAL: Side.REMOTE, Side.REMOTE: Side.LOCAL}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What holds for a collection besides the table.

    `insert_only` (capped, time-series): nothing is replaced or deleted there. `transactions` is False where the
    collection allows none. `copy_back`: what vanished on one side is copied back instead of deleted on the other.
    """

    fields: Sequence[str]
    insert_only: bool = False
    transactions: bool = True
    copy_back: bool = False
    dry_run: bool = False


@dataclass(kw_only=True)
class Settled:
    """What a batch left over, by key with the raw `_id`."""

    again: dict[bytes, bytes] = field(default_factory=dict)
    clashes: dict[bytes, tuple[bytes, str]] = field(default_factory=dict)
    vanished: dict[Side, dict[bytes, bytes]] = field(default_factory=lambda: {Side.LOCAL: {}, Side.REMOTE: {}})
    """By the side where the document still is: a deletion to be carried over there, if the brake allows."""
    held: dict[bytes, bytes] = field(default_factory=dict)

    def add(self, other: Settled) -> None:
        """Take the leftovers of another batch in."""
        self.again.update(other.again)
        self.clashes.update(other.clashes)
        self.held.update(other.held)
        for side in Side:
            self.vanished[side].update(other.vanished[side])


@dataclass(frozen=True, kw_only=True)
class _Write:
    """`expected` is None where nothing is there yet."""

    raw_id: bytes
    expected: bytes | None
    new: bytes
    loser: Loser | None


@dataclass(kw_only=True)
class _Plan:
    writes: dict[Side, dict[bytes, _Write]] = field(default_factory=lambda: {Side.LOCAL: {}, Side.REMOTE: {}})
    deletes: dict[Side, dict[bytes, bytes]] = field(default_factory=lambda: {Side.LOCAL: {}, Side.REMOTE: {}})
    losers: dict[bytes, Loser] = field(default_factory=dict)
    base: dict[bytes, Entry | None] = field(default_factory=dict)


@dataclass(kw_only=True)
class Settler:
    """One collection in the hands of one sync."""

    name: str
    run_id: str
    local: SideAccess
    remote: SideAccess
    base: Base
    rules: Rules
    collations: Mapping[Side, Mapping[str, Any] | None]
    tally: Tally
    progress: Progress
    now: datetime

    @property
    def catalog(self) -> Database[Any]:
        return self.local.database

    def settle(self, ids: Sequence[bytes], *, deletes: frozenset[Side] = frozenset()) -> Settled:
        """Given raw `_id`s, bring those documents together. Deletions are carried out only on the sides named.

        Raise `DatabaseUnreachable`, `RunCancelled`, `OwnershipLost`, PyMongoError.
        """
        self.progress.checkpoint()
        by_key = {raw_ids.key(raw_id): raw_id for raw_id in ids}
        settled = self._without_held(by_key)
        try:
            local, remote = self._read(self.local, by_key), self._read(self.remote, by_key)
        except live_documents.TooMuch:
            return self._in_halves(list(by_key.values()), settled, deletes)
        plan = self._decide(by_key, local, remote, deletes, settled)
        if not self.rules.dry_run:
            self._carry_out(plan, settled)
        return settled

    # ── reading and deciding ─────────────────────────────────────────────────

    def _without_held(self, by_key: dict[bytes, bytes]) -> Settled:
        """Take out of `by_key` what the purge ledger holds: those are neither copied nor deleted."""
        settled = Settled()
        with connections.reachable(Side.LOCAL):
            held = purge_ledger.open_ids(self.catalog, collection=self.name, ids=list(by_key.values()))
        for key in {raw_ids.key(raw_id) for raw_id in held} & by_key.keys():
            settled.held[key] = by_key.pop(key)
        self.tally.held += len(settled.held)
        return settled

    def _read(self, access: SideAccess, by_key: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        with connections.reachable(access.side):
            found = live_documents.read(
                collection=access.collection(self.name), ids=list(by_key.values()), limit_bytes=READ_BYTES
            )
        self.tally.size_bytes += sum(map(len, found.values()))
        return found

    def _in_halves(self, ids: Sequence[bytes], settled: Settled, deletes: frozenset[Side]) -> Settled:
        middle = len(ids) // 2
        for part in (ids[:middle], ids[middle:]):
            settled.add(self.settle(part, deletes=deletes))
        return settled

    def _decide(
        self,
        by_key: Mapping[bytes, bytes],
        local: Mapping[bytes, bytes],
        remote: Mapping[bytes, bytes],
        deletes: frozenset[Side],
        settled: Settled,
    ) -> _Plan:
        plan = _Plan()
        with connections.reachable(Side.LOCAL):
            base = self.base.read(by_key)
        for key, raw_id in by_key.items():
            entry, frames = base.get(key), {Side.LOCAL: local.get(key), Side.REMOTE: remote.get(key)}
            outcome = merge.outcome(
                base=entry.hash if entry else None,
                local=hashed(frames[Side.LOCAL]),
                remote=hashed(frames[Side.REMOTE]),
            )
            if self.rules.insert_only:
                self._decide_insert_only(plan, key, raw_id, outcome, entry, frames)
            else:
                self._decide_one(plan, key, raw_id, outcome, entry, frames, deletes, settled)
        return plan

    def _decide_one(
        self,
        plan: _Plan,
        key: bytes,
        raw_id: bytes,
        outcome: Outcome,
        entry: Entry | None,
        frames: Mapping[Side, bytes | None],
        deletes: frozenset[Side],
        settled: Settled,
    ) -> None:
        match outcome:
            case Outcome.EQUAL:
                self._note_equal(plan, key, entry, frames)
            case Outcome.FORGET:
                plan.base[key] = None
            case Outcome.DELETE_LOCAL | Outcome.DELETE_REMOTE:
                side = Side.LOCAL if outcome is Outcome.DELETE_LOCAL else Side.REMOTE
                if self.rules.copy_back:
                    self.tally.kept_back += 1
                    self._plan_write(plan, key, raw_id, _OTHER[side], frames, reason="edit", why="it was copied back")
                elif side in deletes:
                    self._plan_delete(plan, key, side, frames)
                else:
                    settled.vanished[side][key] = raw_id
            case Outcome.PULL_EDIT | Outcome.PUSH_EDIT:
                self.tally.edit_beat_deletion += 1
                side = Side.LOCAL if outcome is Outcome.PULL_EDIT else Side.REMOTE
                self._plan_write(plan, key, raw_id, side, frames, reason="edit", why="the edit beat the deletion")
            case Outcome.CONFLICT:
                self._plan_conflict(plan, key, raw_id, frames)
            case _:
                side = Side.LOCAL if outcome is Outcome.PULL else Side.REMOTE
                why = f"it was edited on the {_OTHER[side].value} side"
                self._plan_write(plan, key, raw_id, side, frames, reason="edit", why=why)

    def _decide_insert_only(
        self,
        plan: _Plan,
        key: bytes,
        raw_id: bytes,
        outcome: Outcome,
        entry: Entry | None,
        frames: Mapping[Side, bytes | None],
    ) -> None:
        """New documents are copied. What a capped collection pushed out, or a time-series expired, stays away."""
        present = [side for side in Side if frames[side] is not None]
        if outcome is Outcome.EQUAL:
            self._note_equal(plan, key, entry, frames)
        elif outcome is Outcome.FORGET:
            plan.base[key] = None
        elif len(present) == 2:
            self.tally.unresolved_documents[raw_id] = "both sides differ, and this collection only receives inserts"
        elif entry is None:
            self._plan_write(plan, key, raw_id, _OTHER[present[0]], frames, reason="edit", why="it is new")

    def _note_equal(self, plan: _Plan, key: bytes, entry: Entry | None, frames: Mapping[Side, bytes | None]) -> None:
        frame = frames[Side.LOCAL]
        assert frame is not None
        self.tally.equal += 1
        now = entry_of(frame)
        if entry != now:
            plan.base[key] = now

    def _plan_conflict(self, plan: _Plan, key: bytes, raw_id: bytes, frames: Mapping[Side, bytes | None]) -> None:
        local, remote = frames[Side.LOCAL], frames[Side.REMOTE]
        assert local is not None and remote is not None
        winner = merge.winner(local=local, remote=remote, fields=self.rules.fields, now=self.now)
        self._plan_write(plan, key, raw_id, _OTHER[winner.side], frames, reason="conflict", why=winner.reason)

    def _plan_write(
        self,
        plan: _Plan,
        key: bytes,
        raw_id: bytes,
        side: Side,
        frames: Mapping[Side, bytes | None],
        *,
        reason: str,
        why: str,
    ) -> None:
        """The other side's version is written on `side`."""
        new, expected = frames[_OTHER[side]], frames[side]
        assert new is not None
        loser = None
        if expected is not None:
            loser = Loser(collection=self.name, side=side.value, reason=reason, why=why, frame=expected, other=new)
            plan.losers[key] = loser
        plan.writes[side][key] = _Write(raw_id=raw_id, expected=expected, new=new, loser=loser)

    def _plan_delete(self, plan: _Plan, key: bytes, side: Side, frames: Mapping[Side, bytes | None]) -> None:
        frame = frames[side]
        assert frame is not None
        why = f"it was deleted on the {_OTHER[side].value} side"
        plan.losers[key] = Loser(
            collection=self.name, side=side.value, reason="deletion", why=why, frame=frame, other=None
        )
        plan.deletes[side][key] = frame

    # ── carrying out ─────────────────────────────────────────────────────────

    def _carry_out(self, plan: _Plan, settled: Settled) -> None:
        with connections.reachable(Side.LOCAL):
            sync_conflicts.keep(self.catalog, losers=list(plan.losers.values()), run_id=self.run_id, now=self.now)
        applied: list[bytes] = []
        for access in (self.remote, self.local):
            with connections.reachable(access.side):
                applied += self._write(access, plan, settled)
                applied += self._delete(access, plan, settled)
        with connections.reachable(Side.LOCAL):
            self.base.change(plan.base)
            kept = [plan.losers[key].id for key in applied if key in plan.losers]
            sync_conflicts.mark_applied(self.catalog, ids=kept)

    def _write(self, access: SideAccess, plan: _Plan, settled: Settled) -> list[bytes]:
        writes = plan.writes[access.side]
        if not writes:
            return []
        collection = access.collection(self.name)
        session = access.session if self.rules.transactions else None
        outcome = WriteOutcome()
        changed = [Replacement(write.expected, write.new) for write in writes.values() if write.expected is not None]
        if changed:
            outcome.add(replace.replace_equal(collection=collection, replacements=changed, session=session))
        new = [write.new for write in writes.values() if write.expected is None]
        if new:
            outcome.add(insert.insert_missing(collection=collection, frames=new, session=session))
        self._sort_in(access.side, writes, outcome, plan, settled)
        return outcome.done

    def _sort_in(
        self, side: Side, writes: Mapping[bytes, _Write], outcome: WriteOutcome, plan: _Plan, settled: Settled
    ) -> None:
        for key in outcome.done:
            write = writes[key]
            plan.base[key] = entry_of(write.new)
            self.tally.size_bytes += len(write.new)
            self.tally.conflicts += write.loser is not None and write.loser.reason == "conflict"
        self.tally.count_written(side, len(outcome.done))
        settled.again.update((key, writes[key].raw_id) for key in outcome.stale)
        settled.clashes.update((key, (writes[key].raw_id, reason)) for key, reason in outcome.clashes.items())
        for key, reason in outcome.refused.items():
            self.tally.unresolved_documents[writes[key].raw_id] = f"{side.value}: {reason}"

    def _delete(self, access: SideAccess, plan: _Plan, settled: Settled) -> list[bytes]:
        frames = plan.deletes[access.side]
        if not frames:
            return []
        live = LiveCollection(
            collection=access.collection(self.name).with_options(write_concern=DURABLE),
            type="collection",
            transactions=access.session is not None,
            own_collation=self.collations[access.side],
            statements_at_once=1,
        )
        if live.why_not:
            for frame in frames.values():
                self.tally.unresolved_documents[raw_ids.of(frame)] = f"{access.side.value}: {live.why_not}"
            return []
        outcome = delete.delete_equal(live=live, frames=list(frames.values()))
        self.tally.count_deleted(access.side, len(outcome.deleted))
        settled.again.update((raw_ids.key(raw_id), raw_id) for raw_id in outcome.kept)
        for raw_id, reason in outcome.refused.items():
            self.tally.unresolved_documents[raw_id] = f"{access.side.value}: {reason}"
        gone = [raw_ids.key(raw_id) for raw_id in (*outcome.deleted, *outcome.gone)]
        plan.base.update(dict.fromkeys(gone))
        return gone


def hashed(frame: bytes | None) -> bytes | None:
    """Return the hash of a document's bytes, or None where there is none."""
    return None if frame is None else hashlib.sha256(frame).digest()


def entry_of(frame: bytes) -> Entry:
    """Return the base entry of a document that both sides have."""
    return Entry(raw_ids.of(frame), hashlib.sha256(frame).digest())
