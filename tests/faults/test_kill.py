"""kill -9 of the process that carries a run out, at every hook; the next plain run sets everything right."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable
from functools import partial

from tests.faults.conftest import CLOCK_HOOKS, KEEPING, LONG, SeededDatabases, in_turns, share
from tests.faults.process_pool import Ended

MakeTemple = Callable[..., SeededDatabases]
POINTS = 400 if LONG else 12


def test_a_run_without_a_fault_purges_both_sides_and_loses_nothing(temples: MakeTemple) -> None:
    seeded = temples()

    ended = seeded.run()

    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert ended.json()["status"] == "success"
    seeded.nothing_is_lost()
    seeded.nothing_is_unfinished()
    seeded.all_is_purged()


@in_turns
def test_killed_anywhere_the_next_run_recovers_and_nothing_is_lost(temples: MakeTemple, turn: int) -> None:
    hooks = temples().run().hooks
    points = _spread(len(hooks), POINTS, turn)
    struck: collections.Counter[str] = collections.Counter()
    started = time.monotonic()

    for point in points:
        seeded, killed = _killed(partial(temples, count=60), point)
        seeded.nothing_is_lost()
        _the_next_run_recovers(seeded, where=f"killed at hook {point}: {killed.hooks[-1]}")
        struck[" ".join(killed.hooks[-1].split()[1:3])] += 1

    print(
        f"\n{len(points)} of {len(hooks)} hooks killed in {time.monotonic() - started:.0f} s, 0 lost: "
        + ", ".join(f"{name} {count}" for name, count in struck.most_common())
    )


@in_turns
def test_killed_with_two_batches_under_way_the_next_run_recovers_and_nothing_is_lost(
    temples: MakeTemple, turn: int
) -> None:
    """1,600 bookings are four batches a side. Hooks come in another order each time: a point is a moment, no step."""
    hooks = temples(count=1_600).run().hooks
    deleting = [number for number, name in enumerate(hooks, 1) if name.endswith(" delete bookings")]
    first, last = deleting[0], deleting[-1] + 1
    for point in _spread(last - first, 60 if LONG else 2, turn):
        seeded, killed = _killed(partial(temples, count=1_600), first + point)
        seeded.nothing_is_lost()
        _the_next_run_recovers(seeded, where=f"killed at hook {first + point}: {killed.hooks[-1]}")


@in_turns
def test_killed_twice_the_third_run_recovers(temples: MakeTemple, turn: int) -> None:
    hooks = temples().run().hooks
    points = _spread(len(hooks), 80 if LONG else 3, turn)
    for point in points:
        seeded, first = _killed(temples, point)
        second = seeded.run(kill_at=1 + (37 * point) % len(hooks))
        seeded.nothing_is_lost()

        third = seeded.run()

        where = f"killed at {first.hooks[-1]}, then at {second.hooks[-1]}"
        assert third.exit_code == 0, f"{where}: {third.stdout}{third.stderr}"
        seeded.nothing_is_lost()
        seeded.nothing_is_unfinished(where)
        seeded.all_is_purged()
        seeded.all_is_counted(where)


def test_killed_after_the_ledger_a_run_that_keeps_bookings_deletes_and_moves_none_of_them(temples: MakeTemple) -> None:
    seeded = temples()
    killed = seeded.run(kill_at="after insert backup_purge_ledger")
    assert killed.was_killed
    before = [side["bookings"].count_documents({}) for side in seeded.sides]

    keeping = seeded.run(KEEPING)

    first = seeded.local["backup_metadata"].find_one({"resume_available": True})
    assert keeping.exit_code == 0, keeping.stdout + keeping.stderr
    assert [side["bookings"].count_documents({}) for side in seeded.sides] == before
    assert first is not None, "the first run is not offered for Resume any more"
    resumed = seeded.run(["backup_resume", first["_id"], "--json"])
    assert resumed.exit_code == 0, resumed.stdout + resumed.stderr
    seeded.nothing_is_lost()
    seeded.nothing_is_unfinished()
    seeded.all_is_purged()


def test_killed_in_the_bookings_a_run_that_keeps_them_leaves_their_keys_alone(temples: MakeTemple) -> None:
    seeded = temples()
    killed = seeded.run(kill_at="before delete bookings")
    assert killed.was_killed
    seeded.remote["bookings"].delete_one({"_id": "booking-5"})

    keeping = seeded.run(KEEPING)

    counts = [side["bookings"].count_documents({}) for side in seeded.sides]
    assert keeping.exit_code == 0, keeping.stdout + keeping.stderr
    assert counts[1] == counts[0] - 1, "sync moved a key that the ledger holds"
    first = seeded.local["backup_metadata"].find_one({"resume_available": True})
    assert first is not None
    kept = seeded.run(["backup_resume", first["_id"], "--keep", "--json"])
    assert kept.exit_code == 0, kept.stdout + kept.stderr
    assert seeded.run(KEEPING).exit_code == 0
    counts = [side["bookings"].count_documents({}) for side in seeded.sides]
    assert counts[0] == counts[1] > 0
    seeded.nothing_is_lost()


def _killed(temples: MakeTemple, point: int) -> tuple[SeededDatabases, Ended]:
    """Kill a run at this hook. It writes its progress by the clock, so it may have a few hooks fewer than the run that
    was counted: then another is killed at one of the last that it had."""
    seeded = temples()
    killed = seeded.run(kill_at=point)
    if not killed.was_killed:
        assert len(killed.hooks) > point - CLOCK_HOOKS, f"hook {point} was not reached: {killed.stderr}"
        seeded = temples()
        killed = seeded.run(kill_at=len(killed.hooks) - CLOCK_HOOKS)
    assert killed.was_killed, f"hook {point} was not reached"
    return seeded, killed


def _the_next_run_recovers(seeded: SeededDatabases, *, where: str) -> None:
    again = seeded.run()

    assert again.exit_code == 0, f"{where}\n{again.stdout}{again.stderr}"
    seeded.nothing_is_lost()
    seeded.nothing_is_unfinished()
    seeded.all_is_purged()
    seeded.all_is_counted(where)


def _spread(total: int, wanted: int, turn: int) -> list[int]:
    """Return hook numbers spread over the whole run; over all turns the first and the last are among them."""
    return sorted({1 + round(number * (total - 1) / (wanted - 1)) for number in share(wanted, turn)})
