"""The two connections: what holds whatever the URL says, and what is stated when nobody answers."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import pymongo
import pytest
from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError, ExecutionTimeout, OperationFailure

from backups_app.configuration import Configuration, Secret
from backups_app.errors import DatabaseHostUnknown, DatabaseUnreachable, LocalUrlMissing, MongoUrlInvalid
from backups_app.mongo import connections
from backups_app.mongo.embedded import EmbeddedServer, free_port
from backups_app.records import Side


def _local(url: str) -> connections.Client:
    return connections.open_local(Configuration(local_url=Secret(url)))


def test_a_process_opens_one_client_per_url(local_server: EmbeddedServer) -> None:
    first = _local(local_server.uri)

    assert _local(local_server.uri) is first
    assert _local(local_server.direct_uri) is not first


def test_a_fork_gets_a_client_of_its_own(monkeypatch: pytest.MonkeyPatch, local_server: EmbeddedServer) -> None:
    ours = _local(local_server.uri)

    monkeypatch.setattr(os, "getpid", lambda: 1)
    theirs = _local(local_server.uri)

    assert theirs is not ours


@pytest.mark.parametrize(
    "options",
    [
        "readPreference=secondaryPreferred&w=1&journal=false&readConcernLevel=local&retryWrites=false&timeoutMS=1",
        "readpreference=nearest&readPreferenceTags=dc:ny&readPreferenceTags=&maxStalenessSeconds=120&w=0",
        "ssl=false",
    ],
)
def test_the_guarantees_win_over_the_url(local_server: EmbeddedServer, options: str) -> None:
    client = _local(f"mongodb://{local_server.address}/?{options}")

    database = connections.database(client, "temple")

    assert database.read_preference == ReadPreference.PRIMARY
    assert database.write_concern.document == {"w": "majority", "j": True}
    assert database.read_concern.level == "majority"
    assert client.options.retry_writes
    assert client.options.timeout == 30
    assert client.admin.command("ping")["ok"] == 1


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("mongodb://h/?replicaSet=x&appName=y&w=majority&retryWrites=true&readPreference=primary", ()),
        ("mongodb://h/", ()),
        ("mongodb://h/?readPreference=secondaryPreferred&w=1", ("readPreference", "w")),
        ("mongodb://h/?readpreferencetags=dc:ny&journal=false", ("readpreferencetags", "journal")),
    ],
)
def test_what_is_not_obeyed_is_reported(url: str, names: tuple[str, ...]) -> None:
    assert connections.overridden(url) == names


def test_the_facts_of_a_replica_set(local_server: EmbeddedServer) -> None:
    facts = connections.facts(_local(local_server.uri))

    assert facts.version == local_server.mongod.version
    assert (facts.replica_set, facts.sharded, facts.set_name) == (True, False, "local")
    assert facts.host == local_server.address
    assert len(facts.process_id) == 24
    assert 0 < facts.latency_ms < 5_000
    assert facts.has_transactions


def test_the_facts_of_a_standalone(standalone_server: EmbeddedServer) -> None:
    facts = connections.facts(_local(standalone_server.uri))

    assert (facts.replica_set, facts.set_name, facts.has_transactions) == (False, "", False)
    assert facts.host == standalone_server.address


def test_moments_are_aware_and_far_dates_do_not_stop_us(local_db: connections.MongoDatabase) -> None:
    now = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    local_db.command("insert", "events", documents=[{"_id": 1, "at": now}])
    local_db.events.update_one({"_id": 1}, [{"$set": {"far": {"$add": ["$at", 400_000_000_000_000]}}}])

    document = local_db.events.find_one({"_id": 1})

    assert document is not None
    assert document["at"] == now
    assert document["at"].tzinfo is UTC
    assert int(document["far"]) > 253_402_300_799_999


def test_nobody_there_is_database_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.SERVER_SELECTION_SECONDS, Side.LOCAL, 0.3)
    client = _local(f"mongodb://127.0.0.1:{free_port()}/")
    started = time.monotonic()

    with (
        pytest.raises(DatabaseUnreachable, match="The local MongoDB cannot be reached"),
        connections.reachable(Side.LOCAL),
    ):
        connections.ping(client)

    assert time.monotonic() - started < 5, "asked for 0.3 s; the limit of an operation is 30 s"


def test_a_host_that_no_name_server_knows_is_named() -> None:
    client = connections.open_remote(Configuration(cloud_url=Secret("mongodb+srv://u:p@nowhere.invalid/")))

    with pytest.raises(DatabaseHostUnknown, match="MONGODB_CLOUD_URL"), connections.reachable(Side.REMOTE):
        client.admin.command("ping")


def test_a_refused_login_is_database_unreachable(local_server: EmbeddedServer) -> None:
    client = _local(f"mongodb://nobody:wrong@{local_server.address}/")

    with pytest.raises(DatabaseUnreachable), connections.reachable(Side.LOCAL):
        client.admin.command("ping")


def test_a_time_limit_is_database_unreachable(local_db: connections.MongoDatabase) -> None:
    local_db.slow.insert_one({"_id": 1})

    with pytest.raises(DatabaseUnreachable), connections.reachable(Side.LOCAL), pymongo.timeout(0.05):
        local_db.slow.find_one({"$where": "sleep(2000) || true"})


def test_a_long_reading_is_limited_per_batch(
    monkeypatch: pytest.MonkeyPatch, local_server: EmbeddedServer, local_db: connections.MongoDatabase
) -> None:
    local_db.events.insert_many([{"_id": number} for number in range(30)])
    monkeypatch.setitem(connections.TIMEOUT_SECONDS, Side.LOCAL, 1)
    client = _local(local_server.uri + "&appName=hurried")
    tenth_of_a_second_each = {"$where": "sleep(100) || true"}
    database = connections.database(client, local_db.name)

    with pytest.raises(ExecutionTimeout):
        list(database.events.find(tenth_of_a_second_each, batch_size=3))
    documents = list(connections.for_scans(database).events.find(tenth_of_a_second_each, batch_size=3))

    assert [document["_id"] for document in documents] == list(range(30))


def test_even_a_long_reading_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, local_server: EmbeddedServer, local_db: connections.MongoDatabase
) -> None:
    local_db.events.insert_one({"_id": 1})
    monkeypatch.setitem(connections.TIMEOUT_SECONDS, Side.LOCAL, 1)
    client = _local(local_server.uri + "&appName=impatient")
    database = connections.for_scans(connections.database(client, local_db.name))
    started = time.monotonic()

    with pytest.raises(DatabaseUnreachable), connections.reachable(Side.LOCAL):
        list(database.events.find({"$where": "sleep(20000) || true"}))

    assert time.monotonic() - started < 10


def test_scans_keep_the_guarantees(local_db: connections.MongoDatabase) -> None:
    scanning = connections.for_scans(local_db)

    assert scanning.name == local_db.name
    assert scanning.client is connections.for_scans(local_db).client
    assert scanning.client.options.timeout is None
    assert scanning.read_preference == ReadPreference.PRIMARY
    assert scanning.read_concern.level == "majority"


def test_a_database_of_somebody_else_is_scanned_as_it_is(local_server: EmbeddedServer) -> None:
    with local_server.client() as client:
        assert connections.for_scans(client.seeded) == client.seeded


def test_other_failures_keep_their_names(local_db: connections.MongoDatabase) -> None:
    local_db.devotees.insert_one({"_id": 1})

    with pytest.raises(DuplicateKeyError), connections.reachable(Side.LOCAL):
        local_db.devotees.insert_one({"_id": 1})
    with pytest.raises(OperationFailure), connections.reachable(Side.LOCAL):
        local_db.command("no_such_command")


def test_a_missing_local_url_has_its_own_name() -> None:
    with pytest.raises(LocalUrlMissing):
        connections.open_local(Configuration())


@pytest.mark.parametrize(
    "url",
    [
        "localhost:27017",
        "mongodb://u:p@ss@h/",
        "mongodb://h:99999/",
        "postgres://h/",
    ],
)
def test_a_wrong_url_is_named_without_being_shown(url: str) -> None:
    with pytest.raises(MongoUrlInvalid, match="MONGODB_LOCAL_URL") as caught:
        _local(url)

    assert url not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert isinstance(caught.value, DatabaseUnreachable)


def test_the_remote_is_compressed_and_the_local_is_not(local_server: EmbeddedServer) -> None:
    configuration = Configuration(local_url=Secret(local_server.uri), cloud_url=Secret(local_server.uri))

    local, remote = connections.open_local(configuration), connections.open_remote(configuration)

    assert _compressors(remote)[-1:] == ["zlib"]
    assert _compressors(local) == []
    assert remote.options.timeout == 60


def _compressors(client: connections.Client) -> list[str]:
    settings = getattr(client.options.pool_options, "_PoolOptions__compression_settings")  # noqa: B009  pymongo's own
    return list(settings.compressors) if settings else []
