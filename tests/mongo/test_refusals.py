"""Why a server does not do what it is asked, by its name: login, rights, TLS, set name, DNS, quota."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pymongo
import pytest
from pymongo import MongoClient
from pymongo.errors import BulkWriteError, NotPrimaryError, OperationFailure

from backups_app.configuration import Configuration, Secret
from backups_app.errors import (
    DatabaseHangsUp,
    DatabaseHasNoPrimary,
    DatabaseHostUnknown,
    DatabaseLoginMissing,
    DatabaseLoginRefused,
    DatabaseOverQuota,
    DatabaseRefused,
    DatabaseTlsFailed,
    DatabaseUnreachable,
    MongoUrlBroken,
    MongoUrlInvalid,
    ReplicaSetUnknown,
    RightMissing,
    TempleOpsError,
)
from backups_app.mongo import connections
from backups_app.mongo.embedded import EmbeddedServer, find, free_port
from backups_app.mongo.refusals import refusals, rights
from backups_app.records import Side
from tests.guarded import guarded_server, uri

Database = pymongo.database.Database[dict[str, Any]]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for rights, with one user for each single right on `seeded`, and one without any."""
    with guarded_server(tmp_path_factory.mktemp("guarded")) as address, MongoClient[Any](uri(address)) as root:
        root["temple"]["bookings"].insert_one({"_id": 1})
        for name, actions in SINGLE_RIGHTS.items():
            may = [{"resource": {"db": "temple", "collection": ""}, "actions": actions}] if actions else []
            root.admin.command("createRole", name, privileges=may, roles=[])
            root.admin.command("createUser", name, pwd="secret", roles=[name])
        root.admin.command("createUser", "keeper", pwd="secret", roles=[{"role": "readWrite", "db": "temple"}])
        yield address
        connections.close_all()


SINGLE_RIGHTS: dict[str, list[str]] = {
    "nothing": [],
    "lister": ["listCollections"],
    "reader": ["listCollections", "find"],
    "writer": ["listCollections", "find", "insert", "update", "createCollection", "createIndex"],
}


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a server that demands TLS, for `localhost`, and its certificate, which nobody has signed."""
    if which("openssl") is None:
        pytest.skip("openssl is not on PATH, so no certificate could be made.")
    folder, port = tmp_path_factory.mktemp("encrypted"), free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key", "-out", folder / "certificate"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "both").write_bytes((folder / "key").read_bytes() + (folder / "certificate").read_bytes())
    (folder / "data").mkdir()
    process = subprocess.Popen(
        [find().path, "--dbpath", str(folder / "data"), "--port", str(port), "--bind_ip", "127.0.0.1",
         "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(folder / "both"),
         "--wiredTigerCacheSizeGB", "0.25"],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with MongoClient[Any](f"localhost:{port}", tls=True, tlsCAFile=str(folder / "certificate")) as client:
            client.admin.command("ping")
        yield port, folder / "certificate"
    finally:
        process.kill()
        process.wait()


def ask(url: str, question: Callable[[Database], Any] = lambda database: database.command("ping")) -> None:
    """Ask Atlas, which is at this address, as the product does."""
    client = connections.open_remote(Configuration(cloud_url=Secret(url)))
    with connections.reachable(Side.REMOTE), pymongo.timeout(2):
        question(client["temple"])


def refusal(url: str, question: Callable[[Database], Any] = lambda database: database.command("ping")) -> Any:
    with pytest.raises(TempleOpsError) as raised:
        ask(url, question)
    return raised.value


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace(":secret@", ":misfit@"),
        lambda url: url + "&authSource=elsewhere",
        lambda url: url + "&authMechanism=PLAIN",
    ],
)
def test_a_login_that_is_refused(guarded: str, change: Callable[[str], str]) -> None:
    error = refusal(change(uri(guarded)))

    assert type(error) is DatabaseLoginRefused
    assert "MONGODB_CLOUD_URL" in error.detail and "MONGODB_CLOUD_URL" in error.hint
    assert "cannot be reached" not in error.detail
    assert "secret" not in error.detail and "misfit" not in error.detail


def test_a_login_that_is_demanded(guarded: str) -> None:
    error = refusal(f"mongodb://{guarded}/?directConnection=true", lambda database: database.list_collection_names())

    assert type(error) is DatabaseLoginMissing


@pytest.mark.parametrize(
    ("user", "what", "question"),
    [
        ("nothing", "list collections", lambda database: database.list_collection_names()),
        ("nothing", "list collections", lambda database: database.command("dbStats")),
        ("lister", "read", lambda database: database.bookings.find_one()),
        ("lister", "read", lambda database: list(database.bookings.aggregate([]))),
        ("reader", "write", lambda database: database.bookings.insert_one({})),
        ("reader", "write", lambda database: database.bookings.bulk_write([pymongo.InsertOne({})])),
        ("reader", "write", lambda database: database.bookings.find_one_and_update({}, {"$set": {"a": 1}})),
        ("reader", "write", lambda database: database.command({"create": "made"})),
        ("writer", "remove documents", lambda database: database.bookings.delete_one({})),
    ],
)
def test_a_right_that_is_missing(guarded: str, user: str, what: str, question: Callable[[Database], Any]) -> None:
    error = refusal(uri(guarded, user), question)

    assert type(error) is RightMissing
    assert (error.facts["what"], error.facts["database"], error.facts["side"]) == (what, "temple", "remote")
    assert 'grantRolesToUser("<user>", [{role: "readWrite", db: "temple"}])' in error.hint
    assert (error.status, error.code) == (503, "database_right_missing")


@pytest.mark.parametrize(
    ("user", "missing"),
    [
        ("nothing", ("list collections", "read", "write", "remove documents")),
        ("lister", ("read", "write", "remove documents")),
        ("reader", ("write", "remove documents")),
        ("writer", ("remove documents",)),
        ("keeper", ()),
        ("root", ()),
    ],
)
def test_what_a_user_may_not_do_is_known_without_trying(guarded: str, user: str, missing: tuple[str, ...]) -> None:
    with MongoClient[Any](uri(guarded, user)) as client:
        assert rights.missing(client["temple"]) == missing


def test_a_server_that_asks_nobody_for_rights_refuses_nothing(standalone_server: EmbeddedServer) -> None:
    with standalone_server.client() as client:
        assert rights.missing(client["temple"]) == ()
        client.admin.command("createUser", "nobody", pwd="secret", roles=[])
    try:
        known = f"mongodb://nobody:secret@{standalone_server.address}/"
        with MongoClient[Any](known) as client:
            assert rights.missing(client["temple"]) == ()
    finally:
        with standalone_server.client() as client:
            client.admin.command("dropUser", "nobody")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mongodb://localhost:{port}/?tls=true", "not one that this computer trusts"),
        ("mongodb://127.0.0.1:{port}/?tls=true&tlsCAFile={ca}", "for another host name"),
    ],
)
def test_tls_that_fails(encrypted: tuple[int, Path], url: str, reason: str) -> None:
    error = refusal(url.format(port=encrypted[0], ca=encrypted[1]))

    assert type(error) is DatabaseTlsFailed
    assert reason in error.detail


def test_tls_that_is_demanded(encrypted: tuple[int, Path]) -> None:
    error = refusal(f"mongodb://localhost:{encrypted[0]}/")

    assert type(error) is DatabaseHangsUp
    assert "TLS" in error.detail and "tls=true" in error.hint


def test_tls_that_is_not_spoken(standalone_server: EmbeddedServer) -> None:
    error = refusal(f"mongodb://{standalone_server.address}/?tls=true")

    assert type(error) is DatabaseTlsFailed
    assert "does not offer it" in error.detail


def test_the_name_of_another_set(remote_server: EmbeddedServer, standalone_server: EmbeddedServer) -> None:
    for server in (remote_server, standalone_server):
        assert type(refusal(f"mongodb://{server.address}/?replicaSet=other")) is ReplicaSetUnknown


@pytest.mark.parametrize("url", ["mongodb://nowhere.invalid/", "mongodb+srv://nowhere.invalid/"])
def test_a_host_without_a_name(url: str) -> None:
    assert type(refusal(url)) is DatabaseHostUnknown


def test_nobody_there_is_only_unreachable() -> None:
    assert type(refusal(f"mongodb://127.0.0.1:{free_port()}/?appName=ssl-certificate-DNS")) is DatabaseUnreachable


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://h:27017\n", "mongodb://h/?replicaSet=x\n", "mongodb://h/\r\n", " mongodb://h/", "mongodb://h/\t",
        "mongodb://user:pass word@h/", "mongodb://h:27017/ ?tls=true", "mongodb://h/\u00a0", "mongodb://h\u2028/",
    ],
)  # fmt: skip
def test_a_url_with_what_stood_beside_it(url: str) -> None:
    error = refusal(url)

    assert type(error) is MongoUrlBroken
    assert "MONGODB_CLOUD_URL" in error.detail


@pytest.mark.parametrize(
    "url",
    ["mongodb://h:0/", "mongodb://h:65536/", "mongodb://h:x/", "mongodb://h/?tls=true&tlsCAFile=/none", "h:27017"],
)
def test_a_url_that_is_none(url: str) -> None:
    assert type(refusal(url)) is MongoUrlInvalid


def atlas(message: str) -> OperationFailure:
    return OperationFailure(message, 8000, {"ok": 0, "errmsg": message, "code": 8000, "codeName": "AtlasError"})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (atlas("bad auth : authentication failed"), DatabaseLoginRefused),
        (atlas("you are over your space quota, using 513 MB of 512 MB"), DatabaseOverQuota),
        (atlas("user is not allowed to do action [remove] on [temple.bookings]"), RightMissing),
        (atlas("CMD_NOT_ALLOWED: collStats"), DatabaseRefused),
        (OperationFailure("no space", 14031, {"code": 14031, "errmsg": "no space"}), DatabaseOverQuota),
        (NotPrimaryError("not primary"), DatabaseHasNoPrimary),
        (BulkWriteError({"writeErrors": [{"code": 8000, "errmsg": "over your space quota"}]}), DatabaseOverQuota),
        (OperationFailure("a validator", 121, {"code": 121, "errmsg": "Document failed validation"}), type(None)),
    ],
)
def test_what_cannot_be_provoked_here(error: Exception, kind: type) -> None:
    named = refusals.named(error, side=Side.REMOTE)

    assert type(named) is kind


def test_what_atlas_says_of_a_right_is_reported_with_the_right() -> None:
    named = refusals.named(atlas("not allowed to do action [insert] on [temple.bookings]"), side=Side.REMOTE)

    assert named is not None
    assert (named.facts["what"], named.facts["database"]) == ("write", "temple")
