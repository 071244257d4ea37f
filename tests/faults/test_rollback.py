"""Between two incrementals the replica set rolls writes back: what it acknowledged alone is gone, and no stream speaks
of it. The next incremental is what the set holds.

Long only: three servers of one set are more than a short form should start.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo import MongoClient, WriteConcern
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.configuration import Configuration, Secret
from tests.faults.conftest import LONG
from tests.faults.three_members import Member, ThreeMembers
from tests.journeys.test_incremental_runs import assert_whole, full, incremental

pytestmark = [pytest.mark.django_db, pytest.mark.skipif(not LONG, reason="the long form: make faults")]
Db = Database[dict[str, Any]]
Writes = Callable[[MongoClient[Any]], object]
LONGEST_SECONDS = 90


class RollingBack(ThreeMembers):
    """A set of three that can be made to roll back what its primary acknowledged alone."""

    def __init__(self, members: list[Member]) -> None:
        super().__init__(members)
        self._all = members

    def rolled_back(self, writes: Writes, meanwhile: Writes) -> None:
        """Let the primary alone take `writes` (called with its database's client), another one take `meanwhile`, and
        the first come back, roll back, and become primary again: one process all the time."""
        primary = self._member(self.wait_for_a_primary())
        others = [one for one in self._all if one is not primary]
        with MongoClient[Any](primary.direct_uri) as client:
            before = client.admin.command("replSetGetRBID")["rbid"]
            for one in others:  # stopped ones would find the writes in their sockets
                one.kill()
            writes(client)
        os.kill(primary.process_id, signal.SIGSTOP)
        for one in others:
            one.start()
        _until(lambda: self._taken(meanwhile))
        os.kill(primary.process_id, signal.SIGCONT)
        with MongoClient[Any](primary.direct_uri, timeoutMS=5_000) as client:
            _until(lambda: client.admin.command("replSetGetRBID")["rbid"] > before)
            _until(lambda: client.admin.command("replSetStepUp")["ok"])
            _until(lambda: client.admin.command("hello")["isWritablePrimary"])

    def _taken(self, writes: Writes) -> bool:
        """Let the primary of the moment take writes; it may hand over in the middle."""
        with MongoClient[Any](self._member(self.wait_for_a_primary()).direct_uri, timeoutMS=10_000) as client:
            writes(client)
        return True

    def _member(self, address: str) -> Member:
        return next(one for one in self._all if one.address == address)


def _until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        with suppress(PyMongoError):
            if is_so():
                return
        time.sleep(0.1)
    raise AssertionError("the set did not come to it")


@pytest.fixture
def three(memory_folder: Path) -> Iterator[RollingBack]:
    with ExitStack() as stack:
        members = [
            stack.enter_context(Member(data_dir=memory_folder / f"rolling_{name}", replica_set="three"))
            for name in ("a", "b", "c")
        ]
        yield RollingBack(members)
        for one in members:
            one.kill()


def test_the_next_one_is_what_the_set_holds(configured: Configuration, three: RollingBack, db: None) -> None:
    configuration = dataclasses.replace(configured, local_url=Secret(three.uri), cloud_url=Secret(""))
    name = configuration.database_name

    def alone(client: MongoClient[Any]) -> None:
        bookings = client[name].get_collection("bookings", write_concern=WriteConcern(w=1))
        bookings.update_many({"_id": {"$gte": 10}}, {"$set": {"name": "rolled back"}})
        bookings.delete_one({"_id": 7})
        bookings.insert_one({"_id": "rolled back"})

    def meanwhile(client: MongoClient[Any]) -> None:
        bookings = client[name].get_collection("bookings", write_concern=WriteConcern(w="majority"))
        bookings.update_one({"_id": 8}, {"$set": {"name": "stays"}})

    with override_settings(TEMPLEOPS=configuration), MongoClient[Any](three.uri) as client:
        database: Db = client[name]
        database["bookings"].insert_many([{"_id": n, "name": "Lakshmi"} for n in range(50)])
        base = full()
        incremental()
        database["bookings"].update_one({"_id": 3}, {"$set": {"name": "edited"}})
        assert incremental().incremental.read == "stream"

        three.rolled_back(alone, meanwhile)
        after = incremental()
        database["bookings"].update_one({"_id": 4}, {"$set": {"name": "edited"}})
        last = incremental()

        assert database["bookings"].find_one({"_id": "rolled back"}) is None
        assert {after.incremental.base, last.incremental.base} == {base.id}
        assert_whole(last, configuration, database)
        assert after.incremental.read in ("stream", "all")
