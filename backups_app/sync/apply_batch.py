"""Applies one batch of documents to both sides, in this order:

1. read both sides and the base;
2. decide by the table (`decisions`);
3. keep every version that will be replaced or deleted in `sync_conflicts`;
4. write and delete, each compared with what was read;
5. only then the base: an entry says that both sides had these bytes.

What changed meanwhile is `changed_meanwhile`: it is read again in the next round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.catalog import purge_ledger
from backups_app.catalog.sync import sync_conflicts
from backups_app.catalog.sync.sync_base import SyncBase
from backups_app.mongo import connections, raw_ids
from backups_app.mongo.exact_writes import delete, insert, live_documents, replace
from backups_app.mongo.exact_writes.live_collection import DURABLE, LiveCollection
from backups_app.mongo.exact_writes.replace import Replacement
from backups_app.mongo.exact_writes.write_outcome import WriteOutcome
from backups_app.progress import Progress
from backups_app.records import Side
from backups_app.sync.counters import CollectionCounters
from backups_app.sync.decisions.batch_plan import BatchPlan, Clash, Pending, Write
from backups_app.sync.decisions.decisions import BatchDecisions, Rules
from backups_app.sync.edit_time import SyncClock
from backups_app.sync.sides import SideAccess

BATCH_DOCUMENTS = 500
BATCH_BYTES = 4 * 1024 * 1024
ARROWS = {Side.LOCAL: "←", Side.REMOTE: "→"}
READ_BYTES = 12 * 1024 * 1024
"""More than this on one side, and the batch is halved: edits may have made documents larger than was foreseen."""


@dataclass(kw_only=True)
class BatchApplier:
    """Applies batches of one collection for one sync."""

    name: str
    run_id: str
    local: SideAccess
    remote: SideAccess
    base: SyncBase
    rules: Rules
    collations: Mapping[Side, Mapping[str, Any] | None]
    counters: CollectionCounters
    progress: Progress
    clock: SyncClock
    _announced: set[Side] = field(default_factory=set)

    @property
    def catalog(self) -> Database[Any]:
        """The local database, where base, ledger and kept versions are."""
        return self.local.database

    def access(self, side: Side) -> SideAccess:
        """Return one of the two sides."""
        return self.local if side is Side.LOCAL else self.remote

    def apply(self, ids: Sequence[bytes], *, deletes: frozenset[Side] = frozenset()) -> Pending:
        """Given raw `_id`s, apply the decisions about those documents. Deletions are applied only on the sides named.

        Raise `DatabaseUnreachable`, `RunCancelled`, `OwnershipLost`, PyMongoError.
        """
        self.progress.checkpoint()
        by_key = {raw_ids.key(raw_id): raw_id for raw_id in ids}
        pending = self._without_held(by_key)
        try:
            local, remote = self._read(self.local, by_key), self._read(self.remote, by_key)
        except live_documents.TooMuch:
            return self._in_halves(list(by_key.values()), pending, deletes)
        with connections.reachable(Side.LOCAL):
            base = self.base.read(by_key)
        decisions = BatchDecisions(
            name=self.name,
            rules=self.rules,
            counters=self.counters,
            now=self.clock.now(),
            deletes=deletes,
            pending=pending,
        )
        plan = decisions.decide(by_key, base=base, local=local, remote=remote)
        if self.rules.dry_run:
            self._count_only(plan)
        else:
            self._carry_out(plan, pending, decisions)
        return pending

    def who_holds(self, clash: Clash) -> Any:
        """Return the `_id` of the document that holds the unique values of a clash, or None where nobody can know."""
        wanted = clash.holder()
        if wanted is None:
            return None
        access = self.access(clash.side)
        with connections.reachable(clash.side), suppress(OperationFailure):
            found = access.collection(self.name).with_options(codec_options=live_documents.RAW).find_one(wanted)
            return None if found is None else raw_ids.readable(raw_ids.id_of(bytes(found.raw)))
        return None

    # ── inside ───────────────────────────────────────────────────────────────

    def _without_held(self, by_key: dict[bytes, bytes]) -> Pending:
        """Take out of `by_key` what the purge ledger holds: those are neither copied nor deleted."""
        pending = Pending()
        with connections.reachable(Side.LOCAL):
            held = purge_ledger.open_ids(self.catalog, collection=self.name, ids=list(by_key.values()))
        for key in {raw_ids.key(raw_id) for raw_id in held} & by_key.keys():
            pending.held[key] = by_key.pop(key)
        return pending

    def _read(self, access: SideAccess, by_key: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        with connections.reachable(access.side):
            found = live_documents.read(
                collection=access.collection(self.name), ids=list(by_key.values()), limit_bytes=READ_BYTES
            )
        self.counters.size_bytes += sum(map(len, found.values()))
        return found

    def _in_halves(self, ids: Sequence[bytes], pending: Pending, deletes: frozenset[Side]) -> Pending:
        middle = len(ids) // 2
        for part in (ids[:middle], ids[middle:]):
            pending.add(self.apply(part, deletes=deletes))
        return pending

    def _count_only(self, plan: BatchPlan) -> None:
        for side in Side:
            self.counters.count_written(side, len(plan.writes[side]))
        for replaced in plan.replaced_versions.values():
            self.counters.count_conflict(replaced)

    def _carry_out(self, plan: BatchPlan, pending: Pending, decisions: BatchDecisions) -> None:
        with connections.reachable(Side.LOCAL):
            sync_conflicts.keep(
                self.catalog,
                replaced_versions=list(plan.replaced_versions.values()),
                run_id=self.run_id,
                now=self.clock.now(),
            )
        applied: list[bytes] = []
        for access in (self.remote, self.local):
            with connections.reachable(access.side):
                written = self._write(access, plan.writes[access.side], pending)
                for key in written:
                    plan.base[key] = decisions.entry_of(plan.writes[access.side][key].new)
                gone = self._delete(access, plan.deletes[access.side], pending)
                plan.base.update(dict.fromkeys(gone))
            self._report_progress(access.side, [plan.writes[access.side][key].new for key in written], len(gone))
            applied += [*written, *gone]
        with connections.reachable(Side.LOCAL):
            self.base.change(plan.base)
            kept = [plan.replaced_versions[key].id for key in applied if key in plan.replaced_versions]
            sync_conflicts.mark_applied(self.catalog, ids=kept)

    def _report_progress(self, side: Side, written: Sequence[bytes], gone: int) -> None:
        """Report what was written, by direction. The total is not known beforehand."""
        if not written and not gone:
            return
        label = f"{self.name} {ARROWS[side]} Atlas"
        if side not in self._announced:
            self._announced.add(side)
            self.progress.expect(label, 0)
        self.progress.advance(label, len(written) + gone, sum(map(len, written)))

    def _write(self, access: SideAccess, writes: Mapping[bytes, Write], pending: Pending) -> list[bytes]:
        """Insert and replace. Return the keys of what was written."""
        collection = access.collection(self.name)
        session = access.session if self.rules.transactions else None
        outcome = WriteOutcome()
        changed = [Replacement(one.expected, one.new) for one in writes.values() if one.expected is not None]
        if changed:
            outcome.add(replace.replace_equal(collection=collection, replacements=changed, session=session))
        new = [one.new for one in writes.values() if one.expected is None]
        if new:
            outcome.add(insert.insert_missing(collection=collection, frames=new, session=session))
        self._sort_in(access.side, writes, outcome, pending)
        return outcome.done

    def _sort_in(self, side: Side, writes: Mapping[bytes, Write], outcome: WriteOutcome, pending: Pending) -> None:
        for key in outcome.done:
            replaced = writes[key].replaced
            self.counters.size_bytes += len(writes[key].new)
            self.counters.count_conflict(replaced)
        self.counters.count_written(side, len(outcome.done))
        pending.changed_meanwhile.update((key, writes[key].raw_id) for key in outcome.stale)
        for key, reason in outcome.clashes.items():
            values = outcome.clashing.get(key, {})
            pending.clashes[key] = Clash(raw_id=writes[key].raw_id, reason=reason, side=side, values=values)
        for key, reason in outcome.refused.items():
            self.counters.leave(writes[key].raw_id, side=side, reason=reason)

    def _delete(self, access: SideAccess, frames: Mapping[bytes, bytes], pending: Pending) -> list[bytes]:
        """Delete exactly. Return the keys of what is not there any more."""
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
                self.counters.leave(raw_ids.id_of(frame), side=access.side, reason=live.why_not)
            return []
        outcome = delete.delete_equal(live=live, frames=list(frames.values()))
        self.counters.count_deleted(access.side, len(outcome.deleted))
        pending.changed_meanwhile.update((raw_ids.key(raw_id), raw_id) for raw_id in outcome.kept)
        for raw_id, reason in outcome.refused.items():
            self.counters.leave(raw_id, side=access.side, reason=reason)
        return [raw_ids.key(raw_id) for raw_id in (*outcome.deleted, *outcome.already_absent)]
