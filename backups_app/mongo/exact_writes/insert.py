"""Inserts documents whose `_id` is not there yet, as exactly the bytes that are handed in; overwrites nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import encoding, failures, live_documents, write_outcome
from backups_app.mongo.exact_writes.failures import FailureKind
from backups_app.mongo.exact_writes.live_collection import DURABLE
from backups_app.mongo.exact_writes.write_outcome import Keyed, WriteOutcome


def insert_missing(
    *, collection: Collection[Any], frames: Sequence[bytes], session: ClientSession | None
) -> WriteOutcome:
    """Given raw documents with different `_id`s, insert those that are missing.

    `session` is one of a replica set's client: all of them are then one transaction, which reads first. None, for a
    standalone server or a collection that allows no transaction, inserts each by itself. A document whose `_id` is
    there is `stale`, whatever its content; one whose `_id` only a collation takes for another is a clash. Raise
    PyMongoError when the outcome is unknown: read again.
    """
    outcome, possible = WriteOutcome(), []
    for frame in frames:
        key, problem = raw_ids.key(raw_ids.id_of(frame)), encoding.why_not(frame)
        if problem:
            outcome.refused[key] = problem
        else:
            possible.append((key, frame))
    target = collection.with_options(write_concern=DURABLE)
    if session is None:
        outcome.add(_each(target, possible))
    else:
        outcome.add(write_outcome.all_or_parts(possible, lambda batch: _together(target, batch, session)))
    _tell_apart(target, outcome, dict(possible))
    return outcome


def _tell_apart(target: Collection[Any], outcome: WriteOutcome, frames: Mapping[bytes, bytes]) -> None:
    """Of the `_id`s that an index with a collation refused, those that are really there are stale."""
    doubtful = [key for key, reason in outcome.clashes.items() if reason == write_outcome.TAKEN_FOR_ANOTHER]
    if doubtful:
        there = live_documents.read(collection=target, ids=[raw_ids.id_of(frames[key]) for key in doubtful])
        for key in there:
            del outcome.clashes[key]
            outcome.stale.append(key)


def _together(target: Collection[Any], batch: Sequence[Keyed], session: ClientSession) -> WriteOutcome:
    def work(running: ClientSession) -> WriteOutcome:
        there = live_documents.read(
            collection=target, ids=[raw_ids.id_of(frame) for _, frame in batch], session=running
        )
        missing = [(key, frame) for key, frame in batch if key not in there]
        try:
            if missing:
                target.bulk_write([encoding.insertion(frame) for _, frame in missing], ordered=True, session=running)
        except BulkWriteError as error:
            raise write_outcome.refused_of(error, missing) from error
        return WriteOutcome(done=[key for key, _ in missing], stale=[key for key, _ in batch if key in there])

    return write_outcome.in_transaction(session, work)


def _each(target: Collection[Any], batch: Sequence[Keyed]) -> WriteOutcome:
    outcome = WriteOutcome()
    if not batch:
        return outcome
    refused: dict[int, Any] = {}
    try:
        target.bulk_write([encoding.insertion(frame) for _, frame in batch], ordered=False)
    except BulkWriteError as error:
        if error.details.get("writeConcernErrors") or failures.kind(error) is not FailureKind.REFUSED:
            raise
        refused = {one["index"]: one for one in error.details["writeErrors"]}
    for index, (key, _) in enumerate(batch):
        if index in refused:
            outcome.refuse(key, refused[index])
        else:
            outcome.done.append(key)
    return outcome
