"""A guard that no test misses is no guard: each one is taken away, and a short check of invariants must turn red.

All of them run in `make test`: each stops at its first red.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import DeleteMany

from backups_app.catalog import purge_ledger
from backups_app.catalog.sync import sync_conflicts
from backups_app.catalog.sync.sync_base import BaseEntry, SyncBase
from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import delete, encoding, live_documents
from backups_app.mongo.exact_writes import replace as replacing
from backups_app.mongo.exact_writes.delete import DeleteOutcome
from backups_app.mongo.exact_writes.write_outcome import WriteOutcome
from backups_app.records import Side
from backups_app.sync import apply_batch, merge
from backups_app.sync.apply_batch import BatchApplier
from backups_app.sync.decisions import deletion_guard
from tests.sync.faults import Crash, Fault, Kind, injected
from tests.sync.pairs import NOW, Pair, contents, first_documents, seed, state_pairs, version

Patch = pytest.MonkeyPatch


# ── what an invariant check of the short suite does ──────────────────────────────────────


def race_after_reads(pair: Pair) -> None:
    """An application writes, or deletes, right after a sync has read."""
    _race(pair, frozenset({"find"}))


def race_after_writes(pair: Pair) -> None:
    """An application writes, or deletes, right after a sync has written."""
    _race(pair, frozenset({"commitTransaction"}))


def _race(pair: Pair, names: frozenset[str]) -> None:
    points = _points(pair, names)
    for act in (_edit, _remove):
        for side in (Side.REMOTE, Side.LOCAL):
            for point in reversed(points):
                _race_once(pair, point, lambda key, act=act, side=side: act(pair, side, key))  # type: ignore[misc]


def _race_once(pair: Pair, point: int, act: Callable[[int], None]) -> None:
    _fresh(pair)
    state_pairs(pair)

    def race() -> None:
        for key in (1, 2, 6, 7):
            act(key)

    with injected(Fault(kind=Kind.RACE_AFTER, point=point, race=race)):
        pair.sync()
    pair.assert_converged()
    pair.assert_nothing_lost()


def _edit(pair: Pair, side: Side, key: int) -> None:
    pair.put(side, version(key, minutes=9), maxTimeMS=100)


def _remove(pair: Pair, side: Side, key: int) -> None:
    pair.delete(side, key, maxTimeMS=100)


def crashes(pair: Pair) -> None:
    """The process dies after a command that wrote."""
    for point in _points(pair, frozenset({"commitTransaction", "update"})):
        _fresh(pair)
        state_pairs(pair)
        with injected(Fault(kind=Kind.CRASH_AFTER, point=point)), contextlib.suppress(Crash):
            pair.sync()
        for side in Side:
            pair.application[side].client.admin.command({"killAllSessions": []})
        pair.assert_every_head_is_somewhere()
        pair.assert_converged()
        pair.assert_nothing_lost()


def _points(pair: Pair, names: frozenset[str]) -> list[int]:
    _fresh(pair)
    state_pairs(pair)
    with injected(Fault()) as counting:
        pair.sync()
    return [number for number, name in enumerate(counting.names, start=1) if name in names]


def table(pair: Pair) -> None:
    """All rows at once."""
    _fresh(pair)
    state_pairs(pair)
    pair.sync()
    pair.assert_nothing_lost()
    pair.assert_converged()


def accident(pair: Pair) -> None:
    """One side was emptied."""
    _fresh(pair, [version(key) for key in range(50)])
    pair.application[Side.REMOTE]["bookings"].delete_many({})
    pair.sync()
    assert len(contents(pair.local)["bookings"]) == 50


def purge(pair: Pair) -> None:
    """A purge was cut after the remote side."""
    frames = [version(key) for key in range(4)]
    _fresh(pair, frames)
    purge_ledger.open_batch(
        pair.local, run_id="r", collection="bookings", first=0, frames=frames[:2], sides=list(Side), now=NOW
    )
    pair.application[Side.REMOTE]["bookings"].delete_many({"_id": {"$lt": 2}})
    pair.sync()
    assert len(contents(pair.local)["bookings"]) == 4


def _fresh(pair: Pair, frames: list[bytes] | None = None) -> None:
    for side in Side:
        pair.application[side].client.drop_database(pair.local.name)
    pair.heads.clear()
    seed(pair, frames or list(first_documents()))
    pair.sync()


# ── guards taken away ───────────────────────────────────────────────────────────


def blind_overwrite(patch: Patch) -> None:
    """Replace whatever is there."""

    def blind(*, collection: Any, replacements: Any, session: Any) -> WriteOutcome:
        for one in replacements:
            collection.bulk_write([encoding.replacement(one.new, instead_of=one.expected)])
        return WriteOutcome(done=[raw_ids.key(raw_ids.id_of(one.new)) for one in replacements])

    patch.setattr(replacing, "replace_equal", blind)


def union_without_base(patch: Patch) -> None:
    """Forget what both sides had."""
    patch.setattr(SyncBase, "read", lambda self, keys: {})


def base_before_write(patch: Patch) -> None:
    """Note both sides equal before they are."""
    carry_out = BatchApplier._carry_out

    def early(self: BatchApplier, plan: Any, pending: Any, decisions: Any) -> None:
        hoped: dict[bytes, BaseEntry | None] = dict(plan.base)
        for side in Side:
            hoped.update((key, decisions.entry_of(write.new)) for key, write in plan.writes[side].items())
            hoped.update(dict.fromkeys(plan.deletes[side]))
        self.base.change(hoped)
        carry_out(self, plan, pending, decisions)

    patch.setattr(BatchApplier, "_carry_out", early)


def nothing_kept(patch: Patch) -> None:
    """Keep no version."""
    patch.setattr(sync_conflicts, "keep", lambda *args, **kwargs: None)


def kept_after_the_write(patch: Patch) -> None:
    """Keep a version when it is gone already."""
    keep, carry_out = sync_conflicts.keep, BatchApplier._carry_out

    def late(self: BatchApplier, plan: Any, pending: Any, decisions: Any) -> None:
        patch.setattr(sync_conflicts, "keep", lambda *args, **kwargs: None)
        carry_out(self, plan, pending, decisions)
        keep(self.catalog, replaced_versions=list(plan.replaced_versions.values()), run_id=self.run_id, now=NOW)

    patch.setattr(BatchApplier, "_carry_out", late)


def racy_read_back(patch: Patch) -> None:
    """After writing, take whatever is there for what both sides have."""
    carry_out = BatchApplier._carry_out

    def reading(self: BatchApplier, plan: Any, pending: Any, decisions: Any) -> None:
        carry_out(self, plan, pending, decisions)
        found: dict[bytes, BaseEntry | None] = {}
        for access in (self.local, self.remote):
            ids = [write.raw_id for write in plan.writes[access.side].values()]
            there = live_documents.read(collection=access.collection(self.name), ids=ids)
            found.update((key, decisions.entry_of(frame)) for key, frame in there.items())
        self.base.change(found)

    patch.setattr(BatchApplier, "_carry_out", reading)


def delete_by_id_alone(patch: Patch) -> None:
    """Delete with `$in`, whatever the documents have become."""

    def by_ids(*, live: Any, frames: Any) -> DeleteOutcome:
        ids = [raw_ids.id_of(frame) for frame in frames]
        live.collection.bulk_write([DeleteMany({"_id": {"$in": [raw_ids.decoded(raw_id) for raw_id in ids]}})])
        return DeleteOutcome(deleted=ids)

    patch.setattr(delete, "delete_equal", by_ids)


def deletion_guard_removed(patch: Patch) -> None:
    """Never hold."""
    patch.setattr(deletion_guard, "blocks", lambda **figures: False)


def ledger_ignored(patch: Patch) -> None:
    """Do not ask what a purge holds."""
    patch.setattr(purge_ledger, "open_ids", lambda *args, **kwargs: set())


def remote_always_wins(patch: Patch) -> None:
    """Take the remote version for the winner, and lose nothing by it: the exact winner must be seen to be wrong."""
    winner = merge.winner
    patch.setattr(apply_batch, "merge", merge, raising=False)
    patch.setattr(merge, "winner", lambda **kwargs: replace(winner(**kwargs), side=Side.REMOTE))


def exact_winner(pair: Pair) -> None:
    """The newer version wins."""
    _fresh(pair)
    new = version(1, minutes=5)
    pair.put(Side.LOCAL, new)
    pair.put(Side.REMOTE, version(1, minutes=2))
    pair.sync()
    assert pair.get(Side.REMOTE, 1) == new


MUTANTS: list[tuple[Callable[[Patch], None], Callable[[Pair], None]]] = [
    (blind_overwrite, race_after_reads),
    (union_without_base, table),
    (base_before_write, crashes),
    (nothing_kept, table),
    (kept_after_the_write, crashes),
    (racy_read_back, race_after_writes),
    (delete_by_id_alone, race_after_reads),
    (deletion_guard_removed, accident),
    (ledger_ignored, purge),
    (remote_always_wins, exact_winner),
]
CHECKS = {invariants.__name__: invariants for _, invariants in MUTANTS}


@pytest.fixture
def mutated(monkeypatch: Patch) -> Iterator[Patch]:
    with monkeypatch.context() as patch:
        yield patch


@pytest.mark.parametrize(("mutant", "invariants"), MUTANTS, ids=lambda one: one.__name__)
def test_without_its_guard_an_invariant_check_turns_red(
    pair: Pair, mutated: Patch, mutant: Callable[[Patch], None], invariants: Callable[[Pair], None]
) -> None:
    mutant(mutated)

    with pytest.raises(AssertionError):
        invariants(pair)


@pytest.mark.parametrize("invariants", ["table", "accident", "purge", "exact_winner"])
def test_with_every_guard_the_invariant_check_is_green(pair: Pair, invariants: str) -> None:
    CHECKS[invariants](pair)
