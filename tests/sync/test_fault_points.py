"""Every command of a sync is a fault point: a crash, a lost reply, a cut line, an application that writes.

In `make test` a sample runs; with TEMPLEOPS_LONG=1 all of them, piece by piece with `python -m tests.sync.long`.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator

import pytest

from backups_app.catalog.sync import sync_base, sync_logs, sync_state
from backups_app.errors import TempleOpsError
from backups_app.mongo.exact_writes import write_outcome
from backups_app.records import Side
from tests.sync import counts
from tests.sync.faults import Crash, Fault, Kind, injected
from tests.sync.pairs import Pair, cents, contents, first_documents, seed, state_pairs, version

LONG = os.environ.get("TEMPLEOPS_LONG") == "1"
SAMPLE = 1 if LONG else 50
"""Of so many fault points one is tried, beginning at a different one for each kind of fault."""

FAILING = [kind for kind in Kind if not kind.value.startswith("race")]
RACING = [Kind.RACE_BEFORE, Kind.RACE_AFTER]
STRUCK = "20260110_130000"
SCENARIOS = ["first", "base", "no_base"]


def prepare(pair: Pair, scenario: str) -> None:
    """Lay out the rows of the table with a base, without one, or for a pair that was never synced."""
    seed(pair, list(first_documents()))
    if scenario != "first":
        pair.sync()
    state_pairs(pair)
    if scenario == "no_base":
        sync_base.clear(pair.local)


def forget(pair: Pair) -> None:
    """Empty both databases as if nothing had been."""
    for side in Side:
        client = pair.application[side].client
        client.admin.command({"killAllSessions": []})
        client.drop_database(pair.local.name)
    pair.heads.clear()


_points: dict[tuple[str, str], int] = {}


def points(pair: Pair, scenario: str) -> int:
    """Return how many commands a sync of this scenario sends."""
    known = (scenario, str(pair.local.client.address))
    if known not in _points:
        prepare(pair, scenario)
        with injected(Fault()) as counting:
            pair.sync()
        forget(pair)
        _points[known] = counting.count
    return _points[known]


def strike(pair: Pair, fault: Fault) -> BaseException | None:
    """Sync with a fault. Return what was raised; afterwards the line is good and nobody holds a transaction."""
    with injected(fault), pytest.MonkeyPatch.context() as patch:
        if fault.kind not in RACING:  # a transaction that cannot end is given up sooner than in earnest
            cut = fault.kind in (Kind.CUT_BEFORE, Kind.CUT_AFTER)
            patch.setattr(write_outcome, "TRANSACTION_SECONDS", 0.5 if cut else 1.5)
        try:
            report = pair.sync(run_id=STRUCK)
        except (Crash, TempleOpsError) as error:
            raised: BaseException | None = error
        else:
            raised = None
            assert report.log["status"] == "success"
    for side in Side:
        pair.application[side].client.admin.command({"killAllSessions": []})
    return raised


def each_point(pair: Pair, scenario: str, *which: object) -> Iterator[int]:
    """Yield the fault points to try, from 1: all of them, or a sample that `which` test it is begins elsewhere."""
    offset = zlib.crc32(repr((scenario, which)).encode()) % SAMPLE
    for point in range(1 + offset, points(pair, scenario) + 1, SAMPLE):
        yield point
        counts.count(counts.FAULT_POINTS)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("kind", FAILING, ids=lambda kind: kind.value)
def test_a_failure_at_any_command_loses_nothing_and_heals(brittle_pair: Pair, scenario: str, kind: Kind) -> None:
    if not LONG and scenario != "base" and not kind.value.startswith("crash"):
        pytest.skip("the long form: TEMPLEOPS_LONG=1")
    for point in each_point(brittle_pair, scenario, kind.value):
        prepare(brittle_pair, scenario)
        fault = Fault(kind=kind, point=point)

        raised = strike(brittle_pair, fault)

        where = f"{kind.value} {fault.names[point - 1]} ({point})"
        assert fault.happened, where
        if kind.value.startswith("crash"):
            assert isinstance(raised, Crash), where
        _check_log(brittle_pair, raised, where)
        brittle_pair.assert_every_head_is_somewhere()
        brittle_pair.assert_converged()
        brittle_pair.assert_nothing_lost(resurrection=scenario != "base")
        forget(brittle_pair)


def _check_log(pair: Pair, raised: BaseException | None, where: str) -> None:
    """A sync that failed never says success: only one whose generation is the current one on both sides may."""
    log = sync_logs.of_run(pair.local, run_id=STRUCK)
    says_success = log is not None and log["status"] == "success"
    finished = log is not None and all(
        (sync_state.read(side) or {}).get("generation") == log.get("generation") for side in (pair.local, pair.remote)
    )
    assert finished if says_success else raised is not None, where


WRITES: dict[str, Callable[[Pair, Side, int], None]] = {
    "put": lambda pair, side, key: pair.put(side, version(key, minutes=9), maxTimeMS=150),
    "cents": lambda pair, side, key: pair.put(side, cents(pair.get(side, key) or version(key)), maxTimeMS=150),
    "delete": lambda pair, side, key: pair.delete(side, key, maxTimeMS=150),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
@pytest.mark.parametrize("kind", RACING, ids=lambda kind: kind.value)
def test_an_application_that_writes_at_any_moment_loses_nothing(
    brittle_pair: Pair, kind: Kind, side: Side, write: str
) -> None:
    if not LONG and write == "cents":
        pytest.skip("the long form: TEMPLEOPS_LONG=1")
    for point in each_point(brittle_pair, "base", kind.value, side.value, write):
        prepare(brittle_pair, "base")

        def race() -> None:
            for key in (1, 2, 3, 5, 6, 8, 11):
                WRITES[write](brittle_pair, side, key)

        fault = Fault(kind=kind, point=point, race=race)
        raised = strike(brittle_pair, fault)

        assert raised is None
        brittle_pair.assert_converged()
        brittle_pair.assert_nothing_lost()
        assert contents(brittle_pair.local)
        forget(brittle_pair)
