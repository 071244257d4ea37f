"""How many documents collections hold now: what a restore is chosen by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pymongo
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo.collections import collection_of
from backups_app.runs import preparation

COUNT_SECONDS = 2
EXACT_UP_TO = 10_000


def counts_now(*, configuration: Configuration, names: Sequence[str]) -> dict[str, int]:
    """Return how many documents these collections hold now; empty where the server does not answer in time.

    Above 10,000 from the server's own books, without a scan: enough to choose by. The preview counts.
    """
    try:
        with pymongo.timeout(COUNT_SECONDS):
            database = preparation.local_database(configuration)
            there = set(database.list_collection_names(filter={"type": {"$in": ["collection", "timeseries"]}}))
            return {name: _count(collection_of(database, name)) if name in there else 0 for name in names}
    except (PyMongoError, TempleOpsError):
        return {}


def _count(collection: Collection[Any]) -> int:
    """Count exactly where that is quick: after an unclean stop the server's own books are wrong."""
    about = collection.estimated_document_count()
    return about if about > EXACT_UP_TO else collection.count_documents({})
