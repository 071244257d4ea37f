"""What changed since a base was made, reported by the change stream of the replica set.

1. before the first read of a full backup: `here_and_now`, its token, which lies in that backup's folder;
2. an incremental takes its snapshot, at T; then a mark is written into its own run document;
3. the stream is read from the token to the mark: what happened before T has arrived by then;
4. the touched documents are read in the snapshot, so that what came after T changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from secrets import token_hex
from typing import Any, NamedTuple

from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from backups_app.dump.writing.reading_ahead import ahead
from backups_app.messages import sync as messages
from backups_app.mongo import change_events, raw_bson, raw_ids, scanning
from backups_app.mongo.change_events import StreamBroken, Touched
from backups_app.mongo.raw_bson import Value
from backups_app.records import INTERNAL

MARK = "stream_mark"
"""A field of the run document that only the stream looks for."""

CATCH_UP_SECONDS = 120.0
_AT_ONCE = 2_000
_RECORDS = "backup_metadata"
_MARKED = f"updateDescription.updatedFields.{MARK}"
_ID, _KEY = b"\x03_id\0", b"\x03documentKey\0"
_TOKEN = 4 + len(_ID)
"""Where the token of an event begins."""
_SLIM = {"$project": {"operationType": 1, "ns.coll": 1, "to.coll": 1, "documentKey._id": 1, _MARKED: 1}}


@dataclass(frozen=True, kw_only=True)
class StreamPlace:
    """A place in the stream of one replica set: what a full backup keeps of the moment before its first read."""

    token: Mapping[str, Any]
    set_id: str


@dataclass(frozen=True, kw_only=True)
class StreamStart:
    """From where an incremental reads. `write_mark` writes a text into the run document of `run_id`, under `MARK`."""

    place: StreamPlace
    run_id: str
    write_mark: Callable[[str], None]


def here_and_now(database: Database[Any]) -> StreamPlace | None:
    """Return this moment's place; None where there is no change stream, or no right to it or to the set's id."""
    try:
        set_id = _set_id(database)
        if set_id is None:
            return None
        with database.watch([_wanted("", "")]) as stream:
            token = stream.resume_token
    except OperationFailure:
        return None
    return None if token is None else StreamPlace(token={key: token[key] for key in token}, set_id=set_id)


def is_same_set(database: Database[Any], place: StreamPlace) -> bool:
    """Whether this is the replica set in whose stream the place is."""
    try:
        return _set_id(database) == place.set_id
    except OperationFailure:
        return False


def read(
    database: Database[Any],
    start: StreamStart,
    *,
    checkpoint: Callable[[], None],
    hear: Callable[[Touched], None] = lambda _: None,
) -> Touched:
    """Read what happened from the place to now, and return what was touched. Call it after the snapshot was taken.
    `hear` is given what is known so far, after each answer.

    Raise `StreamBroken` when the history is gone, does not catch up or reports something that no single document
    stands for, and what `checkpoint` raises.
    """
    mark, deadline = token_hex(16), time.monotonic() + CATCH_UP_SECONDS
    start.write_mark(mark)
    touched = Touched(token=start.place.token)
    pipeline = [{"$changeStream": {"startAfter": start.place.token}}, _wanted(start.run_id, mark), _SLIM]
    command = {"aggregate": 1, "pipeline": pipeline, "cursor": {"batchSize": _AT_ONCE}}
    try:
        with closing(_batches(database, command)) as batches, closing(ahead(batches, is_followed=_is_full)) as answers:
            for events in answers:
                checkpoint()
                if any(not _take(touched, event) for event in events):
                    return touched
                hear(touched)
                if time.monotonic() > deadline:
                    break
    except OperationFailure as error:
        raise change_events.refused(error) from error
    except PyMongoError as error:
        raise StreamBroken(messages.STREAM_UNREADABLE(error=type(error).__name__)) from error
    raise StreamBroken(messages.STREAM_DID_NOT_CATCH_UP())


def _batches(database: Database[Any], command: Mapping[str, Any]) -> Generator[list[memoryview]]:
    with closing(scanning.batches(database, command, size=_AT_ONCE)) as answers:
        for answer in answers:
            yield scanning.documents(answer.array)


def _is_full(events: list[memoryview]) -> bool:
    """After a short answer the server may wait for something to happen."""
    return len(events) == _AT_ONCE


def _take(touched: Touched, event: memoryview) -> bool:
    """Take in one event. Return False for the mark.

    Of the events of documents nearly all are alike between their token and their key: that part is taken apart once.
    """
    raw = bytes(event)
    named, is_followed, key = raw[_TOKEN + _length(raw, _TOKEN) :].partition(_KEY)
    if raw[4:_TOKEN] == _ID and is_followed and (found := _names(named)).name:
        raw_id = raw_ids.id_of(key[: _length(key, 0)])
    else:
        parts = dict(raw_bson.elements(raw))
        found = _names_of(parts)
        raw_id = raw_ids.id_of(parts[b"documentKey"].data) if b"documentKey" in parts else b""
    if found.name == _RECORDS:
        return False
    change_events.note(touched, kind=found.kind, name=found.name, to=found.to, raw_id=raw_id)
    return True


class _Names(NamedTuple):
    """What an event is, its collection, and the one that this was renamed to; empty where it names none."""

    kind: str
    name: str
    to: str


@lru_cache(maxsize=1_000)
def _names(elements: bytes) -> _Names:
    return _names_of(dict(raw_bson.elements(b"\0\0\0\0%s\0" % elements)))


def _names_of(parts: Mapping[bytes, Value]) -> _Names:
    kind = parts[b"operationType"].data[4:-1].decode() if b"operationType" in parts else ""
    return _Names(kind, _collection(parts.get(b"ns")), _collection(parts.get(b"to")))


def _collection(named: Value | None) -> str:
    found = raw_bson.elements(named.data) if named else ()
    return next((value.data[4:-1].decode() for name, value in found if name == b"coll"), "")


def _length(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 4], "little")


def _set_id(database: Database[Any]) -> str | None:
    if "setName" not in database.client.admin.command("hello"):
        return None
    settings = database.client.admin.command("replSetGetConfig")["config"].get("settings", {})
    return str(settings["replicaSetId"]) if "replicaSetId" in settings else None


def _wanted(run_id: str, mark: str) -> dict[str, Any]:
    marked = {"ns.coll": _RECORDS, "documentKey._id": run_id, _MARKED: mark}
    return {"$match": {"$or": [{"ns.coll": {"$nin": sorted(INTERNAL)}}, marked]}}
