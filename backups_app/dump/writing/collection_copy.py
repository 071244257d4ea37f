"""One collection from the server to its file, raw: one thread reads answers, another cuts, hashes and writes them."""

from __future__ import annotations

import hashlib
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.database import Database

from backups_app.backup_files.digests.base_digests import BaseDigests
from backups_app.backup_files.durable import DurableFile
from backups_app.backup_files.reading import gzip_members
from backups_app.backup_files.reading.document_index import EVERY
from backups_app.dump.writing.changed_documents import ChangedDocuments, Sink
from backups_app.mongo import scanning
from backups_app.mongo.scanning import CursorBatch

BATCH_BYTES = 4 * 1024 * 1024
"""What one answer of the server is to hold: about four of them are in memory for each collection being read."""

_IN_FLIGHT = 2
_LARGEST_WAITING = 1024 * 1024


class Stopped(Exception):
    """The dump ends early; the one who set the flag knows why."""


@dataclass(frozen=True, kw_only=True)
class Copied:
    """`documents` were read; `size_bytes` and `sha256` are of the file as it was written."""

    documents: int
    size_bytes: int
    sha256: str
    changes: Changes | None = None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What became of the base's documents: `written` ones are new or changed, `gone` are the numbers of those in the
    base that are deleted or replaced. `in_order`: those that are left, then the written ones, is the order in which the
    collection was read."""

    written: int
    gone: array[int]
    gone_bytes: int
    in_order: bool


def copy(
    *,
    database: Database[Any],
    source: str,
    average_bytes: int,
    read_concern: Mapping[str, Any],
    session: ClientSession,
    file: DurableFile,
    compress: bool,
    checkpoint: Callable[[], None],
    report: Callable[[int, int], None],
    base: BaseDigests | None = None,
) -> Copied:
    """Read every document of `source` in natural order and write them to `file`, which is durable afterwards; given a
    `base`, only those that it does not hold.

    `checkpoint` is called before each batch and may raise; `report` hears (documents, bytes) of each batch written.
    Raise pymongo's errors, `DiskFull`, `StorageFailed` and what `checkpoint` raises; the file is no good then.
    """
    size = max(1, BATCH_BYTES // max(average_bytes, 1))
    command = {
        "find": source,
        "hint": {"$natural": 1},
        "batchSize": size,
        "noCursorTimeout": True,
        "readConcern": dict(read_concern),
    }
    writer = writer_to(file, compress=compress)
    changed = None if base is None else ChangedDocuments(writer, base)
    sink: Sink = changed or writer
    answers = closing(scanning.batches(database, command, session=session, size=size))
    with file, answers as batches:
        count = _write_all(batches, checkpoint, lambda array: _write(sink, array, report))
        sink.finish()
    return Copied(documents=count, size_bytes=file.size, sha256=writer.sha256.hexdigest(), changes=_changes_of(changed))


def _write_all(
    batches: Iterator[CursorBatch], checkpoint: Callable[[], None], write: Callable[[memoryview], int]
) -> int:
    """Write each answer while the next one is read. One that no other follows needs no second thread."""
    first = next(batches)
    checkpoint()
    if not first.is_followed:
        return write(first.array)
    count = 0
    with ThreadPoolExecutor(1, thread_name_prefix="dump-write") as second:
        pending = deque([second.submit(write, first.array)])
        del first
        for batch in batches:
            checkpoint()
            pending.append(second.submit(write, batch.array))
            del batch
            if len(pending) >= _IN_FLIGHT:
                count += pending.popleft().result()
        return count + sum(written.result() for written in pending)


def writer_to(file: DurableFile, *, compress: bool) -> _PlainWriter | _GzipWriter:
    """Return what writes documents to a file, as they are or as gzip."""
    return _GzipWriter(file) if compress else _PlainWriter(file)


def _changes_of(changed: ChangedDocuments | None) -> Changes | None:
    if changed is None:
        return None
    gone = changed.gone()
    return Changes(written=changed.written, gone=gone, gone_bytes=changed.bytes_of(gone), in_order=changed.in_order)


def _write(sink: Sink, batch: memoryview, report: Callable[[int, int], None]) -> int:
    if isinstance(sink, _PlainWriter):  # it looks at no document
        count, data = scanning.back_to_back(batch)
        report(count, sink.append(data))
        return count
    documents = scanning.documents(batch)
    report(len(documents), sink.write(documents))
    return len(documents)


class _PlainWriter:
    """Documents back to back."""

    def __init__(self, file: DurableFile) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, documents: list[memoryview]) -> int:
        return self.append(b"".join(documents))

    def append(self, data: bytes) -> int:
        """Write documents that stand one after the other. Return their bytes."""
        self.sha256.update(data)
        return self._file.write(data)

    def finish(self) -> None:
        """Nothing is held back."""


class _GzipWriter:
    """A gzip member begins at every thousandth document, so that the index can point at it; large documents make
    more members, so that none is ever held in memory for long."""

    def __init__(self, file: DurableFile) -> None:
        self._file = file
        self._waiting: list[bytes | memoryview] = []
        self._waiting_bytes = 0
        self._since_point = 0
        self._members = 0
        self.sha256 = hashlib.sha256()

    def write(self, documents: list[memoryview]) -> int:
        at = 0
        step = max(1, _LARGEST_WAITING * len(documents) // max(1, sum(map(len, documents))))
        while at < len(documents):
            taken = documents[at : at + min(step, EVERY - self._since_point)]
            at += len(taken)
            self._take(taken)
        # Copied, so that a few documents do not keep a whole answer in memory.
        self._waiting = [bytes(document) for document in self._waiting]
        return sum(map(len, documents))

    def _take(self, documents: list[memoryview]) -> None:
        self._waiting += documents
        self._waiting_bytes += sum(map(len, documents))
        self._since_point += len(documents)
        if self._since_point == EVERY or self._waiting_bytes > _LARGEST_WAITING:
            self._member()
        self._since_point %= EVERY

    def finish(self) -> None:
        """Write what is left. An empty collection is one empty member, as mongodump writes it."""
        if self._waiting or not self._members:
            self._member()

    def _member(self) -> None:
        data = gzip_members.member(b"".join(self._waiting))
        self._waiting, self._waiting_bytes = [], 0
        self.sha256.update(data)
        self._file.write(data)
        self._members += 1
