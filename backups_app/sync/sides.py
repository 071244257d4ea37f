"""The two sides of a sync: a database, what its server can do, and every failure to reach it named by its side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import InvalidOperation

from backups_app.mongo import connections
from backups_app.mongo.collections import collection_of
from backups_app.records import Side

_WITH_TRANSACTIONS = frozenset({"RSPrimary"})


@dataclass(frozen=True, kw_only=True)
class ServerKind:
    """`process_id` is new with each start of the server; empty when it does not say."""

    transactions: bool
    process_id: str


@dataclass(frozen=True, kw_only=True)
class SideAccess:
    """One side. `session` is None where the server knows no transactions."""

    side: Side
    database: Database[Any]
    session: ClientSession | None
    first_transaction: int = 0

    @property
    def address(self) -> Any:
        """Return where the server is, as the driver names it in what it reports; None for several at once."""
        try:
            return self.database.client.address
        except InvalidOperation:
            return None

    def echo(self) -> dict[str, Any] | None:
        """Return how this sync's own transactions are recognised in the side's change stream: the session and its
        transaction numbers. The driver uses one session again and again, for other work too."""
        if self.session is None:
            return None
        last = _transaction_number(self.session)
        return {"session": self.session.session_id["id"], "after": self.first_transaction, "last": last}

    def collection(self, name: str) -> Collection[Any]:
        """Return a collection of this side."""
        return collection_of(self.database, name)


@contextmanager
def opened(*, side: Side, database: Database[Any]) -> Iterator[SideAccess]:
    """Hold one session with the side's server as long as the sync lasts. Raise `DatabaseUnreachable`,
    `ShardedNotSupported`."""
    with connections.reachable(side):
        connections.require_unsharded(database.client, side=side)
        transactions = kind(database.client).transactions
    if not transactions:
        yield SideAccess(side=side, database=database, session=None)
        return
    with database.client.start_session(causal_consistency=False) as session:
        yield SideAccess(side=side, database=database, session=session, first_transaction=_transaction_number(session))


def kind(client: MongoClient[Any]) -> ServerKind:
    """Return what the driver knows of the server from its heartbeats: no round trip once it is connected."""
    try:
        address = client.address
    except InvalidOperation:  # several mongos at once
        return ServerKind(transactions=True, process_id="")
    described = client.topology_description.server_descriptions().get(address) if address else None
    if described is None:
        hello = client.admin.command("hello")
        version = hello.get("topologyVersion")
        return ServerKind(transactions="setName" in hello, process_id=_process(version))
    return ServerKind(
        transactions=described.server_type_name in _WITH_TRANSACTIONS,
        process_id=_process(described.topology_version),
    )


def _process(version: Any) -> str:
    return str(version["processId"]) if version else ""


def _transaction_number(session: ClientSession) -> int:
    """Return the number of the session's last transaction; the driver shows it nowhere in public."""
    assert session.session_id
    return int(session._server_session.transaction_id)
