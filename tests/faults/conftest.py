"""A small temple on two real servers, a pool of processes, and what must hold after every fault."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.errors import PyMongoError

from backups_app.backup_files.store.store import Store
from backups_app.catalog import purge_ledger
from backups_app.configuration import Configuration, Secret
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.mongo.exact_writes import orphans
from backups_app.records import PURGEABLE, Side
from tests.faults import invariants
from tests.faults.invariants import Acknowledged, TempleDatabase
from tests.faults.process_pool import Child, Ended, ProcessPool

LONG = bool(os.environ.get("TEMPLEOPS_LONG"))
WITH_DELETION = ["backup_now", "--delete-bookings", "--confirm", "DELETE BOOKINGS", "--json"]
KEEPING = ["backup_now", "--keep-bookings", "--json"]
TURNS = range(10 if LONG else 1)
"""The long form of a fault comes in turns, each a test of its own: `-k turn3` runs the fourth, and a red one alone can
be repeated. Short forms have one."""
in_turns = pytest.mark.parametrize("turn", TURNS, ids=lambda turn: f"turn{turn}")
CLOCK_HOOKS = 20
"""By so many hooks two runs of the same work may differ."""
AT = datetime(2026, 1, 19, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def process_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPool]:
    """Processes that can be killed at any hook."""
    with ProcessPool(folder=tmp_path_factory.mktemp("process_pool")) as one:
        yield one


@dataclass(kw_only=True)
class SeededDatabases:
    """Two databases, a backup folder, and what applications were assured is stored."""

    process_pool: ProcessPool
    configuration: Configuration
    local: TempleDatabase
    remote: TempleDatabase
    acknowledged: Acknowledged
    impatient: bool = False

    def run(self, arguments: list[str] = WITH_DELETION, **more: Any) -> Ended:
        """Carry out a command in a process of its own."""
        return self.process_pool.run(self.configuration, arguments, impatient=self.impatient, **more)

    def with_changes(self, **changes: Any) -> SeededDatabases:
        """The same temple with other settings."""
        return replace(self, configuration=replace(self.configuration, **changes))

    # ── what must hold ───────────────────────────────────────────────────────────

    def nothing_is_lost(self) -> invariants.Evidence:
        """Assert that every acknowledged version is somewhere, and every published backup verifies."""
        evidence = invariants.gather(local=self.local, remote=self.remote, backup_dir=self.configuration.backup_dir)
        assert evidence.unverifiable == {}
        lost = evidence.lost(self.acknowledged.versions())
        assert lost == [], f"{len(lost)} versions are nowhere, for one {lost[0]}"
        return evidence

    def nothing_is_unfinished(self, where: str = "") -> None:
        """Assert that after a plain run nothing of an earlier one is left over."""
        assert self.local["backup_metadata"].count_documents({"status": "in_progress"}) == 0
        assert not Store(self.configuration.backup_dir).partials()
        assert purge_ledger.runs_with_open(self.local) == [], f"{where}\n{self._state_of_runs()}"

    def _state_of_runs(self) -> str:
        """Return what the runs and the ledger say, for a failed assertion."""
        runs = [
            {key: run.get(key) for key in ("_id", "status", "error_code", "resume_available", "purge", "warnings")}
            | {"steps": [(step["name"], step["state"], step["sentence"]) for step in run["steps"]]}
            for run in self.local["backup_metadata"].find()
        ]
        entries = self.local[purge_ledger.NAME].find({}, {"documents": 0})
        return "\n".join(str(one) for one in [*runs, *entries])

    def all_is_purged(self) -> None:
        """Assert that both sides are empty of what is deleted."""
        left = {
            f"{side.client.address}/{name}": side[name].count_documents({}) for side in self.sides for name in PURGEABLE
        }
        assert not any(left.values()), left

    def all_is_counted(self, where: str = "") -> None:
        """Assert that nothing we deleted is taken for somebody else's work, where nobody else deletes."""
        for run in self.local["backup_metadata"].find({"purge": {"$ne": None}}):
            gone = [run["purge"][side.value].get(name, {}).get("gone", 0) for side in Side for name in PURGEABLE]
            assert not any(gone), f"{where}\n{self._state_of_runs()}"

    def a_plain_run_recovers(self, ended: Ended) -> None:
        """Assert that nothing is lost after `ended`, and that the next run of itself brings everything to its end."""
        self.nothing_is_lost()
        again = self.run()
        assert again.exit_code == 0, f"the first ended with {ended.exit_code}:\n{again.stdout}{again.stderr}"
        self.nothing_is_lost()
        self.nothing_is_unfinished()
        self.all_is_purged()

    @property
    def sides(self) -> tuple[TempleDatabase, TempleDatabase]:
        return self.local, self.remote


def stopped_at(
    place: int, make: Callable[[], tuple[SeededDatabases, list[str]]], **more: Any
) -> tuple[SeededDatabases, Child]:
    """Make a temple and start a command of it, both by `make`, which then stands still at this hook.

    A command writes its progress by the clock, so it may have a few hooks fewer than the one that was counted: then
    another one stands still at one of the last that it had.
    """
    for hook in (place, max(1, place - CLOCK_HOOKS)):
        seeded, arguments = make()
        child = seeded.process_pool.start(seeded.configuration, arguments, stop_at=hook, **more)
        if child.stops():
            return seeded, child
    raise AssertionError(f"hook {place} was not reached: {child.wait().stderr}")


def share(total: int, turn: int) -> range:
    """Return which of `total` strikes belong to this turn, spread over all of them."""
    return range(turn, total, len(TURNS))


def documents(kind: str, numbers: range, **more: Any) -> list[dict[str, Any]]:
    """Return bookings as a temple has them."""
    return [
        {
            "_id": f"{kind}-{n}", "devotee": f"பக்தர் {n}", "ritual": "पूजा", "amount": 501.0 + n,
            "updatedAt": AT + timedelta(minutes=n), **more,
        }
        for n in numbers
    ]  # fmt: skip


def seed(local: TempleDatabase, remote: TempleDatabase, *, count: int = 60) -> None:
    """Most on both sides, some on one side only, some in conflict, some of other collections."""
    for side in (local, remote):
        side["bookings"].insert_many(documents("booking", range(count)))
        side["employee_bookings"].insert_many(documents("employee", range(count // 3)))
        side["activities"].insert_many(documents("activity", range(count // 2)))
        side["devotees"].insert_many(documents("devotee", range(10)))
    local["bookings"].insert_many(documents("here", range(5)))
    remote["bookings"].insert_many(documents("there", range(7)))
    remote["events"].insert_many(documents("event", range(3)))
    local["bookings"].update_one({"_id": "booking-3"}, {"$set": {"amount": 1.0, "updatedAt": AT + timedelta(days=1)}})
    remote["bookings"].update_one({"_id": "booking-3"}, {"$set": {"amount": 2.0, "updatedAt": AT + timedelta(days=2)}})


def drop(*databases: TempleDatabase) -> None:
    """Drop databases. What a process killed just now left open, in the way for over a minute, is ended."""
    for database in databases:
        while not _dropped(database):
            orphans.end_idle_transactions(database.client)


def _dropped(database: TempleDatabase) -> bool:
    try:
        with pymongo.timeout(orphans.IDLE_SECONDS):
            database.client.drop_database(database.name)
    except PyMongoError as error:
        if not error.timeout:
            raise
        return False
    return True


@pytest.fixture
def temples(
    process_pool: ProcessPool, local_server: EmbeddedServer, remote_server: EmbeddedServer, tmp_path: Path
) -> Iterator[Any]:
    """Makes one seeded temple after another, each with fresh databases and a fresh folder."""
    yield from temples_on(process_pool, local_server.uri, remote_server.uri, tmp_path)


def temples_on(process_pool: ProcessPool, local_url: str, remote_url: str, folder: Path) -> Iterator[Any]:
    """As the fixture, on any two servers; databases are dropped at the end."""
    from pymongo import MongoClient

    local_client: MongoClient[dict[str, Any]] = MongoClient(local_url, tz_aware=True)
    remote_client: MongoClient[dict[str, Any]] = MongoClient(remote_url, tz_aware=True)
    made: list[SeededDatabases] = []

    def make(*, count: int = 60) -> SeededDatabases:
        number = next(_numbers)
        backup_dir = folder / f"backups-{number}"
        backup_dir.mkdir(mode=0o700)
        name = f"faults_{number}_{random.randrange(1 << 30):x}"
        local, remote = local_client[name], remote_client[name]
        seed(local, remote, count=count)
        acknowledged = Acknowledged()
        acknowledged.note_database("local", local)
        acknowledged.note_database("remote", remote)
        configuration = Configuration(
            local_url=Secret(local_url),
            cloud_url=Secret(remote_url),
            database_name=name,
            backup_dir=backup_dir,
            backup_engine="python",
            lease_seconds=4,
        )
        seeded = SeededDatabases(
            process_pool=process_pool,
            configuration=configuration,
            local=local,
            remote=remote,
            acknowledged=acknowledged,
        )
        made.append(seeded)
        return seeded

    yield make
    for seeded in made:
        drop(seeded.local, seeded.remote)
    local_client.close()
    remote_client.close()
