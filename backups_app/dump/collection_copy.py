"""One collection from the server to its file, raw: one thread reads answers, another cuts, hashes and writes them."""

from __future__ import annotations

import hashlib
from array import array
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.database import Database

from backups_app.backup_files import gzip_members
from backups_app.backup_files.base_digests import BaseDigests
from backups_app.backup_files.document_index import EVERY
from backups_app.backup_files.durable import DurableFile
from backups_app.dump.changed_documents import ChangedDocuments, Sink
from backups_app.mongo import scanning

BATCH_BYTES = 8 * 1024 * 1024
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
    tell: Callable[[int, int], None],
    base: BaseDigests | None = None,
) -> Copied:
    """Read every document of `source` in natural order and write them to `file`, which is durable afterwards; given a
    `base`, only those that it does not hold.

    `checkpoint` is called before each batch and may raise; `tell` hears (documents, bytes) of each batch written.
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
    count = 0
    pending: deque[Future[int]] = deque()
    answers = closing(scanning.batches(database, command, session=session, size=size))
    with file, ThreadPoolExecutor(1, thread_name_prefix="dump-write") as second, answers as batches:
        for batch in batches:
            checkpoint()
            pending.append(second.submit(_write, sink, batch.array, tell))
            del batch
            if len(pending) >= _IN_FLIGHT:
                count += pending.popleft().result()
        count += sum(written.result() for written in pending)
        sink.finish()
    return Copied(documents=count, size_bytes=file.size, sha256=writer.sha256.hexdigest(), changes=_changes_of(changed))


def writer_to(file: DurableFile, *, compress: bool) -> _PlainWriter | _GzipWriter:
    """Return what writes documents to a file, as they are or as gzip."""
    return _GzipWriter(file) if compress else _PlainWriter(file)


def _changes_of(changed: ChangedDocuments | None) -> Changes | None:
    if changed is None:
        return None
    gone = changed.gone()
    return Changes(written=changed.written, gone=gone, gone_bytes=changed.bytes_of(gone), in_order=changed.in_order)


def _write(sink: Sink, batch: memoryview, tell: Callable[[int, int], None]) -> int:
    documents = scanning.documents(batch)
    tell(len(documents), sink.write(documents))
    return len(documents)


class _PlainWriter:
    """Documents back to back."""

    def __init__(self, file: DurableFile) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, documents: list[memoryview]) -> int:
        data = b"".join(documents)
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
