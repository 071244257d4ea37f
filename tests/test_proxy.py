"""The proxy itself: each of its faults is the one it promises."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, NetworkTimeout, PyMongoError

from backups_app.mongo.embedded import EmbeddedServer
from tests.proxy import Proxy


@pytest.fixture
def network(standalone_server: EmbeddedServer) -> Iterator[Proxy]:
    with Proxy(standalone_server.address) as proxy:
        yield proxy


@pytest.fixture
def client(network: Proxy) -> Iterator[Client]:
    one: Client
    with MongoClient(network.uri, serverSelectionTimeoutMS=1500, retryReads=False, retryWrites=False) as one:
        yield one


Client = MongoClient[dict[str, object]]


def test_it_passes_what_it_is_given(client: Client, network: Proxy) -> None:
    assert client.admin.command("ping")["ok"] == 1
    assert network.passed_to_server > 0 and network.passed_to_client > 0


def test_latency_comes_each_way(client: Client, network: Proxy) -> None:
    client.admin.command("ping")
    network.latency(0.1)

    started = time.monotonic()
    client.admin.command("ping")

    assert time.monotonic() - started >= 0.2


def test_throttling_slows_large_answers(client: Client, network: Proxy) -> None:
    client.admin.command("ping")
    network.throttle(100_000)

    started = time.monotonic()
    client.admin.command({"ping": 1, "comment": "x" * 50_000})

    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize("to_client", [False, True])
def test_a_cut_after_some_bytes_strikes_once(client: Client, network: Proxy, to_client: bool) -> None:
    client.admin.command("ping")

    with pytest.raises(AutoReconnect):
        for _ in range(10):  # it may strike the connection by which the client watches the server
            network.cut_after(5, to_client=to_client)
            client.admin.command("ping")

    assert client.admin.command("ping")["ok"] == 1
    assert network.faults >= 1


def test_a_lost_reply_leaves_the_write_done(client: Client, network: Proxy) -> None:
    collection = client["proxied"]["things"]
    collection.drop()
    network.lose_reply(to=b"marked")

    with pytest.raises(AutoReconnect):
        collection.insert_one({"_id": "marked"})

    assert collection.count_documents({}) == 1
    client.drop_database("proxied")


@pytest.mark.parametrize("lost", [Proxy.refuse, Proxy.hang_up])
def test_lost_and_healed(client: Client, network: Proxy, lost: Callable[[Proxy], None]) -> None:
    client.admin.command("ping")
    lost(network)
    with pytest.raises(PyMongoError):
        client.admin.command("ping")

    network.heal()

    assert client.admin.command("ping")["ok"] == 1


def test_a_black_hole_answers_nothing_until_healed(network: Proxy) -> None:
    client: Client
    with MongoClient(network.uri, timeoutMS=700, retryReads=False) as client:
        client.admin.command("ping")
        network.black_hole()
        with pytest.raises((NetworkTimeout, PyMongoError)) as failed:
            client.admin.command("ping")
        network.heal()

        assert failed.value.timeout
        assert client.admin.command("ping")["ok"] == 1
