"""Unique values that clash, and documents that a server refuses: unresolved and named, while everything else flows."""

from __future__ import annotations

import pytest

from backups_app.records import Side
from tests.sync.pairs import Pair, contents, document, int32, seed


def _slots(pair: Pair) -> None:
    for side in Side:
        pair.application[side]["bookings"].create_index("slot", unique=True)
    seed(pair, [document(("_id", int32(1)), ("slot", int32(1)))])
    pair.sync()


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_a_unique_value_that_another_document_took_over_dissolves(any_pair: Pair, side: Side) -> None:
    _slots(any_pair)
    any_pair.put(side, document(("_id", int32(1)), ("slot", int32(2))))
    any_pair.put(side, document(("_id", int32(2)), ("slot", int32(1))))
    any_pair.sync()
    any_pair.delete(side, 2)
    any_pair.put(side, document(("_id", int32(3)), ("slot", int32(1))))

    report = any_pair.sync()

    assert not report.unresolved
    any_pair.assert_converged()
    any_pair.assert_nothing_lost()


def test_a_real_duplicate_stays_unresolved_and_the_rest_flows_until_it_is_fixed_by_hand(any_pair: Pair) -> None:
    _slots(any_pair)
    any_pair.put(Side.LOCAL, document(("_id", int32(2)), ("slot", int32(7))))
    any_pair.put(Side.REMOTE, document(("_id", int32(3)), ("slot", int32(7))))
    any_pair.put(Side.LOCAL, document(("_id", int32(4)), ("slot", int32(8))))

    for _ in range(2):
        report = any_pair.sync()
        assert dict(report.unresolved) == {"bookings": 2}
        named = report.log["collections"][0]["unresolved_documents"]
        assert {one["id"] for one in named} == {2, 3}
        assert all("slot" in one["reason"] for one in named)
        assert {str(one["other_id"]) for one in named} == {"2", "3"}
    assert any_pair.get(Side.REMOTE, 4) is not None

    any_pair.put(Side.REMOTE, document(("_id", int32(3)), ("slot", int32(9))))
    assert not any_pair.sync().unresolved
    any_pair.assert_converged()


def test_what_a_validator_refuses_is_unresolved_and_the_rest_flows(any_pair: Pair) -> None:
    seed(any_pair, [document(("_id", int32(key)), ("n", int32(-(key % 3)))) for key in range(30)], sides=[Side.LOCAL])
    any_pair.application[Side.REMOTE].create_collection("bookings", validator={"n": {"$gte": 0}})

    report = any_pair.sync()

    assert dict(report.unresolved) == {"bookings": 20}
    assert len(contents(any_pair.remote)["bookings"]) == 10
