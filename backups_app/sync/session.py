"""One sync: the pair, the collections one after the other, deletions last, and the checkpoint for the next sync."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backups_app.catalog.sync.sync_base import SyncBase
from backups_app.messages import sync as messages
from backups_app.mongo import connections
from backups_app.progress import Progress
from backups_app.records import Side
from backups_app.sync import checkpoint, collection_failures, create_collection, listing, pair, sync_report
from backups_app.sync.apply_batch import BatchApplier
from backups_app.sync.collection_sync import CollectionSync, Search
from backups_app.sync.counters import CollectionCounters
from backups_app.sync.create_collection import Creations
from backups_app.sync.decisions import deletion_guard
from backups_app.sync.decisions.decisions import Rules
from backups_app.sync.detection import detection
from backups_app.sync.detection.detection import Detection
from backups_app.sync.edit_time import SyncClock
from backups_app.sync.listing import PlannedCollection
from backups_app.sync.options import SyncOptions
from backups_app.sync.pair import Attempt
from backups_app.sync.sides import SideAccess


@dataclass(kw_only=True)
class SyncSession:
    """The state of one sync, readable at any moment, also after it failed."""

    options: SyncOptions
    run_id: str
    progress: Progress
    clock: SyncClock
    attempt: Attempt | None = None
    all_counters: list[CollectionCounters] = field(default_factory=list)
    detection: Detection | None = None
    notices: list[str] = field(default_factory=list)
    proof: dict[str, Any] | None = None
    planned: list[PlannedCollection] = field(default_factory=list)
    creations: Creations = field(default_factory=Creations)
    trips: Counter[Any] = field(default_factory=Counter)
    _addresses: dict[str, Any] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)

    def run(self, local: SideAccess, remote: SideAccess) -> None:
        """Do the whole sync. Raise as `engine.synchronise` says.

        1. Recognise the pair and announce the next generation on both sides; a dry run only looks.
        2. Decide for each side whether its change stream says what changed, or it is scanned.
        3. List the collections, create what is missing on one side, and open the base of each.
        4. Copy, collection by collection; in GridFS the chunks before their files.
        5. Carry deletions over in the opposite order; in GridFS the files before their chunks.
        6. Make the announced generation the current one, and leave what the next sync needs.

        A collection that fails is left out of the steps after it, and the others go on.
        """
        both = (local, remote)
        self._addresses = {access.side.value: access.address for access in both}
        self.attempt = self._announce(local, remote)
        self.detection = detection.detect(
            attempt=self.attempt,
            both=both,
            exact=self.options.exact,
            proof_days=self.options.proof_days,
            dry_run=self.options.dry_run,
            progress=self.progress,
            now=self.clock.began_at,
        )
        self.creations = Creations.of_checkpoint(self.attempt.checkpoint)
        works = [work for one in self._plan(local, remote) if (work := self._prepared(one, both))]
        for work in works:
            self._take_step(work, work.copy, after={".files": ".chunks"})
        for work in reversed(works):
            self._take_step(work, work.delete, after={".chunks": ".files"})
            self._take_step(work, work.close)
        if not self.options.dry_run:
            left = self._checkpoint(both, works)
            pair.finish(local=local.database, remote=remote.database, attempt=self.attempt, checkpoint=left)

    def as_log(self) -> dict[str, Any]:
        """Return the fields of `sync_logs` that are known so far."""
        counts = sync_report.totals(self.all_counters)
        return {
            "pair": self.attempt.pair if self.attempt else None,
            "generation": self.attempt.generation if self.attempt else None,
            "dry_run": self.options.dry_run,
            "detection": self.detection.as_log() if self.detection else None,
            "collections": [one.as_log() for one in self.all_counters],
            "totals": counts,
            "bytes": counts["size_bytes"],
            "round_trips": {side: self.trips[address] for side, address in self._addresses.items()},
            "warnings": list(self.warnings()),
            "proof": self.proof,
            "left_over": [
                {"name": one.name, "reason": one.left_over} for one in self.all_counters if one.left_over is not None
            ],
            "error_code": None,
            "error_message": None,
            "half_way": False,
        }

    def warnings(self) -> Iterator[str]:
        """Yield one sentence for each thing an admin should know though the sync succeeded."""
        yield from self.notices
        for one in self.all_counters:
            yield from one.warnings()

    # ── inside ───────────────────────────────────────────────────────────────

    def _announce(self, local: SideAccess, remote: SideAccess) -> Attempt:
        if self.options.dry_run:
            return pair.inspect(local=local.database, remote=remote.database)
        return pair.begin(local=local.database, remote=remote.database, adopt=self.options.adopt)

    def _plan(self, local: SideAccess, remote: SideAccess) -> list[PlannedCollection]:
        lists = {}
        for access in (local, remote):
            with connections.reachable(access.side):
                lists[access.side] = listing.read(access.database)
        return listing.plan(
            local=lists[Side.LOCAL], remote=lists[Side.REMOTE], exclude=self.options.exclude, only=self.options.only
        )

    def _prepared(self, planned: PlannedCollection, both: Sequence[SideAccess]) -> CollectionSync | None:
        """Make a collection ready to be synced. Return None when it is not synced; its counters say why."""
        counters = CollectionCounters(name=planned.name)
        self.all_counters.append(counters)
        with collection_failures.contained(counters):
            counters.differences += listing.differences(planned)
            planned, base = self._complete(planned, counters, both)
            self.planned.append(planned)
            return None if base is None else self._collection_sync(planned, base, counters, both)
        self.planned.append(planned)
        return None

    def _take_step(
        self, work: CollectionSync, step: Callable[[], None], *, after: Mapping[str, str] | None = None
    ) -> None:
        """Take a step with a collection that has not failed. `after` is which part of a GridFS bucket waits for which:
        a reader must never find a file whose chunks are missing."""
        counters = work.counters
        for ending, other_ending in (after or {}).items():
            other = counters.name.removesuffix(ending) + other_ending
            if counters.name.endswith(ending) and any(one.name == other and one.left_out for one in self.all_counters):
                counters.failed = counters.failed or messages.BECAUSE_OF_ANOTHER_COLLECTION(collection=other)
        if not counters.failed:
            with collection_failures.contained(counters):
                step()

    def _complete(
        self, planned: PlannedCollection, counters: CollectionCounters, both: Sequence[SideAccess]
    ) -> tuple[PlannedCollection, SyncBase | None]:
        """Open the base of a collection; create the collection where it is missing. No base when it is not synced."""
        base = None if planned.skipped else self._base(planned, both)
        target = planned.missing_on
        if base is not None and target is not None:
            with connections.reachable(Side.LOCAL):
                known = base.count()
            if known and self.options.deletes != "keep" and planned.name not in self.options.decided:
                counters.blocked = deletion_guard.collection_vanished(target.value)
                return planned, None
            if not self.options.dry_run:
                counters.created_on = target.value
                planned = self.creations.create(planned=planned, target=target, both=both)
        counters.skipped, counters.skipped_on_purpose = planned.skipped, planned.on_purpose
        if planned.skipped:
            return planned, None
        if not self.options.dry_run and planned.missing_on is None:
            counters.unfinished = self.creations.finish_indexes(name=planned.name, both=both)
        return planned, base

    def _base(self, planned: PlannedCollection, both: Sequence[SideAccess]) -> SyncBase:
        assert self.attempt is not None
        local = both[0]
        with connections.reachable(Side.LOCAL):
            return SyncBase(
                local.database,
                name=planned.name,
                generation=None if self.options.dry_run else self.attempt.generation,
                expected=self._expected(planned, both),
            )

    def _expected(self, planned: PlannedCollection, both: Sequence[SideAccess]) -> int:
        """Return about how many documents there are; the far side is asked only when it is scanned anyway."""
        if planned.name in self._counted:
            return self._counted[planned.name]
        assert self.detection is not None
        scanned = self.detection.scanned(planned, both)
        counts = [0]
        for access in both:
            if access.side in planned.infos and (access.side is Side.LOCAL or access in scanned):
                with connections.reachable(access.side):
                    counts.append(access.collection(planned.name).estimated_document_count())
        self._counted[planned.name] = max(counts)
        return self._counted[planned.name]

    def _collection_sync(
        self, planned: PlannedCollection, base: SyncBase, counters: CollectionCounters, both: Sequence[SideAccess]
    ) -> CollectionSync:
        assert self.detection is not None
        local, remote = both
        decided = self.options.decided.get(planned.name)
        scanned = self._scanned(planned, base, both)
        counters.found_by = "scan" if len(scanned) == len(both) else "scan and stream" if scanned else "stream"
        if len(scanned) == len(both) or self.detection.indexes_differed(planned.name):
            self._compare_indexes(planned, counters, both)
        rules = Rules(
            fields=self.options.edit_fields,
            insert_only=planned.insert_only,
            transactions=not planned.insert_only,
            unordered=planned.type == "timeseries",
            copy_back=self.options.deletes == "keep" or decided == "keep",
            dry_run=self.options.dry_run,
        )
        applier = BatchApplier(
            name=planned.name,
            run_id=self.run_id,
            local=local,
            remote=remote,
            base=base,
            rules=rules,
            collations={side: planned.collation(side) for side in Side},
            counters=counters,
            progress=self.progress,
            clock=self.clock,
        )
        search = Search(
            scanned=scanned,
            touched={} if planned.type == "timeseries" else self.detection.ids(planned.name),
            expected=self._expected(planned, both),
        )
        return CollectionSync(
            applier=applier,
            base=base,
            search=search,
            counters=counters,
            progress=self.progress,
            clock=self.clock,
            decided=decided,
        )

    def _scanned(self, planned: PlannedCollection, base: SyncBase, both: Sequence[SideAccess]) -> Sequence[SideAccess]:
        assert self.detection is not None
        scanned = self.detection.scanned(planned, both)
        if len(scanned) != 1:
            return scanned
        with connections.reachable(Side.LOCAL):
            count = base.count()
        return scanned if self.detection.base_is_whole(planned.name, count) else both

    def _compare_indexes(
        self, planned: PlannedCollection, counters: CollectionCounters, both: Sequence[SideAccess]
    ) -> None:
        """Record how the indexes differ. The next sync compares them again, whatever its streams report."""
        found = create_collection.compare_indexes(name=planned.name, local=both[0], remote=both[1])
        counters.differences += found
        counters.indexes_differ = bool(found)
        if not self.options.create_indexes or self.options.dry_run or not counters.differences:
            return
        for source, target in (both, both[::-1]):
            counters.differences += create_collection.create_missing_indexes(
                name=planned.name, source=source, target=target
            )

    def _checkpoint(self, both: Sequence[SideAccess], works: Sequence[CollectionSync]) -> dict[str, Any]:
        """Return what the next sync needs; a sync of some collections only leaves the streams where they were."""
        assert self.detection is not None and self.attempt is not None
        there = {one.name for one in self.planned}
        if self.options.only is not None:
            only = self.options.only
            left = checkpoint.after_partial_sync(
                self.attempt.checkpoint, only=only, all_counters=self.all_counters, now=self.clock.began_at
            )
        else:
            left = checkpoint.after_full_sync(
                detection=self.detection,
                both=both,
                planned=self.planned,
                works=works,
                all_counters=self.all_counters,
                now=self.clock.began_at,
            )
        self.proof = left.get("proof")
        return left | {"making": self.creations.as_checkpoint(there), "remote": self.options.remote}
