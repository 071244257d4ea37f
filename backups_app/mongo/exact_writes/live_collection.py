"""A collection as its server shows it now: what an exact write has to know before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from backups_app.messages import mongo as messages
from backups_app.messages import words
from backups_app.mongo import connections

DURABLE = WriteConcern(w="majority", j=True)
FAR_MILLISECONDS = 20
FAR_STATEMENTS = 10


@dataclass(frozen=True, kw_only=True)
class LiveCollection:
    """`type` is `collection`, `view`, `timeseries`, or `missing`. `own_collation` is None when it is the simple one.
    `transactions` is whether this collection can be read and written in one: no server does that for capped ones.
    `statements_at_once` is how many statements travel in one bulk: more than one where the server is far away.
    """

    collection: Collection[dict[str, Any]]
    type: str
    transactions: bool
    own_collation: Mapping[str, Any] | None
    statements_at_once: int

    @property
    def why_not(self) -> str | None:
        """Return why nothing can be deleted exactly here, or None when it can."""
        if self.type not in ("collection", "missing"):
            return messages.NOT_A_COLLECTION(type=words.collection_type(self.type))
        if self.own_collation and not self.transactions:
            return messages.COLLATION_NEEDS_TRANSACTION()
        return None


def inspect(*, collection: Collection[dict[str, Any]]) -> LiveCollection:
    """Given a collection, ask its server once for its type, its collation, transactions, and how far away it is.

    Raise PyMongoError when the server cannot be asked.
    """
    database = collection.database
    server = connections.facts(database.client)
    info = next(database.list_collections(filter={"name": collection.name}), None) or {"type": "missing"}
    options = info.get("options", {})
    return LiveCollection(
        collection=collection.with_options(read_preference=ReadPreference.PRIMARY, write_concern=DURABLE),
        type=info["type"],
        transactions=server.has_transactions and not options.get("capped"),
        own_collation=options.get("collation"),
        statements_at_once=FAR_STATEMENTS if server.latency_ms > FAR_MILLISECONDS else 1,
    )
