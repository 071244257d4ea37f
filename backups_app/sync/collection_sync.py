"""One collection in one sync: find what differs, copy it in rounds, and carry deletions over last of all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from pymongo.errors import OperationFailure

from backups_app.catalog import sync_base
from backups_app.catalog.sync_base import Base
from backups_app.messages import sync as messages
from backups_app.mongo import connections
from backups_app.mongo.exact_writes import live_documents
from backups_app.progress import Progress
from backups_app.records import Side
from backups_app.sync import alone, brake, listing, scan
from backups_app.sync.judgement import Settled
from backups_app.sync.settle import BATCH_BYTES, BATCH_DOCUMENTS, Settler
from backups_app.sync.sides import SideAccess
from backups_app.sync.tally import NAMED_DOCUMENTS, Tally

ROUNDS = 3
SINGLED_OUT_AT_MOST = 20
_OTHER = {Side.LOCAL: Side.REMOTE, Side.REMOTE: Side.LOCAL}


@dataclass(frozen=True, kw_only=True)
class Search:
    """How differences are found: the sides to scan, and what the streams of the others touched (raw ids by key)."""

    scanned: Sequence[SideAccess]
    touched: Mapping[bytes, bytes] = field(default_factory=dict)
    expected: int = 0


@dataclass(kw_only=True)
class CollectionSync:
    """Copies first, for all collections; then `delete`, in the opposite order; then `close`."""

    settler: Settler
    base: Base
    search: Search
    tally: Tally
    progress: Progress
    now: datetime
    decided: str | None = None
    """What an admin decided about a blocked collection: `delete`, `keep`, or nothing yet."""
    known: int = 0
    scan_again: bool = False
    """Something vanished whose `_id` is not known: only a scan of both sides next time can tell."""
    singled_out: list[Exception] = field(default_factory=list)
    flowed: bool = False
    """Whether some batch could be settled: if none, the failure is the collection's, not one document's."""
    left: Settled = field(default_factory=Settled)

    def copy(self) -> None:
        """Find what differs and bring it together, except for deletions. At most three rounds."""
        with self._timed():
            if not self.search.scanned and not self.search.touched:
                return
            with connections.reachable(Side.LOCAL):
                self.known = self.base.count()
            for batch in self._batches():
                self._settle(batch)
            for _ in range(ROUNDS - 1):
                self._again(frozenset())
            if self.singled_out and not self.flowed:
                raise self.singled_out[-1]

    def delete(self) -> None:
        """Carry over the deletions that the brake lets pass, and try once more what had to wait for them."""
        with self._timed():
            sides = frozenset(side for side in Side if self._may_delete(side))
            if self.settler.rules.dry_run:
                for side in sides:
                    self.tally.count_deleted(side, len(self.left.vanished[side]))
                return
            for side in sides:
                ids = list(self.left.vanished[side].values())
                self.left.vanished[side] = {}
                for at in range(0, len(ids), BATCH_DOCUMENTS):
                    self._settle(ids[at : at + BATCH_DOCUMENTS], deletes=sides)
            if sides or self.left.clashes or self.left.again:
                self._again(sides)

    def close(self) -> None:
        """Name what is left: clashes are unresolved, what somebody else was quicker with waits for the next sync."""
        for clash in self.left.clashes.values():
            self.tally.unresolved_documents[clash.raw_id] = f"{clash.side.value}: {clash.reason}"
            if len(self.tally.other_ids) < NAMED_DOCUMENTS:
                self.tally.other_ids[clash.raw_id] = self.settler.who_holds(clash)
        self.tally.stale = len(self.left.again)
        self.tally.held = len(self.left.held)

    def leftover(self) -> list[bytes]:
        """Return the raw `_id`s that the next sync must look at, whatever its streams say."""
        waiting = {**self.left.again, **self.left.held}
        waiting.update((key, clash.raw_id) for key, clash in self.left.clashes.items())
        for side in Side:
            waiting.update(self.left.vanished[side])
        return [*waiting.values(), *self.tally.unresolved_documents]

    # ── inside ───────────────────────────────────────────────────────────────

    def _again(self, deletes: frozenset[Side]) -> None:
        waiting = {**self.left.again, **{key: clash.raw_id for key, clash in self.left.clashes.items()}}
        self.left.again, self.left.clashes = {}, {}
        ids = list(waiting.values())
        for at in range(0, len(ids), BATCH_DOCUMENTS):
            self._settle(ids[at : at + BATCH_DOCUMENTS], deletes=deletes)

    def _settle(self, ids: Sequence[bytes], *, deletes: frozenset[Side] = frozenset()) -> None:
        """Settle a batch. Where it fails, and one document may be why, single that one out: it is unresolved, and the
        others flow. After some of them it is the collection that fails."""
        counted = self.tally.judged
        try:
            self.left.add(self.settler.settle(ids, deletes=deletes))
            self.flowed = True
        except Exception as error:
            if not alone.may_be_one_document(error) or len(self.singled_out) >= SINGLED_OUT_AT_MOST:
                raise
            self.tally.judged = counted
            if len(ids) > 1:
                middle = len(ids) // 2
                self._settle(ids[:middle], deletes=deletes)
                self._settle(ids[middle:], deletes=deletes)
                return
            self.singled_out.append(error)
            self.tally.unresolved_documents[ids[0]] = messages.UNEXPECTED_ERROR(error=alone.kind(error))

    def _batches(self) -> Iterator[list[bytes]]:
        """Yield raw `_id`s to judge, at most 500 and 4 MiB at a time."""
        if self.search.scanned:
            yield from self._scanned()
            return
        ids = sorted(self.search.touched, key=sync_base.place)
        for at in range(0, len(ids), BATCH_DOCUMENTS):
            batch = [self.search.touched[key] for key in ids[at : at + BATCH_DOCUMENTS]]
            yield batch
            self.progress.advance(self.tally.name, len(batch))

    def _scanned(self) -> Iterator[list[bytes]]:
        batch: list[bytes] = []
        size = 0
        for found in scan.compare(
            name=self.tally.name,
            scanned=self.search.scanned,
            touched=self.search.touched,
            base=self.base,
            expected=self.search.expected,
            hashed=self.settler.rules.hashed,
            tally=self.tally,
            progress=self.progress,
            repeats=self.settler.rules.unordered,
        ):
            self.tally.equal += found.equal
            self.tally.found_by_scan_alone += found.alone
            self.scan_again = self.scan_again or found.unknown > 0
            if found.base and not self.settler.rules.dry_run:
                self.progress.checkpoint()
                with connections.reachable(Side.LOCAL):
                    self.base.change(found.base)
            for raw_id, length in found.candidates.items():
                if batch and (len(batch) == BATCH_DOCUMENTS or size + length > BATCH_BYTES):
                    yield batch
                    batch, size = [], 0
                batch.append(raw_id)
                size += length
        if batch:
            yield batch

    def _may_delete(self, side: Side) -> bool:
        """Whether what vanished on the other side may be deleted on `side`. A closed brake is named in the tally."""
        vanished = self.left.vanished[side]
        if not vanished:
            return False
        if not self._exists(_OTHER[side]):
            self.tally.blocked = brake.collection_vanished(_OTHER[side].value)
            return False
        if self.decided == "delete" or not brake.blocks(vanished=len(vanished), known=self.known):
            return True
        count = len(vanished) - self._expired(side)
        if not brake.blocks(vanished=count, known=self.known):
            return True
        self.tally.blocked = brake.sentence(vanished=count, known=self.known, side=_OTHER[side].value)
        return False

    def _exists(self, side: Side) -> bool:
        """Whether the collection is still there: documents do not vanish one by one when it was dropped meanwhile."""
        with connections.reachable(side):
            return self.tally.name in listing.read(self.settler.access(side).database, name=self.tally.name)

    def _expired(self, side: Side) -> int:
        """Count those of the vanished documents that a TTL index would have deleted anyway; none where nobody may
        see the indexes."""
        with connections.reachable(side):
            collection = self.settler.access(side).collection(self.tally.name)
            try:
                indexes = [index for index in collection.list_indexes() if "expireAfterSeconds" in index]
            except OperationFailure as error:
                if connections.is_unreachable(error):
                    raise
                return 0
            if not indexes:
                return 0
            count, ids = 0, list(self.left.vanished[side].values())
            for at in range(0, len(ids), BATCH_DOCUMENTS):
                there = live_documents.read(collection=collection, ids=ids[at : at + BATCH_DOCUMENTS])
                count += sum(brake.expired(frame, indexes=indexes, now=self.now) for frame in there.values())
        return count

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.tally.seconds += time.monotonic() - started
