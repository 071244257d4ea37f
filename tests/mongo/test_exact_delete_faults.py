"""The exact delete when the network fails, the server restarts, and others write: nothing that changed is lost."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from backups_app.mongo import connections
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.mongo.exact_writes import delete
from backups_app.mongo.exact_writes.delete import DeleteOutcome, delete_equal
from backups_app.mongo.exact_writes.live_collection import inspect
from tests.proxy import Proxy

LONG = bool(os.environ.get("TEMPLEOPS_LONG"))
DOCUMENTS = 700
Documents = Collection[dict[str, Any]]


@pytest.fixture(params=["replica set", "standalone"])
def server(request: pytest.FixtureRequest) -> EmbeddedServer:
    name = "local_server" if request.param == "replica set" else "standalone_server"
    found: EmbeddedServer = request.getfixturevalue(name)
    return found


@pytest.fixture
def near(server: EmbeddedServer) -> Iterator[Documents]:
    """The collection, by a good connection."""
    with server.client() as client:
        client.drop_database("exact_delete")
        yield client["exact_delete"]["bookings"]
        # A transaction whose owner was cut off keeps its locks for a minute: dropping would wait for it.
        client.admin.command("killAllSessions", [])
        client.drop_database("exact_delete")


@pytest.fixture
def network(server: EmbeddedServer) -> Iterator[Proxy]:
    with Proxy(server.address) as proxy:
        yield proxy


def _frames(count: int = DOCUMENTS) -> list[bytes]:
    return [bson.encode({"_id": n, "devotee": f"devotee {n}", "about": "x" * 100}) for n in range(count)]


def _seed(near: Documents) -> list[bytes]:
    """Insert all but one hundred, and edit one."""
    frames = _frames()
    near.insert_many([RawBSONDocument(frame) for frame in frames[:-100]])
    near.update_one({"_id": 300}, {"$set": {"devotee": "edited"}})
    return frames


def _purge_through(network: Proxy, frames: list[bytes]) -> DeleteOutcome:
    options: dict[str, Any] = {"timeoutMS": 4000, "serverSelectionTimeoutMS": 2000}
    with MongoClient[dict[str, Any]](network.uri, **options) as client:
        collection = client["exact_delete"]["bookings"]
        return delete_equal(live=inspect(collection=collection), frames=frames)


def _purge_until_done(network: Proxy, frames: list[bytes]) -> DeleteOutcome:
    """Call it again after each failure, as Resume does."""
    for _ in range(20):
        with contextlib.suppress(PyMongoError):
            return _purge_through(network, frames)
    raise AssertionError("twenty attempts were not enough")


def _check(outcome: DeleteOutcome, near: Documents) -> None:
    """What the outcome says is what is there, and no edit is lost."""
    assert [document["devotee"] for document in near.find()] == ["edited"]
    assert len(outcome.kept) == 1
    assert outcome.refused == {}
    assert len(outcome.deleted) + len(outcome.already_absent) == DOCUMENTS - 1
    assert len(outcome.deleted) >= DOCUMENTS - 101 - 500  # an answer that got lost makes "deleted" a "gone" at worst


@pytest.mark.parametrize("to_client", [False, True], ids=["request cut", "answer cut"])
def test_cut_connections_lose_nothing_and_the_call_or_its_repeat_finishes(
    near: Documents, network: Proxy, to_client: bool
) -> None:
    chance = random.Random(7)
    for _ in range(40 if LONG else 8):
        frames = _seed(near)
        network.cut_after(chance.randrange(1, 250_000 if not to_client else 120_000), to_client=to_client)

        outcome = _purge_until_done(network, frames)

        network.heal()
        assert [document["devotee"] for document in near.find()] == ["edited"]
        assert (len(outcome.kept), len(outcome.refused)) == (1, 0)
        near.delete_many({})


@pytest.mark.parametrize("lost", [b"commitTransaction", b"delete"])
def test_an_answer_that_never_came_is_read_again_and_counted_right(
    near: Documents, network: Proxy, lost: bytes
) -> None:
    frames = _seed(near)
    network.lose_reply(to=lost)

    outcome = _purge_through(network, frames)

    _check(outcome, near)
    assert len(outcome.deleted) == DOCUMENTS - 101


def test_resets_of_one_in_a_hundred_chunks_lose_nothing(near: Documents, network: Proxy) -> None:
    for seed in range(10 if LONG else 2):
        frames = _seed(near)
        network.reset_some(0.01, seed=seed)

        outcome = _purge_until_done(network, frames)

        network.heal()
        assert [document["devotee"] for document in near.find()] == ["edited"]
        assert len(outcome.kept) == 1
        near.delete_many({})


def test_a_black_hole_ends_by_the_time_limit_and_the_repeat_finishes(
    near: Documents, network: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete, "SECOND_LOOK_SECONDS", 2.0)
    frames = _seed(near)
    options: dict[str, Any] = {"timeoutMS": 1500, "serverSelectionTimeoutMS": 2000}
    with MongoClient[dict[str, Any]](network.uri, **options) as client:
        threading.Timer(0.15, network.black_hole).start()
        started = time.monotonic()
        with pytest.raises(PyMongoError):
            for _ in itertools.count():  # until the hole opens
                delete_equal(live=inspect(collection=client["exact_delete"]["bookings"]), frames=frames)
        waited = time.monotonic() - started
        network.heal()  # before the client is closed: its goodbye would wait in the hole

    _purge_through(network, frames)

    assert waited < 60
    assert [document["devotee"] for document in near.find()] == ["edited"]


def test_a_refused_server_is_an_error_and_nothing_happened(near: Documents, network: Proxy) -> None:
    frames = _seed(near)
    network.refuse()

    with pytest.raises(PyMongoError):
        _purge_through(network, frames)

    assert near.count_documents({}) == DOCUMENTS - 100


def test_a_far_server_gets_ten_statements_at_once(near: Documents, network: Proxy) -> None:
    frames = _seed(near)
    network.latency(0.03)
    with MongoClient[dict[str, Any]](network.uri) as client:
        live = inspect(collection=client["exact_delete"]["bookings"])

        outcome = delete_equal(live=live, frames=frames)

    assert live.statements_at_once == 10
    _check(outcome, near)


class Writers:
    """Four applications that edit and insert bookings, and remember what was acknowledged."""

    def __init__(self, server: EmbeddedServer, documents: int, writes: int) -> None:
        self._server = server
        self._documents = documents
        self._each = writes // 4
        self._numbers = itertools.count(1)
        self.edited: dict[int, int] = {}
        self.inserted: set[str] = set()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(4)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        chance = random.Random(number)
        with self._server.client(w="majority") as client:
            bookings = client["exact_delete"]["bookings"]
            for _ in range(self._each):
                version = next(self._numbers)
                if chance.random() < 0.5:
                    self._edit(bookings, chance.randrange(self._documents), version)
                else:
                    bookings.insert_one({"_id": f"new {version}"})
                    self.inserted.add(f"new {version}")

    def _edit(self, bookings: Documents, identity: int, version: int) -> None:
        if bookings.update_one({"_id": identity}, {"$max": {"version": version}}).modified_count:
            with self._lock:
                self.edited[identity] = max(version, self.edited.get(identity, 0))


def test_four_writers_lose_nothing_while_everything_is_purged(near: Documents, server: EmbeddedServer) -> None:
    documents, writes = (20_000, 20_000) if LONG else (3000, 3000)
    frames = [bson.encode({"_id": n, "devotee": "x" * 50}) for n in range(documents)]
    random.Random(3).shuffle(frames)
    near.insert_many([RawBSONDocument(frame) for frame in frames])
    total = DeleteOutcome()

    with Writers(server, documents, writes) as writers:
        live = inspect(collection=near)
        for start in range(0, documents, 500):
            total.add(delete_equal(live=live, frames=frames[start : start + 500]))

    live_now = {document["_id"]: document for document in near.find()}
    lost_edits = [n for n, version in writers.edited.items() if live_now.get(n, {}).get("version") != version]
    lost_inserts = writers.inserted - live_now.keys()
    print(
        f"{len(total.deleted)} deleted, {len(total.kept)} kept, {len(writers.edited)} edited and "
        f"{len(writers.inserted)} inserted meanwhile, {len(lost_edits)} and {len(lost_inserts)} lost"
    )
    assert (lost_edits, lost_inserts) == ([], set())
    assert len(total.kept) > 0 and total.refused == {}
    assert len(total.deleted) == documents - len(total.kept)


def test_a_transaction_that_a_killed_process_left_open_does_not_keep_anybody_waiting(
    near: Documents, server: EmbeddedServer
) -> None:
    if server.replica_set is None:
        pytest.skip("a standalone server has no transactions")
    frames = _seed(near)
    child = os.fork()
    if child == 0:  # pragma: no cover - it kills itself
        orphan = MongoClient[dict[str, Any]](server.uri, appname=connections.APP_NAME)
        session = orphan.start_session()
        session.start_transaction()
        orphan["exact_delete"]["bookings"].delete_many({"_id": {"$lt": 50}}, session=session)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    started = time.monotonic()

    outcome = delete_equal(live=inspect(collection=near), frames=frames)

    waited = time.monotonic() - started
    print(f"waited {waited:.1f} s for a transaction that the server would have kept for 60 to 90")
    _check(outcome, near)
    assert waited < 45


def test_a_server_that_is_gone_ends_the_call_however_long_it_was_busy_before(
    near: Documents, network: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete, "BUSY_SECONDS", 0.0)  # as if the patience for other work were used up
    monkeypatch.setattr(delete, "SECOND_LOOK_SECONDS", 1.0)
    frames = _seed(near)
    options: dict[str, Any] = {"timeoutMS": 1000, "serverSelectionTimeoutMS": 500}
    with MongoClient[dict[str, Any]](network.uri, **options) as client:
        live = inspect(collection=client["exact_delete"]["bookings"])
        network.refuse()
        started = time.monotonic()

        with pytest.raises(PyMongoError):
            delete_equal(live=live, frames=frames)

    assert time.monotonic() - started < 10
    assert near.count_documents({}) == DOCUMENTS - 100
