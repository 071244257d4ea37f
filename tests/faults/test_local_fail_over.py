"""The temple's own MongoDB has three members, and another one becomes primary in the middle of each phase: sync,
backup, purge, restore. Nothing is lost, and a plain run or a repeat brings everything to its end.

Long only: three servers of one set are more than a short form should start.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from pymongo.errors import PyMongoError

from backups_app.configuration import Secret
from backups_app.mongo.embedded import EmbeddedServer
from tests.faults.conftest import KEEPING, LONG, WITH_DELETION, SeededDatabases, in_turns, share, stopped_at, temples_on
from tests.faults.process_pool import Ended, ProcessPool
from tests.faults.three_members import ThreeMembers
from tests.faults.three_members import three as three

pytestmark = pytest.mark.skipif(not LONG, reason="the long form: make faults")
ROUNDS = 20
"""For each phase, over all turns."""
COUNT = 600
Make = Callable[..., SeededDatabases]


def phases(hooks: Sequence[str]) -> dict[str, range]:
    """Return which hooks belong to which phase of a whole run."""
    dump = next(n for n, name in enumerate(hooks, start=1) if "disk mkdir .partial-" in name)
    purge = next(n for n, name in enumerate(hooks, start=1) if "insert backup_purge_ledger" in name)
    return {"sync": range(2, dump), "backup": range(dump, purge), "purge": range(purge, len(hooks))}


def struck(
    make: Callable[[], tuple[SeededDatabases, list[str]]], *, place: int, three: ThreeMembers, kill: bool
) -> tuple[SeededDatabases, list[str], Ended]:
    """Run a command of a temple, and let another member become primary while it stands still at a hook. Return the
    temple, the command and how it ended."""
    made: list[tuple[SeededDatabases, list[str]]] = []

    def noted() -> tuple[SeededDatabases, list[str]]:
        made.append(make())
        return made[-1]

    _, child = stopped_at(place, noted)
    three.kill_the_primary() if kill else three.step_down()
    child.signal(signal.SIGCONT)
    ended = child.wait()
    three.wait_for_a_primary()
    return *made[-1], ended


@pytest.mark.parametrize("phase", ["sync", "backup", "purge"])
@in_turns
def test_another_primary_in_the_middle_of_a_run(
    process_pool: ProcessPool, remote_server: EmbeddedServer, three: ThreeMembers, tmp_path: Path, phase: str, turn: int
) -> None:
    chance, codes = random.Random(f"{phase}{turn}"), Counter[int]()
    makes = temples_on(process_pool, three.uri, remote_server.uri, tmp_path)
    make: Make = next(makes)
    whole = seeded_on(make).run(WITH_DELETION)
    assert whole.exit_code == 0, whole.stdout + whole.stderr
    places = phases(whole.hooks)[phase]
    for number in share(ROUNDS, turn):
        place, kill = chance.choice(places), number // 10 % 2 == 1
        seeded, _, ended = struck(lambda: (seeded_on(make), WITH_DELETION), place=place, three=three, kill=kill)
        codes[ended.exit_code] += 1

        assert ended.exit_code in (0, 1, 3), ended.stdout + ended.stderr
        seeded.a_plain_run_recovers(ended)
        seeded.all_is_counted(f"another primary in the {phase} at hook {place}")
    print(f"\nanother local primary in the {phase}: exit codes {dict(codes)}, 0 lost")
    for _ in makes:
        pass


@in_turns
def test_another_primary_in_the_middle_of_a_restore(
    process_pool: ProcessPool, remote_server: EmbeddedServer, three: ThreeMembers, tmp_path: Path, turn: int
) -> None:
    chance, codes = random.Random(turn), Counter[int]()
    makes = temples_on(process_pool, three.uri, remote_server.uri, tmp_path)
    make: Make = next(makes)
    whole, restore = damaged(make)
    places = range(2, len(whole.run(restore).hooks))
    for number in share(ROUNDS, turn):
        place, kill = chance.choice(places), number % 2 == 1
        seeded, restore, ended = struck(lambda: damaged(make), place=place, three=three, kill=kill)
        codes[ended.exit_code] += 1

        assert ended.exit_code in (0, 1, 3), ended.stdout + ended.stderr
        seeded.nothing_is_lost()
        again = seeded.run(restore)
        assert again.exit_code == 0, again.stdout + again.stderr
        assert seeded.local["bookings"].count_documents({}) == COUNT + 5
        assert seeded.local["bookings"].count_documents({"ritual": "edited"}) == 0
        seeded.nothing_is_lost()
        seeded.nothing_is_unfinished()
    print(f"\nanother local primary in a restore: exit codes {dict(codes)}, 0 lost")
    for _ in makes:
        pass


def seeded_on(make: Make) -> SeededDatabases:
    """Return a temple. The connections that seed it are those of before the last fail-over: the server may refuse once
    what they begin (IncompleteTransactionHistory)."""
    for _ in range(10):
        with suppress(PyMongoError):
            return make(count=COUNT)
        time.sleep(0.5)
    return make(count=COUNT)


def damaged(make: Make) -> tuple[SeededDatabases, list[str]]:
    """Return a temple whose bookings were edited and deleted after a backup, and the command that restores them."""
    seeded = seeded_on(make).with_changes(cloud_url=Secret(""))
    backup_id = seeded.run(KEEPING).json()["backup_id"]
    bookings = seeded.local["bookings"]
    bookings.update_many({"_id": {"$regex": "^booking-1"}}, {"$set": {"ritual": "edited"}})
    bookings.delete_many({"_id": {"$regex": "^booking-2"}})
    seeded.acknowledged.note_database("local", seeded.local)
    command = ["backup_restore", backup_id, "--collections", "bookings", "--mode", "replace", "--confirm", "RESTORE"]
    return seeded, [*command, "--json"]
