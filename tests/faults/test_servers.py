"""A mongod that dies in the middle of a run, on either side; once it is back, the next plain run sets all right."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backups_app.mongo.embedded import EmbeddedServer
from tests.faults.conftest import LONG, WITH_DELETION, SeededDatabases, in_turns, share, stopped_at, temples_on
from tests.faults.process_pool import ProcessPool

ROUNDS = 50 if LONG else 1
UNCAUGHT = 70
"""What `forking.py` ends with when a command raises instead of ending with its own exit code."""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, EmbeddedServer]]:
    """Two servers of our own, for they will be killed."""
    with (
        EmbeddedServer(data_dir=tmp_path / "local", replica_set="local") as local,
        EmbeddedServer(data_dir=tmp_path / "remote", replica_set="atlas") as remote,
    ):
        yield {"local": local, "remote": remote}


@pytest.fixture
def mortal_temples(
    process_pool: ProcessPool, servers: dict[str, EmbeddedServer], tmp_path: Path
) -> Iterator[Callable[..., SeededDatabases]]:
    yield from temples_on(process_pool, servers["local"].uri, servers["remote"].uri, tmp_path)


@pytest.mark.parametrize("side", ["local", "remote"])
@in_turns
def test_a_server_that_dies_mid_run_loses_nothing(
    mortal_temples: Callable[..., SeededDatabases], servers: dict[str, EmbeddedServer], side: str, turn: int
) -> None:
    chance = random.Random(11 + turn)
    hooks = len(mortal_temples(count=600).run().hooks)
    outcomes = []
    for _ in share(ROUNDS, turn):
        place = chance.randrange(1, hooks)
        seeded, child = stopped_at(place, lambda: (mortal_temples(count=600), WITH_DELETION), impatient=True)
        servers[side].kill()
        child.signal(signal.SIGCONT)
        ended = child.wait(seconds=180)
        servers[side].start()
        assert ended.exit_code != UNCAUGHT, ended.stderr

        seeded.a_plain_run_recovers(ended)
        outcomes.append((place, ended.exit_code))
    print(f"\n{side} mongod killed {len(outcomes)} times, 0 lost; (hook of {hooks}, end of the run): {outcomes}")
