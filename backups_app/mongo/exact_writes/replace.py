"""Replaces documents that are still exactly what was read: one that differs in a single bit stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.collation import Collation
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import encoding, live_documents, write_outcome
from backups_app.mongo.exact_writes.live_collection import DURABLE
from backups_app.mongo.exact_writes.write_outcome import Keyed, WriteOutcome

SIMPLE = Collation(locale="simple")
_ACKNOWLEDGED = WriteConcern(w=1)


@dataclass(frozen=True, slots=True)
class Replacement:
    """`expected` is what was read, `new` what shall stand instead; their `_id`s are one key."""

    expected: bytes
    new: bytes


def replace_equal(
    *, collection: Collection[Any], replacements: Sequence[Replacement], session: ClientSession | None
) -> WriteOutcome:
    """Given replacements of different `_id`s, write those whose document is still what was read.

    1. With a session (of a replica set's client), all are one snapshot transaction that reads again first and
       compares bytes; a writer in between makes it collide and start over.
    2. Without one, each statement holds the comparison: `$bsonSize` and `$$ROOT` against what was read. The server's
       equality is wider than bytes, so there an edit in the same moment that changes only a number's type can slip
       through (`docs/reliability.md`).

    Raise PyMongoError when the outcome is unknown: read again; repeating is harmless.
    """
    outcome, possible = WriteOutcome(), []
    for replacement in replacements:
        key, problem = raw_ids.key(raw_ids.id_of(replacement.new)), encoding.why_not(replacement.new)
        if problem:
            outcome.refused[key] = problem
        else:
            possible.append((key, replacement))
    if session is None:
        outcome.add(_each(collection, possible))
    else:
        outcome.add(write_outcome.all_or_parts(possible, lambda batch: _together(collection, batch, session)))
    return outcome


def _together(collection: Collection[Any], batch: Sequence[Keyed], session: ClientSession) -> WriteOutcome:
    def work(running: ClientSession) -> WriteOutcome:
        ids = [raw_ids.id_of(replacement.expected) for _, replacement in batch]
        there = live_documents.read(collection=collection, ids=ids, session=running)
        same = [(key, replacement) for key, replacement in batch if there.get(key) == replacement.expected]
        try:
            if same:
                collection.bulk_write([_blind(one) for _, one in same], ordered=True, session=running)
        except BulkWriteError as error:
            raise write_outcome.refused_of(error, same) from error
        done = {key for key, _ in same}
        return WriteOutcome(done=list(done), stale=[key for key, _ in batch if key not in done])

    return write_outcome.in_transaction(session, work)


def _blind(replacement: Replacement) -> encoding.Operation:
    """Inside the transaction that has just compared, the snapshot is the guard."""
    return encoding.replacement(replacement.new, instead_of=replacement.expected)


def _each(collection: Collection[Any], batch: Sequence[Keyed]) -> WriteOutcome:
    """One statement a document, for a bulk says only how many matched; the last one makes the journal durable."""

    def write(keyed: Keyed) -> WriteOutcome:
        key, replacement = keyed
        matched, update = encoding.replacement_if_equal(replacement.new, instead_of=replacement.expected)
        concern = DURABLE if keyed is batch[-1] else _ACKNOWLEDGED
        target = collection.with_options(write_concern=concern)
        if isinstance(update, RawBSONDocument):
            result = target.replace_one(matched, update, collation=SIMPLE)
        else:
            result = target.update_one(matched, update, collation=SIMPLE)
        return WriteOutcome(done=[key]) if result.matched_count else WriteOutcome(stale=[key])

    return write_outcome.one_by_one(batch, write)
