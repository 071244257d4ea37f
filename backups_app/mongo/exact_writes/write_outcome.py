"""The outcome of an exact write for each document, and how a refused document is found in its batch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pymongo
from bson.errors import InvalidDocument
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from backups_app.messages import mongo as messages
from backups_app.mongo import connections
from backups_app.mongo.exact_writes import failures, orphans
from backups_app.mongo.exact_writes.failures import FailureKind
from backups_app.mongo.exact_writes.live_collection import DURABLE

DUPLICATE_KEY, VALIDATION_FAILED = 11000, 121
DROPPED_BEFORE_HALVING = 5
TRIES_BEFORE_ORPHANS = 4
TRANSACTION_SECONDS = 90.0
"""Longer than a server keeps the open transaction of a process that died, where we may not end it ourselves."""

TAKEN_FOR_ANOTHER = messages.ID_EQUAL_BY_COLLATION()

T = TypeVar("T")


@dataclass(kw_only=True)
class WriteOutcome:
    """What became of each document, by the key of its `_id` (`raw_ids.key`).

    `done`: written, acknowledged by a majority and journaled. `stale`: the live document is not what was expected,
    nothing was written. `clashes`: another document holds its value of a unique index, which may dissolve.
    `refused`: the server does not take it, and why. Every key is in exactly one of them.
    """

    done: list[bytes] = field(default_factory=list)
    stale: list[bytes] = field(default_factory=list)
    clashes: dict[bytes, str] = field(default_factory=dict)
    refused: dict[bytes, str] = field(default_factory=dict)
    clashing: dict[bytes, Mapping[str, Any]] = field(default_factory=dict)
    """The values of the unique index, for each clash."""

    def add(self, other: WriteOutcome) -> None:
        """Merge another outcome into this one."""
        self.done += other.done
        self.stale += other.stale
        self.clashes.update(other.clashes)
        self.refused.update(other.refused)
        self.clashing.update(other.clashing)

    def refuse(self, key: bytes, details: Mapping[str, Any]) -> None:
        """Sort in a document that the server refused: a duplicate `_id` is stale, another duplicate a clash.

        Where the index of `_id` has a collation, both are possible: a clash here, until somebody looks.
        """
        if details.get("code") != DUPLICATE_KEY:
            named = {VALIDATION_FAILED: "DocumentValidationFailure"}
            # Never the server's message: it may quote the document.
            name = details.get("codeName") or named.get(details.get("code", 0)) or f"code {details.get('code')}"
            self.refused[key] = messages.SERVER_REFUSED_IT(error=name)
        elif is_own_id(details) and "collation" in details:
            self.clashes[key] = TAKEN_FOR_ANOTHER
        elif is_own_id(details):
            self.stale.append(key)
        else:
            fields = ", ".join(details.get("keyPattern", {})) or messages.A_UNIQUE_INDEX()
            self.clashing[key] = details.get("keyValue") or {}
            self.clashes[key] = messages.UNIQUE_VALUE_TAKEN(fields=fields)


Keyed = tuple[bytes, Any]
"""A document to write, behind the key of its `_id`."""


class OneRefused(Exception):
    """The server refused one document of a batch that is written as a whole or not at all."""

    def __init__(self, keyed: Keyed, details: Mapping[str, Any]) -> None:
        super().__init__(messages.ONE_OF_BATCH_REFUSED())
        self.keyed, self.details = keyed, details


def in_transaction(session: ClientSession, work: Callable[[ClientSession], T]) -> T:
    """Run `work` in a snapshot transaction, again when it collided with another writer, or its end was lost on the
    way. What holds on to the documents for long may be a dead process's transaction: that is ended. Return what it
    returns. Raise PyMongoError when that does not help within `TRANSACTION_SECONDS`, or the server was given up."""
    tries = itertools.count(1)

    def work_once_more(running: ClientSession) -> T:
        connections.require_kept(running.client)
        if next(tries) > TRIES_BEFORE_ORPHANS:
            orphans.end_idle_transactions(running.client)
        return work(running)

    with pymongo.timeout(TRANSACTION_SECONDS):
        return session.with_transaction(
            work_once_more,
            read_concern=ReadConcern("snapshot"),
            write_concern=DURABLE,
            read_preference=ReadPreference.PRIMARY,
        )


def all_or_parts(batch: Sequence[Keyed], attempt: Callable[[Sequence[Keyed]], WriteOutcome]) -> WriteOutcome:
    """Try a batch that succeeds or fails as one. Single out what the server refuses, and write the rest.

    Raise PyMongoError when the outcome cannot be known or nothing will change by trying: read again.
    """
    outcome, pending = WriteOutcome(), list(batch)
    for _ in range(DROPPED_BEFORE_HALVING):
        if not pending:
            return outcome
        try:
            outcome.add(attempt(pending))
            return outcome
        except OneRefused as refusal:
            outcome.refuse(refusal.keyed[0], refusal.details)
            pending.remove(refusal.keyed)
        except (OperationFailure, InvalidDocument, DocumentTooLarge) as error:
            details = refusal_details(error)
            if len(pending) == 1:
                outcome.refuse(pending[0][0], details)
                return outcome
            break
    middle = max(1, len(pending) // 2)
    for part in (pending[:middle], pending[middle:]):
        if part:
            outcome.add(all_or_parts(part, attempt))
    return outcome


def one_by_one(batch: Sequence[Keyed], write: Callable[[Keyed], WriteOutcome]) -> WriteOutcome:
    """Write one document after the other, each with its own known result; a refused one does not stop the rest."""
    outcome = WriteOutcome()
    for keyed in batch:
        try:
            outcome.add(write(keyed))
        except (OperationFailure, InvalidDocument, DocumentTooLarge) as error:
            outcome.refuse(keyed[0], refusal_details(error))
    return outcome


def refused_of(error: BulkWriteError, sent: Sequence[Keyed]) -> OneRefused:
    """Given the failure of an ordered bulk and what was sent, name the offender. Raise `error` if it is no refusal."""
    if failures.kind(error) is not FailureKind.REFUSED:
        raise error
    first = error.details["writeErrors"][0]
    return OneRefused(sent[first["index"]], first)


def refusal_details(error: Exception) -> Mapping[str, Any]:
    """Return code and name of a refusal. Raise `error` when it is none: the outcome is unknown, or final."""
    if isinstance(error, InvalidDocument | DocumentTooLarge):
        return {"codeName": "BSONObjectTooLarge"}
    if failures.kind(error) is not FailureKind.REFUSED:
        raise error
    assert isinstance(error, OperationFailure)
    return {"code": error.code, **(error.details or {})}


def is_own_id(details: Mapping[str, Any]) -> bool:
    """Whether a duplicate-key error is about `_id` itself."""
    pattern = details.get("keyPattern")
    return list(pattern) == ["_id"] if pattern else " index: _id_ " in str(details.get("errmsg", ""))
