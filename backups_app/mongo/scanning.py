"""Reading a whole collection raw and quickly: a connection for long scans, and cursors as batches of bytes.

pymongo's own time limit would bound the whole life of a cursor on the server, so a scan has a connection of its own,
whose limit is on each answer. It is never retried: a cursor that failed cannot be resumed without missing or
repeating documents.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

import pymongo
from bson import Int64, Timestamp
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.mongo import connections, raw_bson
from backups_app.records import Side

RAW = CodecOptions[RawBSONDocument](document_class=RawBSONDocument)
ANSWER_SECONDS = 60
_RUN = 100
"""So many documents are cut and joined at a time: with four collections at once fewer than wake the collector."""

_INT32, _INT64, _TIMESTAMP = struct.Struct("<i"), struct.Struct("<q"), struct.Struct("<II")
Bytes = TypeVar("Bytes", bytes, memoryview)


class CursorBatch(NamedTuple):
    """One answer of a cursor: the BSON array of its documents, the time of the snapshot that it was read at, and
    whether another answer follows."""

    array: memoryview
    at_cluster_time: Timestamp | None = None
    is_followed: bool = False


@contextmanager
def open_scan(uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """Given a URI, open a client that reads from the primary and waits at most a minute for each answer, however long
    the whole scan takes. Closed at the end."""
    address, mark, query = uri.partition("?")
    refused = connections.NEEDS_A_SECONDARY | {"timeoutms", "sockettimeoutms", "readpreference", "readconcernlevel"}
    kept = [option for option in query.split("&") if option.partition("=")[0].lower() not in refused]
    options: dict[str, Any] = {
        "appname": "TempleOps",
        "readPreference": "primary",
        "socketTimeoutMS": ANSWER_SECONDS * 1000,
        "retryReads": False,
    }
    if not any(option.lower().startswith("serverselectiontimeoutms=") for option in kept):
        options["serverSelectionTimeoutMS"] = connections.SERVER_SELECTION_SECONDS[Side.LOCAL] * 1000
    client: MongoClient[dict[str, Any]] = MongoClient(address + mark + "&".join(kept), **options)
    with client:
        yield client


def batches(
    database: Database[Any],
    command: Mapping[str, Any],
    *,
    session: ClientSession | None = None,
    size: int | None = None,
) -> Generator[CursorBatch, None, None]:
    """Given a command that answers with a cursor, yield each batch as it comes, raw. `size` is the batch size of every
    further answer (the server stops at 16 MiB). Raise pymongo's errors; the cursor is closed on the server then.

    No batch is kept here: the memory is that of one answer. Without a `session` the cursor has one of its own: the
    server refuses a getMore in another session than that of the cursor (code 50738), and without one pymongo takes
    for each command any that no other thread holds.
    """
    if session is not None:
        yield from _batches(database, command, session, size)
        return
    with database.client.start_session(causal_consistency=False) as own:
        yield from _batches(database, command, own, size)


def _batches(
    database: Database[Any], command: Mapping[str, Any], session: ClientSession, size: int | None
) -> Generator[CursorBatch, None, None]:
    with pymongo.timeout(None):  # a limit on the answer is the socket's; on the cursor there is none
        reply = database.command(dict(command), codec_options=RAW, session=session)
    cursor = _cursor(reply.raw)
    del reply
    open_id, source = cursor.id, cursor.source
    try:
        yield CursorBatch(cursor.array, cursor.at_cluster_time, is_followed=bool(open_id))
        while open_id:
            del cursor
            more: dict[str, Any] = {"getMore": open_id, "collection": source}
            if size is not None:
                more["batchSize"] = size
            with pymongo.timeout(None):
                reply = database.command(more, codec_options=RAW, session=session)
            cursor = _cursor(reply.raw)
            del reply
            open_id = cursor.id
            yield CursorBatch(cursor.array, is_followed=bool(open_id))
    finally:
        if open_id:
            with suppress(PyMongoError):  # the server drops it by itself in the end
                database.command({"killCursors": source, "cursors": [open_id]}, session=session)


def documents(array: Bytes) -> list[Bytes]:
    """Cut a BSON array of documents into its documents: parts of a view, without copying them; of bytes, copies.

    An element's header is its type, the digits of its number and a NUL: stepped over by arithmetic, for it is the
    inner loop of every dump.
    """
    cut: list[Bytes] = []
    add, length_at = cut.append, _INT32.unpack_from
    at, end, width, limit = 4, len(array) - 1, 3, 10
    while at < end:
        for _ in range(limit - len(cut)):
            start = at + width
            at = start + length_at(array, start)[0]
            add(array[start:at])
            if at >= end:
                break
        width, limit = width + 1, limit * 10
    return cut


def back_to_back(array: memoryview) -> tuple[int, bytes]:
    """Given a BSON array of documents, return their number, and the documents one after the other.

    As `documents`, but few parts of the view are there at a time: each is an object that the garbage collector walks,
    and thousands of them had it walk the whole process again and again, a tenth of a dump's processor time.
    """
    pieces: list[bytes] = []
    run: list[memoryview] = []
    add, length_at = run.append, _INT32.unpack_from
    at, end, width, limit, count = 4, len(array) - 1, 3, 10, 0
    while at < end:
        for _ in range(min(limit - count, _RUN)):
            start = at + width
            at = start + length_at(array, start)[0]
            add(array[start:at])
            if at >= end:
                break
        count += len(run)
        pieces.append(b"".join(run))
        run.clear()
        if count == limit:
            width, limit = width + 1, limit * 10
    return count, b"".join(pieces)


def copies(array: memoryview) -> list[bytes]:
    """As `documents`, each in memory of its own."""
    return documents(bytes(array))


class _Cursor(NamedTuple):
    id: Int64
    source: str
    array: memoryview
    at_cluster_time: Timestamp | None


def _cursor(reply: bytes | memoryview) -> _Cursor:
    """Take the cursor out of an answer without decoding its batch."""
    view = memoryview(reply)
    parts = _fields(_fields(view)["cursor"])
    source = bytes(parts["ns"][4:-1]).decode().partition(".")[2]
    time = parts.get("atClusterTime")
    seconds_last = _TIMESTAMP.unpack(time) if time is not None else None
    return _Cursor(
        id=Int64(_INT64.unpack(parts["id"])[0]),
        source=source,
        array=parts["firstBatch"] if "firstBatch" in parts else parts["nextBatch"],
        at_cluster_time=None if seconds_last is None else Timestamp(seconds_last[1], seconds_last[0]),
    )


def _fields(document: memoryview) -> dict[str, memoryview]:
    """Return the values of a document's top level as slices of it."""
    found, at, end = {}, 4, len(document) - 1
    while at < end:
        header = bytes(document[at + 1 : at + 128])
        start = at + 2 + header.index(b"\0")
        stop = raw_bson.value_end(document, document[at], start)  # type: ignore[arg-type]  # a view does as well
        found[header[: start - at - 2].decode()] = document[start:stop]
        at = stop
    return found
