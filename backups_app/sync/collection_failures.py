"""A failure of one collection is recorded in its counters, and the other collections continue.

What would stop the next collection too ends the sync: a lost connection, a lost lease, a cancel. A failed collection
is *unresolved*: nothing of it is deleted after the failure, and the next sync reads all of it again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import OperationFailure, PyMongoError

from backups_app.errors import TempleOpsError
from backups_app.messages import sync as messages
from backups_app.mongo import connections
from backups_app.mongo.exact_writes import failures
from backups_app.mongo.exact_writes.failures import FailureKind
from backups_app.sync.counters import CollectionCounters

ITS_OWN = frozenset({"database_right_missing", "database_refused"})
"""What a server may refuse of one collection alone: to list it, to write to it, to remove from it."""

logger = logging.getLogger(__name__)


class CollectionVanished(Exception):
    """Somebody dropped the collection while it was being made."""


class ScanFellShort(Exception):
    """A side answered with fewer documents than it counts: what is missing must not be taken for deleted."""


def ends_the_sync(error: Exception) -> bool:
    """Whether the failure is not the collection's own."""
    if isinstance(error, TempleOpsError):
        return error.code not in ITS_OWN
    return isinstance(error, PyMongoError) and connections.is_unreachable(error)


def may_be_one_document(error: Exception) -> bool:
    """Whether a failure of a batch may be about the content of one document: then the others are worth a try."""
    return not ends_the_sync(error) and (
        not isinstance(error, PyMongoError) or failures.kind(error) is FailureKind.REFUSED
    )


def kind(error: Exception) -> str:
    """Return what was raised, in a word or two: never a server's message, which may quote documents."""
    name = type(error).__name__
    if not isinstance(error, OperationFailure):
        return name
    return f"{name} {(error.details or {}).get('codeName') or f'code {error.code}'}"


@contextmanager
def contained(counters: CollectionCounters) -> Iterator[None]:
    """Record in the counters whatever is raised inside. Raise what ends the sync."""
    try:
        yield
    except Exception as error:
        if ends_the_sync(error):
            raise
        logger.exception("A collection could not be synced", extra={"collection": counters.name})
        counters.failed = (
            error.detail if isinstance(error, TempleOpsError) else messages.UNEXPECTED_ERROR(error=kind(error))
        )
