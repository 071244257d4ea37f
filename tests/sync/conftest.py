"""Pairs of real databases: two one-node replica sets, or a standalone local server and a replica set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from backups_app.configuration import Configuration, Secret
from backups_app.mongo import connections
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.records import Side
from tests.sync.pairs import Pair


@pytest.fixture(scope="session")
def applications(
    local_server: EmbeddedServer, remote_server: EmbeddedServer, standalone_server: EmbeddedServer
) -> Iterator[dict[str, MongoClient[dict[str, Any]]]]:
    """Clients of the temple's application, one for each server."""
    servers = {"local": local_server, "remote": remote_server, "standalone": standalone_server}
    clients = {name: server.client() for name, server in servers.items()}
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def pair(
    local_db: Database[dict[str, Any]],
    remote_db: Database[dict[str, Any]],
    applications: dict[str, MongoClient[dict[str, Any]]],
) -> Pair:
    """Two replica sets, both databases empty."""
    name = local_db.name
    application = {Side.LOCAL: applications["local"][name], Side.REMOTE: applications["remote"][name]}
    return Pair(local=local_db, remote=remote_db, application=application)


@pytest.fixture
def standalone_pair(
    standalone_db: Database[dict[str, Any]],
    remote_server: EmbeddedServer,
    applications: dict[str, MongoClient[dict[str, Any]]],
) -> Iterator[Pair]:
    """A standalone local server, without transactions and change streams, and a replica set."""
    name = standalone_db.name
    remote = connections.open_remote(Configuration(cloud_url=Secret(remote_server.uri)))
    application = {Side.LOCAL: applications["standalone"][name], Side.REMOTE: applications["remote"][name]}
    yield Pair(local=standalone_db, remote=connections.database(remote, name), application=application)
    applications["remote"].drop_database(name)


@pytest.fixture(params=["replica_set", "standalone"])
def any_pair(request: pytest.FixtureRequest) -> Pair:
    """Each test with both kinds of local server."""
    found: Pair = request.getfixturevalue("pair" if request.param == "replica_set" else "standalone_pair")
    return found


@pytest.fixture(scope="session")
def brittle_clients(
    local_server: EmbeddedServer, remote_server: EmbeddedServer, standalone_server: EmbeddedServer
) -> Iterator[dict[str, MongoClient[dict[str, Any]]]]:
    """The product's guarantees without its patience: a failed command is tried once more, not for half a minute."""
    options: dict[str, Any] = {"w": "majority", "journal": True, "readConcernLevel": "majority"}
    servers = {"local": local_server, "remote": remote_server, "standalone": standalone_server}
    clients = {name: server.client(**options) for name, server in servers.items()}
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def brittle_pair(
    request: pytest.FixtureRequest, any_pair: Pair, brittle_clients: dict[str, MongoClient[dict[str, Any]]]
) -> Pair:
    """Each test with both kinds of local server, for faults: they show at once."""
    name = any_pair.local.name
    standalone = request.node.callspec.params["any_pair"] == "standalone"
    local = brittle_clients["standalone" if standalone else "local"]
    return Pair(local=local[name], remote=brittle_clients["remote"][name], application=any_pair.application)
