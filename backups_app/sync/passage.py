"""One sync on its way: the pair, the collections one after the other, deletions last, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backups_app.catalog.sync_base import Base
from backups_app.mongo import connections
from backups_app.progress import Progress
from backups_app.records import Side
from backups_app.sync import brake, listing, pair, tally, twin
from backups_app.sync.collection_sync import CollectionSync, Search
from backups_app.sync.listing import Planned
from backups_app.sync.pair import Attempt
from backups_app.sync.settle import Rules, Settler
from backups_app.sync.sides import SideAccess
from backups_app.sync.tally import Tally

if TYPE_CHECKING:
    from backups_app.sync.engine import SyncOptions

_OTHER = {Side.LOCAL: Side.REMOTE, Side.REMOTE: Side.LOCAL}


@dataclass(kw_only=True)
class Passage:
    """The state of one sync, readable at any moment, also after it failed."""

    options: SyncOptions
    run_id: str
    progress: Progress
    now: datetime
    attempt: Attempt | None = None
    tallies: list[Tally] = field(default_factory=list)
    detection: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    proof: dict[str, Any] | None = None

    def run(self, local: SideAccess, remote: SideAccess) -> None:
        """Do the whole sync. Raise as `engine.synchronise` says."""
        self.attempt = self._announce(local, remote)
        self.detection = {"local": "scan", "remote": "scan", "reasons": []}
        planned = self._plan(local, remote)
        works = [work for one in planned if (work := self._prepare(one, local, remote)) is not None]
        for work in works:
            work.copy()
        for work in reversed(works):
            work.delete()
            work.close()
        if not self.options.dry_run:
            memory = {"synced_at": self.now}
            pair.finish(local=local.database, remote=remote.database, attempt=self.attempt, memory=memory)

    def as_log(self) -> dict[str, Any]:
        """Return the fields of `sync_logs` that are known so far."""
        counts = tally.totals(self.tallies)
        return {
            "pair": self.attempt.pair if self.attempt else None,
            "generation": self.attempt.generation if self.attempt else None,
            "dry_run": self.options.dry_run,
            "detection": self.detection,
            "collections": [one.as_log() for one in self.tallies],
            "totals": counts,
            "bytes": counts["size_bytes"],
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

    def _prepare(self, planned: Planned, local: SideAccess, remote: SideAccess) -> CollectionSync | None:
        """Make a collection ready to be synced. Return None when it is not: skipped, or blocked."""
        one = Tally(name=planned.name, skipped=planned.skipped, differences=listing.differences(planned))
        self.tallies.append(one)
        if planned.skipped:
            return None
        search = Search(scanned=(local, remote), expected=self._expected(planned, local, remote))
        base = self._base(planned.name, local, search.expected)
        if not self._complete(planned, one, base, {Side.LOCAL: local, Side.REMOTE: remote}):
            return None
        decided = self.options.decided.get(planned.name)
        rules = Rules(
            fields=self.options.edit_fields,
            insert_only=planned.insert_only,
            transactions=not planned.insert_only,
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
            tally=one,
            progress=self.progress,
            now=self.now,
        )
        return CollectionSync(
            settler=settler,
            base=base,
            search=search,
            tally=one,
            progress=self.progress,
            now=self.now,
            decided=decided,
        )

    def _base(self, name: str, local: SideAccess, expected: int) -> Base:
        assert self.attempt is not None
        generation = None if self.options.dry_run else self.attempt.generation
        with connections.reachable(Side.LOCAL):
            return Base(local.database, name=name, generation=generation, expected=expected)

    def _expected(self, planned: Planned, local: SideAccess, remote: SideAccess) -> int:
        """Return about how many documents the larger side has."""
        counts = [0]
        for access in (local, remote):
            if access.side in planned.infos:
                with connections.reachable(access.side):
                    counts.append(access.collection(planned.name).estimated_document_count())
        return max(counts)

    def _complete(self, planned: Planned, one: Tally, base: Base, both: dict[Side, SideAccess]) -> bool:
        """Make the collection where it is missing. Return False when it vanished there, and the brake holds."""
        target = planned.missing_on
        if target is None:
            return True
        with connections.reachable(Side.LOCAL):
            known = base.count()
        may_copy_back = self.options.deletes == "keep"
        if known and not may_copy_back and planned.name not in self.options.decided:
            one.blocked = brake.COLLECTION_GONE.format(side=target.value)
            return False
        if not self.options.dry_run:
            one.created_on = target.value
            one.differences += twin.create(planned=planned, source=both[_OTHER[target]], target=both[target])
        return True
