"""A replica set of three real servers, each of which may become primary: asked to, or because the primary died."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backups_app.mongo.embedded import EmbeddedServer

ELECTION_MILLISECONDS = 500


class Member(EmbeddedServer):
    """A server that waits for somebody to inform it which set it belongs to."""

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
