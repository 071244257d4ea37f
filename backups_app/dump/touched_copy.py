"""One collection of an incremental by the change stream: only the touched documents are read, in the snapshot."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bson import MinKey
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
            fresh = []
            for key in part:
                numbers, same = _in_base(base, key, found.get(key))
                gone.update(number for number in numbers if number != same)
                if key in found and same is None:
                    fresh.append(found[key])
            if fresh:
                writer.write([memoryview(frame) for frame in fresh])
            written += len(fresh)
            tell(len(part), sum(map(len, found.values())))
        writer.finish()
    documents = base.documents - len(gone) + written
    if documents != _count(database, source, read_concern, session):
        raise CountDiffers
    in_base = array("Q", sorted(gone))
    return Copied(
        documents=documents,
        size_bytes=file.size,
        sha256=writer.sha256.hexdigest(),
        changes=Changes(
            written=written, gone=in_base, gone_bytes=sum(base.length(number) for number in in_base), in_order=True
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


def _in_base(base: BaseDigests, key: bytes, frame: bytes | None) -> tuple[list[int], int | None]:
    """Return the numbers of the base's documents of this `_id`, and of the one that has these bytes, if one has."""
    numbers = list(base.numbers_of(document_digests.identity_hash(key)))
    if frame is None or not numbers:
        return numbers, None
    content = document_digests.content_hash(frame)
    return numbers, next((number for number in numbers if base.content(number) == content), None)


def _count(database: Database[Any], source: str, read_concern: Mapping[str, Any], session: ClientSession) -> int:
    command = {
        "aggregate": source,
        "pipeline": [{"$match": {"_id": {"$gte": MinKey()}}}, {"$count": "n"}],
        "hint": {"_id": 1},  # the index alone is read
        "cursor": {},
        "readConcern": dict(read_concern),
    }
    rows = database.command(command, session=session)["cursor"]["firstBatch"]
    return int(rows[0]["n"]) if rows else 0
