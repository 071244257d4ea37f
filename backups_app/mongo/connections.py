"""The two MongoDB connections, local and remote, and what is always true of them.

Whatever the URL says: reads come from the primary with majority read concern, writes are acknowledged by a majority
and journaled, every operation has a time limit, and moments are aware and in UTC.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pymongo
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import ConfigurationError, ConnectionFailure, InvalidOperation, InvalidURI, PyMongoError
from pymongo.synchronous.monitor import _shutdown_resources

from backups_app.configuration import Configuration
from backups_app.errors import (
    DatabaseUnreachable,
    LocalUrlMissing,
    MongoUrlBroken,
    MongoUrlInvalid,
    ShardedNotSupported,
)
from backups_app.messages import mongo as messages
from backups_app.mongo import command_counter
from backups_app.mongo.refusals import refusals
from backups_app.mongo.refusals.refusals import VARIABLE
from backups_app.records import Side

Client = MongoClient[dict[str, Any]]
MongoDatabase = Database[dict[str, Any]]

APP_NAME = "TempleOps"
"""How our connections call themselves in the server's log and among its sessions."""

TIMEOUT_SECONDS = {Side.LOCAL: 30, Side.REMOTE: 60}
SERVER_SELECTION_SECONDS = {Side.LOCAL: 5, Side.REMOTE: 15}

FORCED = {
    "readpreference": "primary",
    "readconcernlevel": "majority",
    "w": "majority",
    "journal": "true",
    "retrywrites": "true",
}
MONGOS = "isdbgrid"
"""What `hello` says in `msg` where a mongos answers."""
NEEDS_A_SECONDARY = frozenset({"readpreference", "readpreferencetags", "maxstalenessseconds"})


class _Key(NamedTuple):
    process_id: int
    side: Side
    url: str
    for_scans: bool


_clients: dict[_Key, Client] = {}
_clients_lock = threading.Lock()

# At the end of a process pymongo joins the threads that watch its servers, and each sleeps for half a second: a command
# would take so much longer. They are daemons, and hold nothing that must be put away.
atexit.unregister(_shutdown_resources)


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """What a server says of itself. `process_id` changes with each start of the server; `clock_ahead_seconds` is how
    much later its clock is than ours, within the latency."""

    version: str
    replica_set: bool
    sharded: bool
    set_name: str
    process_id: str
    host: str
    latency_ms: float
    clock_ahead_seconds: float

    @property
    def has_transactions(self) -> bool:
        return self.replica_set


def open_local(configuration: Configuration) -> Client:
    """Return the client of the local server, not yet connected; one per process and URL.

    Raise `LocalUrlMissing` when no URL is set, `MongoUrlInvalid` or `MongoUrlBroken` when it is none.
    """
    if not configuration.local_url:
        raise LocalUrlMissing()
    return _cached(Side.LOCAL, configuration.local_url)


def open_remote(configuration: Configuration) -> Client:
    """Return the client of the remote server (Atlas); ask `configuration.sync_enabled` first.

    Raise `MongoUrlInvalid` when the URL is none.
    """
    return _cached(Side.REMOTE, configuration.cloud_url)


def database(client: Client, name: str) -> MongoDatabase:
    """Return a database with this module's guarantees."""
    return client.get_database(name)


def ping(client: Client) -> None:
    """Find out within the server selection time (5 s local, 15 s remote) whether the primary answers.

    Call it first where somebody waits: any other operation looks for a lost server for the whole of `timeoutMS`,
    for pymongo lets that win. Raise pymongo's errors: wrap the call in `reachable`.
    """
    with pymongo.timeout(client.options.server_selection_timeout):
        client.admin.command("ping")


def facts(client: Client) -> ServerFacts:
    """Ask a server who it is; as quick as `ping` to find it gone. Raise pymongo's errors: wrap it in `reachable`."""
    latencies = []
    with pymongo.timeout(client.options.server_selection_timeout):
        version = client.admin.command("buildInfo")["version"]
        for _ in range(3):
            started = time.perf_counter()
            hello = client.admin.command("hello")
            latencies.append((time.perf_counter() - started) * 1000)
        try:
            address = client.address or ("", 0)
        except InvalidOperation:  # several mongos at once
            address = ("", 0)
    return ServerFacts(
        version=version,
        replica_set="setName" in hello,
        sharded=hello.get("msg") == MONGOS,
        set_name=hello.get("setName", ""),
        process_id=str(hello.get("topologyVersion", {}).get("processId", "")),
        host=hello.get("me") or f"{address[0]}:{address[1]}",
        latency_ms=min(latencies),
        # Answers of commands are decoded without the client's zone: they are in UTC all the same.
        clock_ahead_seconds=(hello["localTime"].replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds(),
    )


def require_unsharded(client: MongoClient[Any], *, side: Side) -> None:
    """Raise `ShardedNotSupported` where a mongos answers: deletions, copies and sync rest on one replica set or one
    server. The driver knows from its heartbeats: no round trip. Raise pymongo's errors: wrap it in `reachable`."""
    if client.is_mongos:
        raise ShardedNotSupported(side=side.value, variable=VARIABLE[side])


def for_scans(database: Database[Any]) -> Database[Any]:
    """Return the same database through a client that limits each network read instead of each operation.

    With timeoutMS, pymongo sends the limit along with `find`, and the server counts its own time for *all* batches
    against it: reading a collection of some gigabytes from a slow disk would fail after 30 s. Use this to read whole
    collections, and sessions of its client. A database that this module did not open is returned as it is.
    """
    with _clients_lock:
        opened = next((key for key, client in _clients.items() if client is database.client), None)
    if opened is None:
        return database
    return _cached(opened.side, opened.url, for_scans=True).get_database(database.name, database.codec_options)


@contextmanager
def reachable(side: Side) -> Iterator[None]:
    """Raise by its name what this side's server does not do: `DatabaseUnreachable` or one of its kind where it cannot
    be spoken to, `DatabaseRefused` or one of its kind where it answers and refuses. Everything else passes."""
    try:
        yield
    except PyMongoError as error:
        if named := refusals.named(error, side=side):
            raise named from error
        raise


def is_unreachable(error: PyMongoError) -> bool:
    """Whether an error says that the server could not be spoken to: network, DNS, TLS, time limit, login.

    It does not say whether a write happened: read again.
    """
    return isinstance(refusals.named(error, side=Side.LOCAL), DatabaseUnreachable)


def overridden(url: str) -> tuple[str, ...]:
    """Return the options of a URL that are not obeyed, as it spells them: `("readPreference",)`. For a warning."""
    return tuple(
        name
        for name, value in parse_qsl(url.partition("?")[2])
        if value.lower() != FORCED.get(name.lower(), value.lower()) or name.lower() in NEEDS_A_SECONDARY - FORCED.keys()
    )


def close_all() -> None:
    """Close every client of this process; the next `open_…` makes new ones. For tests and orderly ends."""
    with _clients_lock:
        for key, client in _clients.items():
            if key.process_id == os.getpid():  # a fork's copies of its parent's sockets are not ours to close
                client.close()
        _clients.clear()


def give_up(client: Client) -> None:
    """Close a server's clients of this process at once: a thread that waits for its answer gets one
    of pymongo's errors within a second, and what was being written is unknown as after a cut line. (`close` waits, and
    lets others wait.) The next `open_…` makes new clients."""
    with _clients_lock:
        meant = next((key for key, one in _clients.items() if one is client), None)
        both = [key for key in _clients if meant is not None and key[:3] == meant[:3]]
        given_up = [_clients.pop(key) for key in both]
    for one in given_up:
        if topology := one._topology:  # pymongo has no public way to end what is under way
            for server in list(topology._servers.values()):
                server.pool.reset(interrupt_connections=True)
            topology.close()
        one._closed = True
        with suppress(PyMongoError):
            one.close()


def require_kept(client: MongoClient[Any]) -> None:
    """Raise ConnectionFailure where the client was given up: pymongo would try its transactions over and over."""
    if client._closed:
        raise ConnectionFailure("The server was given up")


def _cached(side: Side, url: str, *, for_scans: bool = False) -> Client:
    key = _Key(os.getpid(), side, str(url), for_scans)
    with _clients_lock:
        if key not in _clients:
            _clients[key] = _open(side, str(url), for_scans=for_scans)
        return _clients[key]


def _open(side: Side, url: str, *, for_scans: bool) -> Client:
    if any(letter.isspace() for letter in url):
        raise MongoUrlBroken(side=side.value, variable=VARIABLE[side])
    if not url.startswith(("mongodb://", "mongodb+srv://")):
        raise MongoUrlInvalid(side=side.value, variable=VARIABLE[side], reason=messages.URL_SCHEME_UNKNOWN())
    try:
        return MongoClient(_without_secondaries(url), connect=False, **_options(side, for_scans=for_scans))
    except InvalidURI as error:
        reason = messages.URL_NOT_PARSED()
        raise MongoUrlInvalid(side=side.value, variable=VARIABLE[side], reason=reason) from error
    except OSError as error:
        reason = messages.URL_FILE_UNREADABLE()
        raise MongoUrlInvalid(side=side.value, variable=VARIABLE[side], reason=reason) from error
    except (ConfigurationError, ValueError, TypeError) as error:
        reason = messages.URL_PORT_OR_OPTION_INVALID()
        raise MongoUrlInvalid(side=side.value, variable=VARIABLE[side], reason=reason) from error


def _options(side: Side, *, for_scans: bool) -> dict[str, Any]:
    """Keyword options win over the URL's own."""
    options: dict[str, Any] = {
        "appname": APP_NAME,
        "readPreference": "primary",
        "readConcernLevel": "majority",
        "w": "majority",
        "journal": True,
        "retryWrites": True,
        "tz_aware": True,
        "tzinfo": UTC,
        # A date beyond the year 9999 is legal in BSON and must not stop us from reading.
        "datetime_conversion": "DATETIME_AUTO",
        "socketTimeoutMS" if for_scans else "timeoutMS": TIMEOUT_SECONDS[side] * 1000,
        "serverSelectionTimeoutMS": SERVER_SELECTION_SECONDS[side] * 1000,
        "event_listeners": [command_counter.LISTENER],
    }
    if side is Side.REMOTE:
        # Worth its processor time over the internet alone.
        options["compressors"] = "zstd,zlib" if find_spec("backports.zstd") else "zlib"
    return options


def _without_secondaries(url: str) -> str:
    """Return the URL without options that pymongo refuses beside `readPreference=primary`."""
    address, mark, query = url.partition("?")
    kept = [option for option in query.split("&") if option.partition("=")[0].lower() not in NEEDS_A_SECONDARY]
    return address + mark + "&".join(kept)
