"""One collection in one sync: find what differs, copy it in rounds, apply deletions last."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pymongo.errors import OperationFailure

from backups_app import batches
from backups_app.catalog.sync import sync_base
from backups_app.catalog.sync.sync_base import SyncBase
from backups_app.messages import sync as messages
from backups_app.mongo import connections
from backups_app.mongo.exact_writes import live_documents
from backups_app.progress import Progress
from backups_app.records import Side
from backups_app.sync import collection_failures, listing
from backups_app.sync.apply_batch import BATCH_BYTES, BATCH_DOCUMENTS, BatchApplier
from backups_app.sync.counters import NAMED_DOCUMENTS, CollectionCounters
from backups_app.sync.decisions import deletion_guard
from backups_app.sync.decisions.batch_plan import Pending
from backups_app.sync.detection import scan
from backups_app.sync.edit_time import SyncClock
from backups_app.sync.sides import SideAccess

ROUNDS = 3
SINGLED_OUT_AT_MOST = 20


@dataclass(frozen=True, kw_only=True)
class Search:
    """How differences are found: the sides to scan, and what the streams of the others touched (raw ids by key)."""

    scanned: Sequence[SideAccess]
    touched: Mapping[bytes, bytes] = field(default_factory=dict)
    expected: int = 0


@dataclass(kw_only=True)
class CollectionSync:
    """The sync of one collection, in three calls of the session: `copy`, for all collections; then `delete`, in the
    opposite order of collections; then `close`."""

    applier: BatchApplier
    base: SyncBase
    search: Search
    counters: CollectionCounters
    progress: Progress
    clock: SyncClock
    decided: str | None = None
    """What an admin decided about a blocked collection: `delete`, `keep`, or nothing yet."""
    known: int = 0
    scan_again: bool = False
    """Something vanished whose `_id` is not known: only a scan of both sides next time can know."""
    singled_out: list[Exception] = field(default_factory=list)
    flowed: bool = False
    """Whether some batch was applied: if none was, the failure is the collection's, not one document's."""
    pending: Pending = field(default_factory=Pending)

    def copy(self) -> None:
        """Find what differs and apply it, except for deletions.

        1. Where no side is scanned and no stream touched a document, nothing differs.
        2. Count what the base knows: the deletion guard compares what vanished with it.
        3. First round: decide about every document that a scan or a stream names, and write, batch by batch.
        4. Two more rounds: what changed meanwhile or clashed on a unique index is decided again.
        5. Where no batch was applied, the failure is the collection's and not one document's: raise it.
        """
        with self._timed():
            if not self.search.scanned and not self.search.touched:
                return
            with connections.reachable(Side.LOCAL):
                self.known = self.base.count()
            for batch in self._batches():
                self._apply(batch)
            for _ in range(ROUNDS - 1):
                self._retry(frozenset())
            if self.singled_out and not self.flowed:
                raise self.singled_out[-1]

    def delete(self) -> None:
        """Carry deletions over.

        1. Ask the deletion guard on which sides what vanished on the other may be deleted. The counters say why not.
        2. A dry run only counts them.
        3. Delete batch by batch: each document is compared once more with the version that was decided about.
        4. Decide again about what had to wait for a deletion: a unique value may be free now.
        """
        with self._timed():
            sides = frozenset(side for side in Side if self._may_delete(side))
            if self.applier.rules.dry_run:
                for side in sides:
                    self.counters.count_deleted(side, len(self.pending.vanished[side]))
                return
            for side in sides:
                ids = list(self.pending.vanished[side].values())
                self.pending.vanished[side] = {}
                for at in range(0, len(ids), BATCH_DOCUMENTS):
                    self._apply(ids[at : at + BATCH_DOCUMENTS], deletes=sides)
            if sides or self.pending.clashes or self.pending.changed_meanwhile:
                self._retry(sides)

    def close(self) -> None:
        """Record what is pending: clashes are unresolved; documents that changed meanwhile wait for the next sync."""
        for clash in self.pending.clashes.values():
            self.counters.leave(clash.raw_id, side=clash.side, reason=clash.reason)
            if len(self.counters.other_ids) < NAMED_DOCUMENTS:
                self.counters.other_ids[clash.raw_id] = self.applier.who_holds(clash)
        self.counters.stale = len(self.pending.changed_meanwhile)
        self.counters.held = len(self.pending.held)

    def pending_ids(self) -> list[bytes]:
        """Return the raw `_id`s that the next sync must look at, whatever its streams say."""
        waiting = {**self.pending.changed_meanwhile, **self.pending.held}
        waiting.update((key, clash.raw_id) for key, clash in self.pending.clashes.items())
        for side in Side:
            waiting.update(self.pending.vanished[side])
        return [*waiting.values(), *self.counters.unresolved_documents]

    # ── inside ───────────────────────────────────────────────────────────────

    def _retry(self, deletes: frozenset[Side]) -> None:
        waiting = {
            **self.pending.changed_meanwhile,
            **{key: clash.raw_id for key, clash in self.pending.clashes.items()},
        }
        self.pending.changed_meanwhile, self.pending.clashes = {}, {}
        ids = list(waiting.values())
        for at in range(0, len(ids), BATCH_DOCUMENTS):
            self._apply(ids[at : at + BATCH_DOCUMENTS], deletes=deletes)

    def _apply(self, ids: Sequence[bytes], *, deletes: frozenset[Side] = frozenset()) -> None:
        """Apply a batch. If it fails and one document may be the reason, isolate that document: it is unresolved,
        and the others are applied. After `SINGLED_OUT_AT_MOST` of them the collection fails."""
        counted = self.counters.decision_counts
        try:
            self.pending.add(self.applier.apply(ids, deletes=deletes))
            self.flowed = True
        except Exception as error:
            if not collection_failures.may_be_one_document(error) or len(self.singled_out) >= SINGLED_OUT_AT_MOST:
                raise
            self.counters.decision_counts = counted
            if len(ids) > 1:
                middle = len(ids) // 2
                self._apply(ids[:middle], deletes=deletes)
                self._apply(ids[middle:], deletes=deletes)
                return
            self.singled_out.append(error)
            self.counters.unresolved_documents[ids[0]] = messages.UNEXPECTED_ERROR(
                error=collection_failures.kind(error)
            )

    def _batches(self) -> Iterator[list[bytes]]:
        """Yield raw `_id`s to decide about, at most 500 and 4 MiB at a time."""
        if self.search.scanned:
            yield from self._scanned()
            return
        ids = sorted(self.search.touched, key=sync_base.place)
        for at in range(0, len(ids), BATCH_DOCUMENTS):
            batch = [self.search.touched[key] for key in ids[at : at + BATCH_DOCUMENTS]]
            yield batch
            self.progress.advance(self.counters.name, len(batch))

    def _scanned(self) -> Iterator[list[bytes]]:
        candidates = batches.cut(
            self._candidates(), size_of=lambda one: one[1], most=BATCH_DOCUMENTS, most_bytes=BATCH_BYTES
        )
        return ([raw_id for raw_id, _ in batch] for batch in candidates)

    def _candidates(self) -> Iterator[tuple[bytes, int]]:
        """Scan. Yield each raw `_id` that differs, with the size of its larger version."""
        for found in scan.compare(
            name=self.counters.name,
            scanned=self.search.scanned,
            touched=self.search.touched,
            base=self.base,
            expected=self.search.expected,
            hashed=self.applier.rules.hashed,
            counters=self.counters,
            progress=self.progress,
            repeats=self.applier.rules.unordered,
        ):
            self.counters.equal += found.equal
            self.counters.found_by_scan_alone += found.alone
            self.scan_again = self.scan_again or found.unknown > 0
            if found.base and not self.applier.rules.dry_run:
                self.progress.checkpoint()
                with connections.reachable(Side.LOCAL):
                    self.base.change(found.base)
            yield from found.candidates.items()

    def _may_delete(self, side: Side) -> bool:
        """Whether what vanished on the other side may be deleted on `side`. The counters say why not."""
        vanished = self.pending.vanished[side]
        if not vanished:
            return False
        if not self._exists(side.other):
            self.counters.blocked = deletion_guard.collection_vanished(side.other.value)
            return False
        if self.decided == "delete" or not deletion_guard.blocks(vanished=len(vanished), known=self.known):
            return True
        count = len(vanished) - self._expired(side)
        if not deletion_guard.blocks(vanished=count, known=self.known):
            return True
        self.counters.blocked = deletion_guard.sentence(vanished=count, known=self.known, side=side.other.value)
        return False

    def _exists(self, side: Side) -> bool:
        """Whether the collection is still there: documents do not vanish one by one when it was dropped meanwhile."""
        with connections.reachable(side):
            return self.counters.name in listing.read(self.applier.access(side).database, name=self.counters.name)

    def _expired(self, side: Side) -> int:
        """Count those of the vanished documents that a TTL index would have deleted anyway; none where nobody may
        see the indexes."""
        with connections.reachable(side):
            collection = self.applier.access(side).collection(self.counters.name)
            try:
                indexes = [index for index in collection.list_indexes() if "expireAfterSeconds" in index]
            except OperationFailure as error:
                if connections.is_unreachable(error):
                    raise
                return 0
            if not indexes:
                return 0
            count, ids = 0, list(self.pending.vanished[side].values())
            for at in range(0, len(ids), BATCH_DOCUMENTS):
                there = live_documents.read(collection=collection, ids=ids[at : at + BATCH_DOCUMENTS])
                count += sum(
                    deletion_guard.expired(frame, indexes=indexes, now=self.clock.now()) for frame in there.values()
                )
        return count

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.counters.seconds += time.monotonic() - started
