"""An owner that stands still past its lease while others go on, and wakes up in the middle of its work.

Ends are reported as (the other run, the woken owner).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from tests.faults.conftest import LONG, WITH_DELETION, SeededDatabases, in_turns, share, stopped_at
from tests.faults.writers import Writers

LEASE_SECONDS = 2
POINTS = 100 if LONG else 4


@in_turns
def test_a_woken_owner_stops_and_nothing_is_lost(temples: Callable[..., SeededDatabases], turn: int) -> None:
    hooks = len(temples().run().hooks)
    codes, writes = [], 0
    for number in share(POINTS, turn):
        point = 1 + round((number + 0.5) * hooks / POINTS)
        seeded, child = stopped_at(point, lambda: (temples().with_changes(lease_seconds=LEASE_SECONDS), WITH_DELETION))
        time.sleep(LEASE_SECONDS + 0.5)
        sides = {"local": seeded.local, "remote": seeded.remote}
        with Writers(sides, seeded.acknowledged, seed=number, rest_seconds=0.02) as writers:
            other = seeded.run()
            child.signal(signal.SIGCONT)
            woken = child.wait()
        last = seeded.run()

        assert writers.failures == []
        assert last.exit_code == 0, f"stopped at hook {point}: {last.stdout}{last.stderr}"
        seeded.nothing_is_lost()
        seeded.nothing_is_unfinished()
        codes.append((other.exit_code, woken.exit_code))
        writes += writers.edits + writers.inserts
    print(f"\n{len(codes)} owners stopped past their lease and woken, {writes} writes, 0 lost; ended with {codes}")
