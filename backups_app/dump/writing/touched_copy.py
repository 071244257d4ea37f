"""One collection of an incremental by the change stream: only the touched documents are read, in the snapshot."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from bson import MinKey
from pymongo.client_session import ClientSession
from pymongo.database import Database

from backups_app.backup_files.digests import document_digests
from backups_app.backup_files.digests.base_digests import BaseDigests
from backups_app.backup_files.durable import DurableFile
from backups_app.dump.writing import collection_copy
from backups_app.dump.writing.collection_copy import Changes, Copied
from backups_app.dump.writing.reading_ahead import ahead
from backups_app.dump.writing.touched_reading import Frames, Ids, by_ids


class CountDiffers(Exception):
    """The whole state would not have as many documents as the collection: the stream did not report everything."""


def copy(
    *,
    database: Database[Any],
    source: str,
    base: BaseDigests,
    read_concern: Mapping[str, Any],
    session: ClientSession,
    file: DurableFile,
    compress: bool,
    checkpoint: Callable[[], None],
    report: Callable[[int, int], None],
    is_counted: Callable[[int, int], bool],
    answers: Callable[..., Iterator[tuple[Ids, Frames]]],
) -> Copied:
    """Write to `file` what the base does not hold of the touched documents: `answers(read=…)` yields their ids and,
    by key, those that are there (`EarlyReading.answers`).

    `is_counted` is asked, given how many documents the base holds, whether the server is known to hold so many now;
    otherwise they are counted in the snapshot. Raise `CountDiffers`, pymongo's errors, `DiskFull`, `StorageFailed` and
    what `checkpoint` raises; the file is no good then.
    """
    writer = collection_copy.writer_to(file, compress=compress)
    gone: set[int] = set()
    written = 0
    read = partial(by_ids, database, source, read_concern=read_concern, session=session)
    with file, closing(ahead(answers(read=read))) as batches:
        for part, found in batches:
            checkpoint()
            fresh = []
            for key in part:
                numbers, same = _in_base(base, key, found.get(key))
                gone.update(number for number in numbers if number != same)
                if key in found and same is None:
                    fresh.append(found[key])
            if fresh:
                writer.write([memoryview(frame) for frame in fresh])
            written += len(fresh)
            report(len(part), sum(map(len, found.values())))
        writer.finish()
    documents = base.documents - len(gone) + written
    if not is_counted(base.documents, documents) and documents != _count(database, source, read_concern, session):
        raise CountDiffers
    changes = _changes(base, gone, written)
    return Copied(documents=documents, size_bytes=file.size, sha256=writer.sha256.hexdigest(), changes=changes)


def _changes(base: BaseDigests, gone: Iterable[int], written: int) -> Changes:
    in_base = array("Q", sorted(gone))
    return Changes(
        written=written, gone=in_base, gone_bytes=sum(base.length(number) for number in in_base), in_order=True
    )


def _in_base(base: BaseDigests, key: bytes, frame: bytes | None) -> tuple[list[int], int | None]:
    """Return the numbers of the base's documents of this `_id`, and of the one that has these bytes, if one has."""
    numbers = base.numbers_of(document_digests.identity_hash(key))
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
