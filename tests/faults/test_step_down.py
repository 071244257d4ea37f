"""Atlas has three members, and another one becomes primary in the middle of a purge: asked to, or because it died.

Long only: three servers of one set are more than a short form should start.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backups_app.mongo.embedded import EmbeddedServer
from tests.faults.conftest import LONG, WITH_DELETION, SeededDatabases, in_turns, share, temples_on
from tests.faults.process_pool import ProcessPool

pytestmark = pytest.mark.skipif(not LONG, reason="the long form: make faults")
ROUNDS = 40
ELECTION_MILLISECONDS = 500


class Member(EmbeddedServer):
    """A server that waits for somebody to tell it which set it belongs to."""

    def _is_writable(self, client: MongoClient[dict[str, Any]]) -> bool:
        return bool(client.admin.command("hello")["ok"])


class ThreeMembers:
    """A set of three, each of which may become primary."""

    def __init__(self, members: list[Member]) -> None:
        self._members = {member.address: member for member in members}
        addresses = ",".join(self._members)
        self.uri = f"mongodb://{addresses}/?replicaSet=three"
        config = {
            "_id": "three",
            "members": [{"_id": n, "host": address} for n, address in enumerate(self._members)],
            "settings": {"electionTimeoutMillis": ELECTION_MILLISECONDS},
        }
        with MongoClient[Any](members[0].direct_uri) as client:
            client.admin.command("replSetInitiate", config)
        self.wait_for_a_primary()

    def wait_for_a_primary(self) -> str:
        """Return the address of the one that takes writes by now."""
        while True:
            for member in self._members.values():
                with suppress(PyMongoError), MongoClient[Any](member.direct_uri, timeoutMS=2000) as client:
                    if client.admin.command("hello")["isWritablePrimary"]:
                        return member.address
            time.sleep(0.05)

    def step_down(self) -> None:
        """Let the primary hand over."""
        with MongoClient[Any](self._members[self.wait_for_a_primary()].direct_uri) as client, suppress(PyMongoError):
            client.admin.command("replSetStepDown", 3, secondaryCatchUpPeriodSecs=2)

    def kill_the_primary(self) -> None:
        """Kill the primary and bring it back as one of the others."""
        member = self._members[self.wait_for_a_primary()]
        member.kill()
        member.start()


@pytest.fixture
def three(tmp_path: Path) -> Iterator[ThreeMembers]:
    with ExitStack() as stack:
        names = ("a", "b", "c")
        yield ThreeMembers(
            [stack.enter_context(Member(data_dir=tmp_path / name, replica_set="three")) for name in names]
        )


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
        seeded = make(count=1200)
        place = chance.randrange(begins, len(whole))
        child = seeded.process_pool.start(seeded.configuration, WITH_DELETION, stop_at=place)
        child.wait_until_stopped()
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
