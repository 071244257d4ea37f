"""Inserts documents whose `_id` is not there yet, as exactly the bytes that are handed in; overwrites nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, OperationFailure

from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import encoding, failures, live_documents, write_outcome
from backups_app.mongo.exact_writes.failures import FailureKind
from backups_app.mongo.exact_writes.live_collection import DURABLE
from backups_app.mongo.exact_writes.write_outcome import Keyed, WriteOutcome

_REPLY: CodecOptions[dict[str, Any]] = CodecOptions(
    unicode_decode_error_handler="replace", datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
"""An error quotes values of the document: none of them may break reading the answer."""

_MESSAGE_BYTES, _MESSAGE_DOCUMENTS = 16 * 1024 * 1024, 50_000
"""What the driver takes for one document, and every server in one message."""


def insert_missing(
    *, collection: Collection[Any], frames: Sequence[bytes], session: ClientSession | None
) -> WriteOutcome:
    """Given raw documents with different `_id`s, insert those that are missing.

    `session` is one of a replica set's client: all of them are then one transaction, which reads first. None, for a
    standalone server or a collection that allows no transaction, inserts each by itself. A document whose `_id` is
    there is `stale`, whatever its content; one whose `_id` only a collation takes for another is a clash. Raise
    PyMongoError when the outcome is unknown: read again.
    """
    outcome, possible = WriteOutcome(), list(zip(raw_ids.keys_of(frames), frames, strict=True))
    target = collection.with_options(write_concern=DURABLE)
    together = encoding.Together(frames) if session is None and _fit_one_message(frames) else None
    if together is not None and not together.needing_pipeline():
        outcome.add(_all(target, possible, together))
        _distinguish(target, outcome, dict(possible))
        return outcome
    problems = {key: problem for key, frame in possible if (problem := encoding.why_not(frame))}
    outcome.refused.update(problems)
    possible = [keyed for keyed in possible if keyed[0] not in problems]
    if session is None:
        outcome.add(_each(target, possible))
    else:
        outcome.add(write_outcome.all_or_parts(possible, lambda batch: _together(target, batch, session)))
    _distinguish(target, outcome, dict(possible))
    return outcome


def _distinguish(target: Collection[Any], outcome: WriteOutcome, frames: Mapping[bytes, bytes]) -> None:
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
    """Insert documents, each by an operation of its own."""
    if not batch:
        return WriteOutcome()
    try:
        target.bulk_write([encoding.insertion(frame) for _, frame in batch], ordered=False)
    except BulkWriteError as error:
        if error.details.get("writeConcernErrors") or failures.kind(error) is not FailureKind.REFUSED:
            raise
        return _sorted(batch, error.details["writeErrors"])
    return _sorted(batch, ())


def _all(target: Collection[Any], batch: Sequence[Keyed], together: encoding.Together) -> WriteOutcome:
    """Insert documents by one message: many times as quick. The driver does not repeat it by itself: the caller reads
    and tries again where the outcome is unknown."""
    reply = target.database.command(
        {
            "insert": target.name,
            "documents": [together],
            "ordered": False,
            "writeConcern": target.write_concern.document,
        },
        codec_options=_REPLY,
    )
    errors, unsure = reply.get("writeErrors", []), reply.get("writeConcernError")
    kinds = {failures.kind(OperationFailure("", one["code"], one)) for one in errors}
    if unsure or kinds - {FailureKind.REFUSED}:
        details = {"writeErrors": errors, "writeConcernErrors": [unsure] if unsure else []}
        raise BulkWriteError({**details, "nInserted": reply["n"]})
    return _sorted(batch, errors)


def _fit_one_message(frames: Sequence[bytes]) -> bool:
    return 0 < len(frames) <= _MESSAGE_DOCUMENTS and sum(map(len, frames)) <= _MESSAGE_BYTES


def _sorted(batch: Sequence[Keyed], errors: Iterable[Mapping[str, Any]]) -> WriteOutcome:
    """Return what became of each document, given the server's errors by the document's place."""
    outcome, refused = WriteOutcome(), {one["index"]: one for one in errors}
    if not refused:
        outcome.done = [key for key, _ in batch]
        return outcome
    for index, (key, _) in enumerate(batch):
        if index in refused:
            outcome.refuse(key, refused[index])
        else:
            outcome.done.append(key)
    return outcome
