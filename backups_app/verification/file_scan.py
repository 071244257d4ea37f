"""Reads one file from the disk to its last byte: hashes, frames, `_id`s, index points."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from backups_app.backup_files import descent, durable
from backups_app.backup_files.manifest import FileEntry
from backups_app.backup_files.reading import collection_reader
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.backup_files.reading.document_index import DocumentIndex
from backups_app.backup_files.reading.gzip_members import Decompressed
from backups_app.errors import VerificationFailed
from backups_app.messages import verification as messages
from backups_app.verification import unique_ids
from backups_app.verification.frame_walk import FrameWalk
from backups_app.verification.unique_ids import UniqueIds

CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ScannedFile:
    """What a data file holds. `duplicate_ids` counts the `_id`s that stand in it more than once, `without_id` the
    documents that have none, `not_utf8` those with a text that is not UTF-8 (among those that were validated)."""

    entry: FileEntry
    documents: int
    index: DocumentIndex
    duplicate_ids: int
    without_id: int = 0
    not_utf8: int = 0


def scan(
    *, folder: Path, relative: str, validate_all: bool, report: Callable[[int, int], None], at_once: int = 1 << 20
) -> ScannedFile:
    """Read a data file, plain or gzip, from the disk. `report` hears (documents, bytes) per chunk and may raise.

    Raise `VerificationFailed` naming the file and the document at the first fault.
    """
    unique = UniqueIds(folder=folder, at_once=at_once)
    walk = FrameWalk(keys=unique.add, validate_all=validate_all)
    reading = _FileReading(folder, relative)
    try:
        for chunk in reading.chunks():
            report(walk.feed(chunk), len(chunk))
        walk.finish()
    except InvalidFrame as error:
        raise _damage(relative, error) from error
    suspects = unique.suspects()
    duplicate_ids = _confirmed(folder, relative, suspects) if suspects else 0
    return ScannedFile(
        entry=reading.entry(),
        documents=walk.documents,
        index=DocumentIndex(
            documents=walk.documents,
            stream_bytes=walk.stream_bytes,
            duplicate_ids=duplicate_ids,
            offsets=walk.offsets,
            members=reading.members_at(walk.offsets),
        ),
        duplicate_ids=duplicate_ids,
        without_id=walk.without_id,
        not_utf8=walk.not_utf8,
    )


def hash_file(*, folder: Path, relative: str, report: Callable[[int, int], None]) -> FileEntry:
    """Read a file that holds no documents from the disk and return its entry. Gzip is expanded for `stream_*`.

    Raise `VerificationFailed` when it cannot be read.
    """
    reading = _FileReading(folder, relative)
    try:
        for chunk in reading.chunks():
            report(0, len(chunk))
    except InvalidFrame as error:
        raise _damage(relative, error) from error
    return reading.entry()


def _damage(relative: str, error: InvalidFrame) -> VerificationFailed:
    damage = messages.FILE_DAMAGED_AT(
        path=relative, problem=error.problem, number=error.number + 1, offset=error.offset
    )
    return VerificationFailed(problem=damage)


def _confirmed(folder: Path, relative: str, suspects: frozenset[float]) -> int:
    """Read the file again and count the `_id`s that really came more than once among those of equal fingerprint."""
    seen: Counter[bytes] = Counter()

    def keep(keys: Iterable[bytes]) -> None:
        seen.update(key for key in keys if float(unique_ids.fingerprint(key)) in suspects)

    walk = FrameWalk(keys=keep)
    for chunk in _FileReading(folder, relative).chunks():
        walk.feed(chunk)
    return sum(1 for times in seen.values() if times > 1)


class _FileReading:
    """One pass over a file, read from the disk and not from memory; hashed on the way by a thread that reads ahead."""

    def __init__(self, folder: Path, relative: str) -> None:
        self._folder = folder
        self._relative = relative
        self._gzip: Decompressed | None = None
        self._file_hash = hashlib.sha256()
        self._stream_hash = hashlib.sha256()
        self._file_bytes = 0
        self._stream_bytes = 0

    def chunks(self) -> Iterator[bytes]:
        """Yield the uncompressed stream. Raise `InvalidFrame` for broken gzip, `VerificationFailed` for what cannot be
        opened, `StorageFailed` for what cannot be read."""
        self._forget_cached()
        with self._open() as file:
            self._file = file
            if collection_reader.is_gzip(self._relative):
                self._gzip = Decompressed(self)
            if os.fstat(file.fileno()).st_size < CHUNK:  # not worth a thread
                yield from iter(self._next, b"")
            else:
                yield from self._read_ahead()

    def _read_ahead(self) -> Iterator[bytes]:
        with ThreadPoolExecutor(1, thread_name_prefix="verify-read") as reader:
            ahead = reader.submit(self._next)
            while chunk := ahead.result():
                ahead = reader.submit(self._next)
                yield chunk

    def read(self, size: int, /) -> bytes:
        """The compressed side of a gzip file, hashed as it passes."""
        try:
            data = self._file.read(size)
        except OSError as error:
            durable.fail(error, path=self._folder)
        self._file_bytes += len(data)
        self._file_hash.update(data)
        return data

    def entry(self) -> FileEntry:
        if self._gzip is None:
            digest = self._file_hash.hexdigest()
            return FileEntry(bytes=self._file_bytes, sha256=digest, stream_bytes=self._file_bytes, stream_sha256=digest)
        return FileEntry(
            bytes=self._file_bytes,
            sha256=self._file_hash.hexdigest(),
            stream_bytes=self._stream_bytes,
            stream_sha256=self._stream_hash.hexdigest(),
        )

    def members_at(self, offsets: array[int]) -> array[int]:
        """Return where the gzip member that begins at each of these offsets lies in the file; nothing unless each
        offset has one."""
        starts = dict(self._gzip.members) if self._gzip is not None else {}
        if not starts or any(offset not in starts for offset in offsets):
            return array("Q")
        return array("Q", (starts[offset] for offset in offsets))

    def _next(self) -> bytes:
        if self._gzip is None:
            return self.read(CHUNK)
        data = self._gzip.read(CHUNK)
        self._stream_bytes += len(data)
        self._stream_hash.update(data)
        return data

    def _forget_cached(self) -> None:
        descriptor = self._descriptor()
        try:
            durable.forget_cached(descriptor, self._folder / self._relative)
        finally:
            os.close(descriptor)

    def _open(self) -> BufferedReader:
        return os.fdopen(self._descriptor(), "rb")

    def _descriptor(self) -> int:
        try:
            return descent.open_descriptor(self._folder, self._relative)
        except OSError as error:
            raise VerificationFailed(problem=messages.PATH_NOT_OPENED(path=self._relative)) from error
