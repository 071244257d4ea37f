"""Random histories on real servers, and the same history found by streams and by scans.

200 syncs or more in `make test`, ten times as many with TEMPLEOPS_LONG=1.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backups_app.catalog import sync_conflicts
from backups_app.records import Side
from tests.sync.pairs import Pair, cents, contents, version

LONG = os.environ.get("TEMPLEOPS_LONG") == "1"
KEYS = 5
EXAMPLES = 250 if LONG else 20


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
_steps = st.one_of(
    st.builds(Step, st.just("put"), _sides, _keys, _minutes),
    st.builds(Step, st.just("cents"), _sides, _keys),
    st.builds(Step, st.just("delete"), _sides, _keys),
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


def forget(pair: Pair) -> None:
    """Empty both databases as if nothing had been."""
    for side in Side:
        pair.application[side].client.drop_database(pair.local.name)
    pair.heads.clear()


def test_random_histories_converge_and_lose_nothing(any_pair: Pair) -> None:
    syncs = 0

    @_calm
    @given(_histories)
    def histories(history: list[Step]) -> None:
        nonlocal syncs
        forget(any_pair)
        for step in history:
            if step.kind in ("sync", "exact"):
                any_pair.sync(exact=step.kind == "exact")
                syncs += 1
            else:
                for write in write_of(step, any_pair):
                    write(any_pair)
        any_pair.assert_converged()
        any_pair.assert_nothing_lost()
        syncs += 3

    histories()
    assert syncs >= 2.5 * EXAMPLES


def test_streams_and_scans_come_to_the_same_result(pair: Pair) -> None:
    other = Pair(
        local=pair.local.client[pair.local.name + "_scanned"],
        remote=pair.remote.client[pair.local.name + "_scanned"],
        application={side: pair.application[side].client[pair.local.name + "_scanned"] for side in Side},
    )

    @_calm
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


@pytest.mark.skipif(not LONG, reason="the short form is above: set TEMPLEOPS_LONG=1")
def test_long_histories_of_one_pair(any_pair: Pair) -> None:
    @_calm
    @given(st.lists(_steps, min_size=100, max_size=100))
    def histories(history: list[Step]) -> None:
        for step in history:
            if step.kind in ("sync", "exact"):
                any_pair.sync(exact=step.kind == "exact")
            else:
                for write in write_of(step, any_pair):
                    write(any_pair)
        any_pair.assert_converged()
        any_pair.assert_nothing_lost()

    histories()
