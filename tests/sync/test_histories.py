"""Random histories on real servers, and the same history found by streams and by scans.

200 random syncs or more in `make test`, ten times as many with TEMPLEOPS_LONG=1.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backups_app.catalog.sync import sync_conflicts
from backups_app.records import Side
from tests.sync import counts
from tests.sync.faults import Crash, Fault, Kind, injected
from tests.sync.pairs import Pair, cents, contents, version

LONG = os.environ.get("TEMPLEOPS_LONG") == "1"
KEYS = 5
EXAMPLES = 40 if LONG else 20
"""Hypothesis draws constants of the modules that are loaded, so how many syncs an example has differs with them."""
STREAM_EXAMPLES = 100 if LONG else 5
SYNCS_AT_LEAST = 1_000 if LONG else 100


@dataclass(frozen=True)
class Step:
    """One thing that an application or an administrator does. `both` writes two different versions of one key."""

    kind: str
    side: Side = Side.LOCAL
    key: int = 0
    minutes: int | None = 0


_sides = st.sampled_from(list(Side))
_keys = st.integers(0, KEYS - 1)
_minutes = st.sampled_from([None, 0, 1, 2, 60])
_writes = st.one_of(
    st.builds(Step, st.just("put"), _sides, _keys, _minutes),
    st.builds(Step, st.just("cents"), _sides, _keys),
    st.builds(Step, st.just("delete"), _sides, _keys),
)
_steps = st.one_of(
    _writes,
    st.builds(Step, st.just("both"), _sides, _keys, _minutes),
    st.builds(Step, st.just("sync")),
    st.builds(Step, st.just("exact")),
)
_histories = st.lists(_steps, min_size=4, max_size=30)
_calm = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not LONG,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

Write = Callable[[Pair], None]


def write_of(step: Step, pair: Pair) -> list[Write]:
    """Return the writes of a step, with their bytes fixed, so that they can be repeated on another pair."""
    if step.kind == "delete":
        return [lambda one: one.delete(step.side, step.key)]
    if step.kind == "cents":
        frame = cents(pair.get(step.side, step.key) or version(step.key))
        return [lambda one: one.put(step.side, frame)]
    frames = {step.side: version(step.key, minutes=step.minutes)}
    if step.kind == "both":
        other = Side.REMOTE if step.side is Side.LOCAL else Side.LOCAL
        frames[other] = version(step.key, minutes=1)
    return [lambda one, side=side, frame=frame: one.put(side, frame) for side, frame in frames.items()]  # type: ignore[misc]


def end_sessions(pair: Pair) -> None:
    """End what a dead process left open: servers do so after a minute."""
    for side in Side:
        pair.application[side].client.admin.command({"killAllSessions": []})


def forget(pair: Pair) -> None:
    """Empty both databases as if nothing had been."""
    end_sessions(pair)
    for side in Side:
        pair.application[side].client.drop_database(pair.local.name)
    pair.heads.clear()


class Histories(RuleBasedStateMachine):
    """What applications and syncs do to five documents, in any order. After each step no version is lost; at the end
    both sides converge, by streams where there are some and by scans."""

    pair: Pair

    @initialize()
    def begin(self) -> None:
        forget(self.pair)
        self.crashed = False

    @rule(step=_writes)
    def write(self, step: Step) -> None:
        for write in write_of(step, self.pair):
            write(self.pair)

    @rule(key=_keys, minutes=_minutes)
    def edit_both_sides(self, key: int, minutes: int | None) -> None:
        self.write(Step("both", key=key, minutes=minutes))

    @rule(exact=st.booleans())
    def sync(self, exact: bool) -> None:
        self.pair.sync(exact=exact)
        counts.count(counts.RANDOM_SYNCS)

    @rule(point=st.integers(1, 60), kind=st.sampled_from([Kind.CRASH_BEFORE, Kind.CRASH_AFTER]))
    def sync_and_crash(self, point: int, kind: Kind) -> None:
        with injected(Fault(kind=kind, point=point)) as fault, contextlib.suppress(Crash):
            self.pair.sync()
        end_sessions(self.pair)
        self.crashed = self.crashed or fault.happened
        counts.count(counts.RANDOM_SYNCS)

    @invariant()
    def no_version_is_lost(self) -> None:
        self.pair.assert_every_head_is_somewhere()

    def teardown(self) -> None:
        self.pair.assert_converged()
        counts.count(counts.RANDOM_SYNCS, 3)
        # Between a write and its base a crash may leave a document whose later deletion is then undone; none is lost.
        self.pair.assert_nothing_lost(resurrection=self.crashed)


def test_random_histories_converge_and_lose_nothing(any_pair: Pair) -> None:
    before = counts.tried[counts.RANDOM_SYNCS]
    machine = type("HistoriesOfThisPair", (Histories,), {"pair": any_pair})

    run_state_machine_as_test(machine, settings=settings(_calm, stateful_step_count=100 if LONG else 12))

    assert counts.tried[counts.RANDOM_SYNCS] - before >= SYNCS_AT_LEAST


def test_streams_and_scans_come_to_the_same_result(pair: Pair) -> None:
    other = Pair(
        local=pair.local.client[pair.local.name + "_scanned"],
        remote=pair.remote.client[pair.local.name + "_scanned"],
        application={side: pair.application[side].client[pair.local.name + "_scanned"] for side in Side},
    )

    @settings(_calm, max_examples=STREAM_EXAMPLES)
    @given(_histories)
    def histories(history: list[Step]) -> None:
        for one in (pair, other):
            forget(one)
            one.sync()
        for step in [*history, Step("sync"), Step("sync")]:
            if step.kind in ("sync", "exact"):
                report = pair.sync()
                assert report.log["detection"]["local"] == "stream"
                other.sync(exact=True)
                counts.count(counts.RANDOM_SYNCS, 2)
            else:
                for write in write_of(step, pair):
                    write(pair)
                    write(other)
        assert contents(pair.local) == contents(pair.remote) == contents(other.local) == contents(other.remote)
        assert _kept_ids(pair) == _kept_ids(other)

    try:
        histories()
    finally:
        forget(other)


def _kept_ids(pair: Pair) -> set[str]:
    return {one["_id"] for one in sync_conflicts.collection(pair.local).find({}, {"_id": 1})}
