"""Atlas has three members, and another one becomes primary in the middle of a purge: asked to, or because it died.

Long only: three servers of one set are more than a short form should start.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from backups_app.mongo.embedded import EmbeddedServer
from tests.faults.conftest import LONG, WITH_DELETION, SeededDatabases, in_turns, share, stopped_at, temples_on
from tests.faults.process_pool import ProcessPool
from tests.faults.three_members import ThreeMembers
from tests.faults.three_members import three as three

pytestmark = pytest.mark.skipif(not LONG, reason="the long form: make faults")
ROUNDS = 40


@in_turns
def test_another_primary_in_the_middle_of_a_purge_loses_nothing(
    process_pool: ProcessPool, local_server: EmbeddedServer, three: ThreeMembers, tmp_path: Path, turn: int
) -> None:
    chance = random.Random(turn)
    codes = []
    makes = temples_on(process_pool, local_server.uri, three.uri, tmp_path)
    make: Callable[..., SeededDatabases] = next(makes)
    whole = make(count=1200).run().hooks
    begins = next(number for number, name in enumerate(whole, start=1) if "insert backup_purge_ledger" in name)
    for number in share(ROUNDS, turn):
        place = chance.randrange(begins, len(whole))
        seeded, child = stopped_at(place, lambda: (make(count=1200), WITH_DELETION))
        if number // 10 % 2:
            three.kill_the_primary()
        else:
            three.step_down()
        child.signal(signal.SIGCONT)
        ended = child.wait()
        three.wait_for_a_primary()

        codes.append(ended.exit_code)
        assert ended.exit_code in (0, 3), ended.stdout + ended.stderr
        seeded.a_plain_run_recovers(ended)
        seeded.all_is_counted(f"another primary at hook {place}")
    print(f"\n{len(codes)} times another primary in a purge, exit codes {codes}, 0 lost")
    for _ in makes:
        pass
