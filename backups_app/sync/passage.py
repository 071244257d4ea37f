"""One sync on its way: the pair, the collections one after the other, deletions last, and what it leaves behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backups_app.catalog.sync_base import Base
from backups_app.mongo import connections
from backups_app.progress import Progress
from backups_app.records import Side
from backups_app.sync import brake, detection, listing, memory, pair, tally, twin
from backups_app.sync.collection_sync import CollectionSync, Search
from backups_app.sync.detection import Detection
from backups_app.sync.judgement import Rules
from backups_app.sync.listing import Planned
from backups_app.sync.pair import Attempt
from backups_app.sync.settle import Settler
from backups_app.sync.sides import SideAccess
from backups_app.sync.tally import Tally

if TYPE_CHECKING:
    from backups_app.sync.engine import SyncOptions


@dataclass(kw_only=True)
class Passage:
    """The state of one sync, readable at any moment, also after it failed."""

    options: SyncOptions
    run_id: str
    progress: Progress
    now: datetime
    attempt: Attempt | None = None
    tallies: list[Tally] = field(default_factory=list)
    detection: Detection | None = None
    notices: list[str] = field(default_factory=list)
    proof: dict[str, Any] | None = None
    trips: Counter[Any] = field(default_factory=Counter)
    _addresses: dict[str, Any] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)

    def run(self, local: SideAccess, remote: SideAccess) -> None:
        """Do the whole sync. Raise as `engine.synchronise` says."""
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
            now=self.now,
        )
        planned = [self._complete(one, both) for one in self._plan(local, remote)]
        works = [self._work(one, base, both) for one, base in planned if base is not None]
        for work in works:
            work.copy()
        for work in reversed(works):
            work.delete()
            work.close()
        if not self.options.dry_run:
            left = self._memory(both, [one for one, _ in planned], works)
            pair.finish(local=local.database, remote=remote.database, attempt=self.attempt, memory=left)

    def as_log(self) -> dict[str, Any]:
        """Return the fields of `sync_logs` that are known so far."""
        counts = tally.totals(self.tallies)
        return {
            "pair": self.attempt.pair if self.attempt else None,
            "generation": self.attempt.generation if self.attempt else None,
            "dry_run": self.options.dry_run,
            "detection": self.detection.as_log() if self.detection else None,
            "collections": [one.as_log() for one in self.tallies],
            "totals": counts,
            "bytes": counts["size_bytes"],
            "round_trips": {side: self.trips[address] for side, address in self._addresses.items()},
            "warnings": list(self.warnings()),
            "proof": self.proof,
            "error_code": None,
            "error_message": None,
            "half_way": False,
        }

    def warnings(self) -> Iterator[str]:
        """Yield one sentence for each thing an admin should know though the sync succeeded."""
        yield from self.notices
        for one in self.tallies:
            if one.blocked:
                yield f"{one.name}: nothing was deleted, {one.blocked}. Decide with backup_sync."
            if one.unresolved:
                yield f"{one.name}: {one.unresolved} documents could not be carried over."
            if one.held:
                yield f"{one.name}: {one.held} documents of an unfinished deletion were left alone."

    # ── inside ───────────────────────────────────────────────────────────────

    def _announce(self, local: SideAccess, remote: SideAccess) -> Attempt:
        if self.options.dry_run:
            return pair.look(local=local.database, remote=remote.database)
        return pair.begin(local=local.database, remote=remote.database, adopt=self.options.adopt)

    def _plan(self, local: SideAccess, remote: SideAccess) -> list[Planned]:
        lists = {}
        for access in (local, remote):
            with connections.reachable(access.side):
                lists[access.side] = listing.read(access.database)
        return listing.plan(
            local=lists[Side.LOCAL], remote=lists[Side.REMOTE], exclude=self.options.exclude, only=self.options.only
        )

    def _complete(self, planned: Planned, both: Sequence[SideAccess]) -> tuple[Planned, Base | None]:
        """Make a collection ready: its base, and its twin where it is missing. No base when it is not synced."""
        tally = Tally(name=planned.name, skipped=planned.skipped, differences=listing.differences(planned))
        self.tallies.append(tally)
        if planned.skipped:
            return planned, None
        base = self._base(planned, both)
        target = planned.missing_on
        if target is None:
            return planned, base
        with connections.reachable(Side.LOCAL):
            known = base.count()
        if known and self.options.deletes != "keep" and planned.name not in self.options.decided:
            tally.blocked = brake.COLLECTION_GONE.format(side=target.value)
            return planned, None
        if not self.options.dry_run:
            tally.created_on = target.value
            planned = self._create_twin(planned, tally, both)
        return planned, base

    def _create_twin(self, planned: Planned, tally: Tally, both: Sequence[SideAccess]) -> Planned:
        target, source = sorted(both, key=lambda access: access.side is not planned.missing_on)
        tally.differences += twin.create(planned=planned, source=source, target=target)
        with connections.reachable(target.side):
            made = next(iter(target.database.list_collections(filter={"name": planned.name})))
        return replace(planned, infos={**planned.infos, target.side: made})

    def _base(self, planned: Planned, both: Sequence[SideAccess]) -> Base:
        assert self.attempt is not None
        local = both[0]
        with connections.reachable(Side.LOCAL):
            return Base(
                local.database,
                name=planned.name,
                generation=None if self.options.dry_run else self.attempt.generation,
                expected=self._expected(planned, both),
            )

    def _expected(self, planned: Planned, both: Sequence[SideAccess]) -> int:
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

    def _work(self, planned: Planned, base: Base, both: Sequence[SideAccess]) -> CollectionSync:
        assert self.detection is not None
        local, remote = both
        tally = next(one for one in self.tallies if one.name == planned.name)
        decided = self.options.decided.get(planned.name)
        scanned = self._scanned(planned, base, both)
        tally.found_by = "scan" if len(scanned) == len(both) else "scan and stream" if scanned else "stream"
        if scanned and len(scanned) == len(both):
            tally.differences += twin.compare_indexes(name=planned.name, local=local, remote=remote)
            self._create_indexes(planned, tally, both)
        rules = Rules(
            fields=self.options.edit_fields,
            insert_only=planned.insert_only,
            transactions=not planned.insert_only,
            unordered=planned.type == "timeseries",
            copy_back=self.options.deletes == "keep" or decided == "keep",
            dry_run=self.options.dry_run,
        )
        settler = Settler(
            name=planned.name,
            run_id=self.run_id,
            local=local,
            remote=remote,
            base=base,
            rules=rules,
            collations={side: planned.collation(side) for side in Side},
            tally=tally,
            progress=self.progress,
            now=self.now,
        )
        search = Search(
            scanned=scanned, touched=self.detection.ids(planned.name), expected=self._expected(planned, both)
        )
        return CollectionSync(
            settler=settler,
            base=base,
            search=search,
            tally=tally,
            progress=self.progress,
            now=self.now,
            decided=decided,
        )

    def _scanned(self, planned: Planned, base: Base, both: Sequence[SideAccess]) -> Sequence[SideAccess]:
        assert self.detection is not None
        scanned = self.detection.scanned(planned, both)
        if len(scanned) != 1:
            return scanned
        with connections.reachable(Side.LOCAL):
            count = base.count()
        return scanned if self.detection.base_is_whole(planned.name, count) else both

    def _create_indexes(self, planned: Planned, tally: Tally, both: Sequence[SideAccess]) -> None:
        if not self.options.create_indexes or self.options.dry_run or not tally.differences:
            return
        for source, target in (both, both[::-1]):
            tally.differences += twin.create_missing_indexes(name=planned.name, source=source, target=target)

    def _memory(
        self, both: Sequence[SideAccess], planned: Sequence[Planned], works: Sequence[CollectionSync]
    ) -> dict[str, Any]:
        """Return what the next sync needs; a sync of some collections only leaves the streams where they were."""
        assert self.detection is not None
        if self.options.only is not None:
            assert self.attempt is not None
            blocked = memory.blocked_still(self.attempt.memory, only=self.options.only, tallies=self.tallies)
            return {"synced_at": self.now, "blocked": blocked}
        left = memory.of(
            detection=self.detection,
            both=both,
            planned=planned,
            works=works,
            tallies=self.tallies,
            now=self.now,
        )
        self.proof = left.get("proof")
        return left
