"""Batches side by side: in order, no more than two, and nothing begins after a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backups_app.purge import side_by_side

WAIT_SECONDS = 30.0
MIB = 1024 * 1024


def _nothing() -> None: ...


def _small(_: int) -> int:
    return 1


def test_two_are_under_way_at_once_and_their_results_keep_the_order() -> None:
    met = threading.Barrier(2)

    def work(number: int) -> int:
        met.wait(WAIT_SECONDS)  # raises where the other one is not under way
        return number * 10

    assert list(side_by_side.in_order(iter(range(6)), work, size_of=_small, before=_nothing)) == [0, 10, 20, 30, 40, 50]


def test_never_more_than_two_are_under_way() -> None:
    under_way: set[int] = set()
    most: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        with lock:
            under_way.add(number)
            most.append(len(under_way))
        with lock:
            under_way.remove(number)

    list(side_by_side.in_order(iter(range(200)), work, size_of=_small, before=_nothing))

    assert len(most) == 200
    assert max(most) <= side_by_side.AT_ONCE == 2


@pytest.mark.parametrize(
    ("size_bytes", "most"), [(2 * 1024 * 1024, 2), (2 * 1024 * 1024 + 1, 1), (16 * 1024 * 1024, 1)]
)
def test_what_is_under_way_together_is_no_more_than_one_statement_may_carry(size_bytes: int, most: int) -> None:
    under_way = largest = 0
    lock = threading.Lock()

    def work(number: int) -> int:
        nonlocal under_way, largest
        with lock:
            under_way += 1
            largest = max(largest, under_way)
        time.sleep(0.001)  # lets another begin, where it may
        with lock:
            under_way -= 1
        return number

    results = side_by_side.in_order(iter(range(30)), work, size_of=lambda _: size_bytes, before=_nothing)

    assert list(results) == list(range(30))
    assert largest <= most


def test_nothing_begins_after_the_checkpoint_refused_and_what_had_begun_is_handed_out() -> None:
    begun: list[int] = []
    left = 3

    def before() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise PermissionError

    found: list[None] = []
    with pytest.raises(PermissionError):
        _collect(begun.append, found, before=before)

    assert sorted(begun) == [0, 1, 2]
    assert len(found) == 3


@pytest.mark.parametrize("failing", [0, 1, 4])
def test_when_one_fails_the_other_one_under_way_is_handed_out_and_no_more_begin(failing: int) -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == failing:
            raise ConnectionError
        return number

    found: list[int] = []
    with pytest.raises(ConnectionError):
        _collect(work, found)

    assert found == [number for number in sorted(begun) if number != failing]
    assert max(begun) <= failing + 1


def test_what_reading_the_next_one_raises_is_raised_after_the_results() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2, 3)
        raise ValueError

    found: list[int] = []
    with pytest.raises(ValueError):
        for one in side_by_side.in_order(items(), lambda number: number, size_of=_small, before=_nothing):
            found.append(one)

    assert found == [1, 2, 3]


def test_closing_it_waits_for_what_is_under_way() -> None:
    ended: list[int] = []
    go_on = threading.Event()

    def work(number: int) -> int:
        if number:
            go_on.wait(WAIT_SECONDS)
        ended.append(number)
        return number

    results = side_by_side.in_order(iter(range(10)), work, size_of=_small, before=_nothing)
    assert next(results) == 0
    threading.Timer(0.05, go_on.set).start()
    results.close()

    assert ended == [0, 1]


def _collect(work: Callable[[int], Any], found: list[Any], *, before: Callable[[], None] = _nothing) -> None:
    for one in side_by_side.in_order(iter(range(10)), work, size_of=_small, before=before):
        found.append(one)
