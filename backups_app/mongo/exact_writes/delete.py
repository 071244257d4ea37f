"""Deletes exactly the documents whose bytes are handed in: one that differs in a single bit stays.

Two guards, and both are needed (`docs/reliability.md`, I2): the live bytes are compared here, for the server's
equality is wider than bytes (1 = 1.0); and the comparison stands once more inside the delete, for a document may
change after it was read. On a replica set read and delete share a snapshot transaction besides.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pymongo
from bson.errors import InvalidDocument
from pymongo.client_session import ClientSession
from pymongo.collation import Collation
from pymongo.errors import PyMongoError
from pymongo.operations import DeleteMany
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from backups_app.messages import mongo as messages
from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import failures, filters, live_documents, orphans
from backups_app.mongo.exact_writes.failures import FailureKind
from backups_app.mongo.exact_writes.filters import Frames
from backups_app.mongo.exact_writes.live_collection import DURABLE, LiveCollection

SIMPLE = Collation(locale="simple")
UNKNOWN_TRIES = 2
ATTEMPT_SECONDS, SECOND_LOOK_SECONDS = 60.0, 15.0
"""A first attempt may take the client's own time limit, read, delete and commit together. After an unknown end one more
look is taken: a server that does not answer that either is left to the caller, who will call again."""

UNMATCHED_TRIES = 3
BUSY_TRIES_BEFORE_ORPHANS, BUSY_TRIES_BEFORE_HALVING = 4, 10
BUSY_SECONDS = 100.0
"""Longer than the 90 seconds for which a server may keep a transaction whose client was cut off from it."""

_SNAPSHOT = ReadConcern("snapshot")


@dataclass(kw_only=True)
class DeleteOutcome:
    """What became of each document, by raw id. Nothing here is assumed: each was seen.

    `deleted`: seen with these bytes, and acknowledged or seen gone after our delete. `already_absent`: not there.
    `kept`: there with other bytes, not touched. `refused`: there with these bytes, but the server would not delete it,
    and why.
    When somebody else deleted some of a batch in the same moment, the number of `deleted` is right, and which of the
    absent ones they were is not known.
    """

    deleted: list[bytes] = field(default_factory=list)
    already_absent: list[bytes] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)
    refused: dict[bytes, str] = field(default_factory=dict)

    def add(self, other: DeleteOutcome) -> None:
        """Merge another outcome into this one."""
        self.deleted += other.deleted
        self.already_absent += other.already_absent
        self.kept += other.kept
        self.refused.update(other.refused)


class _Refused(Exception):
    """The server does not take this statement; a smaller one it may."""


def delete_equal(*, live: LiveCollection, frames: Sequence[bytes]) -> DeleteOutcome:
    """Given raw documents with different `_id`s, delete those that are live with exactly these bytes.

    1. Read the live ones by `_id`, raw, from the primary; those whose bytes are equal are candidates.
    2. Delete the candidates with the comparison inside the statement. On a replica set 1 and 2 are one transaction.
    3. After a time limit or a reset, read again: what is sent twice is deleted once.
    4. What the server refuses is tried in halves, down to the single document.

    Repeating is harmless. Raise ValueError where `live.why_not` says that this cannot be done here, for two documents
    with one `_id`, and for one without. Raise PyMongoError when the server cannot be reached or does not allow it:
    some of the documents may be deleted then, and the next call reports them as absent.
    """
    if live.why_not:
        raise ValueError(live.why_not)
    wanted = dict(zip(raw_ids.ids_of(frames), frames, strict=True))
    if len(set(raw_ids.keys_of(frames))) != len(frames):
        raise ValueError(messages.TWO_DOCUMENTS_ONE_ID())
    outcome = DeleteOutcome(already_absent=[raw_id for raw_id in wanted if not raw_ids.can_be_live(raw_id)])
    possible = {raw_id: frame for raw_id, frame in wanted.items() if raw_ids.can_be_live(raw_id)}
    sent: set[bytes] = set()
    deadline = time.monotonic() + BUSY_SECONDS
    work = deque(_windows(possible, live.statements_at_once))
    while work:
        window = work.popleft()
        try:
            outcome.add(_deliver(live, window, sent, deadline))
        except _Refused as refusal:
            if len(window) == 1:
                outcome.refused[next(iter(window))] = refusal.args[0]
            else:
                work.extendleft(_second_and_first_half(window))
    return outcome


def _windows(frames: Frames, statements: int) -> Iterator[dict[bytes, bytes]]:
    """Yield what goes in one round trip: the documents of so many statements, all together at most 4 MiB: a slow line
    must carry it within the time limit."""
    window: dict[bytes, bytes] = {}
    held = size = 0
    for part in filters.batches_of(frames):
        part_bytes = sum(map(len, part.values()))
        if held == statements or (held and size + part_bytes > filters.STATEMENT_BYTES):
            yield window
            window, held, size = {}, 0, 0
        window |= part
        held, size = held + 1, size + part_bytes
    if window:
        yield window


def _second_and_first_half(window: Frames) -> list[dict[bytes, bytes]]:
    pairs = list(window.items())
    middle = len(pairs) // 2
    return [dict(pairs[middle:]), dict(pairs[:middle])]


def _deliver(live: LiveCollection, window: Frames, sent: set[bytes], deadline: float) -> DeleteOutcome:
    """Try until the outcome of this window is known. Raise `_Refused` when smaller parts should be tried.

    `sent` holds the ids that a delete was sent for whose answer never came: found absent, they count as deleted.
    """
    unknown = busy = 0
    while True:
        try:
            with pymongo.timeout(SECOND_LOOK_SECONDS if unknown else _limit_seconds(live)):
                return _attempt(live, window, sent)
        except (PyMongoError, InvalidDocument) as error:
            kind = failures.kind(error)
            unknown += kind is FailureKind.UNKNOWN
            busy += kind is FailureKind.BUSY
            if kind is FailureKind.FINAL or unknown == UNKNOWN_TRIES:
                raise
            if kind is FailureKind.REFUSED:
                raise _Refused(failures.reason(error)) from error
            if kind is FailureKind.BUSY:
                _be_patient(live, window, busy, deadline, error)
        time.sleep(random.uniform(0.2, 1.0) * min(0.01 * 2 ** (busy + unknown), 1.0))  # noqa: S311


def _be_patient(live: LiveCollection, window: Frames, busy: int, deadline: float, error: Exception) -> None:
    """Other work holds on to a document. Return when it may be tried again as it is, else raise `_Refused`."""
    if busy >= BUSY_TRIES_BEFORE_ORPHANS:
        orphans.end_idle_transactions(live.collection.database.client)
    if (busy >= BUSY_TRIES_BEFORE_HALVING and len(window) > 1) or time.monotonic() > deadline:
        raise _Refused(messages.OTHER_WORK_HOLDS_IT()) from error


def _limit_seconds(live: LiveCollection) -> float:
    """Return the client's time limit of an operation, here for the whole attempt: pymongo would give each retry, the
    commit and the abort a limit of their own."""
    return float(live.collection.database.client.options.timeout or ATTEMPT_SECONDS)


def _attempt(live: LiveCollection, window: Frames, sent: set[bytes]) -> DeleteOutcome:
    """Read, compare, delete, once, and look again at what the server did not match."""
    outcome, unmatched = _read_and_delete(live, window, sent)
    for _ in range(UNMATCHED_TRIES):
        if not unmatched:
            return outcome
        more, unmatched = _read_and_delete(live, unmatched, sent)
        outcome.add(more)
    outcome.refused.update(dict.fromkeys(unmatched, messages.SERVER_DOES_NOT_MATCH_IT()))
    return outcome


def _read_and_delete(
    live: LiveCollection, window: Frames, sent: set[bytes]
) -> tuple[DeleteOutcome, dict[bytes, bytes]]:
    """Return the outcome, and those that were there with equal bytes before and after."""
    seen, same, deleted = _in_transaction(live, window, sent) if live.transactions else _plain(live, window, sent)
    if deleted == len(same):
        seen.deleted += same
        return seen, {}
    after, still = _classify(live, same, frozenset(), None)
    seen.deleted += after.already_absent[:deleted]
    seen.already_absent += after.already_absent[deleted:]
    seen.kept += after.kept
    return seen, still


_Step = tuple[DeleteOutcome, dict[bytes, bytes], int]
"""What needed no delete, what was equal, and how many of those the server says it deleted."""


def _in_transaction(live: LiveCollection, window: Frames, sent: set[bytes]) -> _Step:
    with live.collection.database.client.start_session() as session:
        transaction = session.start_transaction(
            read_concern=_SNAPSHOT, write_concern=DURABLE, read_preference=ReadPreference.PRIMARY
        )
        with transaction:
            seen, same = _classify(live, window, sent, session)
            deleted = _send(live, same, session)
            sent.update(same)
    return seen, same, deleted


def _plain(live: LiveCollection, window: Frames, sent: set[bytes]) -> _Step:
    seen, same = _classify(live, window, sent, None)
    sent.update(same)
    return seen, same, _send(live, same, None)


def _classify(
    live: LiveCollection, window: Frames, sent: set[bytes] | frozenset[bytes], session: ClientSession | None
) -> tuple[DeleteOutcome, dict[bytes, bytes]]:
    """Read the live documents raw. Return what needs no delete, and those whose bytes are equal."""
    there = live_documents.read(collection=live.collection, ids=list(window), session=session)
    seen, same = DeleteOutcome(), {}
    for raw_id, frame in window.items():
        found = there.get(raw_ids.key(raw_id))
        if found == frame:
            same[raw_id] = frame
        elif found is not None:
            seen.kept.append(raw_id)
        else:
            (seen.deleted if raw_id in sent else seen.already_absent).append(raw_id)
    return seen, same


def _send(live: LiveCollection, same: Frames, session: ClientSession | None) -> int:
    """Send the delete. Return how many documents the server says it deleted."""
    if not same:
        return 0
    # Without it a case-insensitive collection finds "ANNA" equal to "anna". Where the collection's own collation is
    # not simple, its `_id` index serves only that one, and the transaction is what makes the comparison of bytes hold.
    collation = None if live.own_collation else SIMPLE
    wanted = [filters.by_ids_and_bytes(part) for part in filters.batches_of(same)]
    if len(wanted) == 1:
        return live.collection.delete_many(wanted[0], collation=collation, session=session).deleted_count
    deletes = [DeleteMany(one, collation=collation) for one in wanted]
    return live.collection.bulk_write(deletes, ordered=False, session=session).deleted_count
