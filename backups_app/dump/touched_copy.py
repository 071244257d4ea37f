"""One collection of an incremental by the change stream: only the touched documents are read, in the snapshot."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.database import Database

from backups_app.backup_files import document_digests
from backups_app.backup_files.base_digests import BaseDigests
from backups_app.backup_files.durable import DurableFile
from backups_app.dump import collection_copy
from backups_app.dump.collection_copy import Changes, Copied
from backups_app.mongo import raw_ids, scanning
from backups_app.mongo.exact_writes import filters

_AT_ONCE = 1_000


class CountDiffers(Exception):
    """The whole state would not have as many documents as the collection: the stream did not tell of everything."""


def copy(
    *,
    database: Database[Any],
    source: str,
    ids: Mapping[bytes, bytes],
    base: BaseDigests,
    read_concern: Mapping[str, Any],
    session: ClientSession,
    file: DurableFile,
    compress: bool,
    checkpoint: Callable[[], None],
    tell: Callable[[int, int], None],
) -> Copied:
    """Read the documents of `ids` (raw ids by key) and write those that the base does not hold to `file`.

    Raise `CountDiffers`, pymongo's errors, `DiskFull`, `StorageFailed` and what `checkpoint` raises; the file is no
    good then.
    """
    writer = collection_copy.writer_to(file, compress=compress)
    gone: set[int] = set()
    written = 0
    with file:
        for part in _parts(ids):
            checkpoint()
            found = _read(database, source, part, read_concern, session)
            fresh = [frame for key, frame in found.items() if not _is_held(base, key, frame)]
            for key in part:
                gone.update(_replaced(base, key, found.get(key)))
            if fresh:
                writer.write([memoryview(frame) for frame in fresh])
            written += len(fresh)
            tell(len(part), sum(map(len, found.values())))
        writer.finish()
    documents = base.documents - len(gone) + written
    if documents != _count(database, source, read_concern, session):
        raise CountDiffers
    numbers = array("Q", sorted(gone))
    return Copied(
        documents=documents,
        size_bytes=file.size,
        sha256=writer.sha256.hexdigest(),
        changes=Changes(
            written=written, gone=numbers, gone_bytes=sum(base.length(number) for number in numbers), in_order=True
        ),
    )


def _parts(ids: Mapping[bytes, bytes]) -> Iterator[dict[bytes, bytes]]:
    items = iter(ids.items())
    while part := dict(itertools.islice(items, _AT_ONCE)):
        yield part


def _read(
    database: Database[Any],
    source: str,
    part: Mapping[bytes, bytes],
    read_concern: Mapping[str, Any],
    session: ClientSession,
) -> dict[bytes, bytes]:
    """Return the documents of these ids that are there, by key."""
    command = {
        "find": source,
        "filter": filters.by_ids(list(part.values())),
        "batchSize": len(part) + 1,
        "readConcern": dict(read_concern),
    }
    found = {}
    for batch in scanning.batches(database, command, session=session):
        for document in scanning.documents(batch.array):
            frame = bytes(document)
            key = raw_ids.key(raw_ids.id_of(frame))
            if key in part:
                found[key] = frame
    return found


def _held_as(base: BaseDigests, key: bytes, frame: bytes) -> int | None:
    """Return the number of a document of the base with this `_id` and these bytes, or None."""
    content = document_digests.content_hash(frame)
    numbers = base.numbers_of(document_digests.identity_hash(key))
    return next((number for number in numbers if base.content(number) == content), None)


def _is_held(base: BaseDigests, key: bytes, frame: bytes) -> bool:
    return _held_as(base, key, frame) is not None


def _replaced(base: BaseDigests, key: bytes, frame: bytes | None) -> list[int]:
    """Return the numbers of the base's documents of this `_id` that are not as they were."""
    same = None if frame is None else _held_as(base, key, frame)
    return [number for number in base.numbers_of(document_digests.identity_hash(key)) if number != same]


def _count(database: Database[Any], source: str, read_concern: Mapping[str, Any], session: ClientSession) -> int:
    command = {
        "aggregate": source,
        "pipeline": [{"$count": "n"}],
        "cursor": {},
        "readConcern": dict(read_concern),
    }
    rows = database.command(command, session=session)["cursor"]["firstBatch"]
    return int(rows[0]["n"]) if rows else 0
