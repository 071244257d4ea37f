"""The file that a purge deletes by: opened once, proved to be the one of the manifest, cut into batches."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from itertools import pairwise
from pathlib import Path

from backups_app.backup_files import descent
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.backup_files.reading import bson_frames, collection_reader
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.batches import cut
from backups_app.errors import VerificationFailed
from backups_app.messages import backup_files as file_messages
from backups_app.messages import purge as messages
from backups_app.messages import verification as verification_messages
from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes.filters import STATEMENT_BYTES, STATEMENT_DOCUMENTS

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class FileBatch:
    """Documents as they follow one another in the file. `first` is the number of the first, counted from 0."""

    first: int
    frames: tuple[bytes, ...]

    @cached_property
    def ids(self) -> list[bytes]:
        """The raw id of each document, in order."""
        return raw_ids.ids_of(self.frames)

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.frames))


class VerifiedFile:
    """An open data file whose bytes are those of the manifest. Whatever happens to its name, this stays the file."""

    def __init__(self, file: BufferedReader, name: str, entry: CollectionEntry) -> None:
        self._file = file
        self._name = name
        self._entry = entry
        self._twice = self._ids_that_stand_twice() if entry.duplicate_ids else frozenset()

    def batches(self) -> Iterator[FileBatch]:
        """Yield the documents in the file's order, at most 500 and 4 MiB a batch, a larger document alone.

        The cuts are the same each time. A document whose `_id` stands in the file more than once is in no batch: it
        was deleted and inserted again while it was copied, and nobody knows which version is meant. Raise
        `VerificationFailed` when the file ends early or is no BSON after all.
        """
        first = 0
        for frames in cut(self._all_frames(), size_of=len, most=STATEMENT_DOCUMENTS, most_bytes=STATEMENT_BYTES):
            yield FileBatch(first=first, frames=self._once(frames))
            first += len(frames)

    def windows(self, statements: int) -> Iterator[list[FileBatch]]:
        """Yield the batches that travel together: so many, and at most 4 MiB, so that a slow line carries them in
        time. Raises as `batches`."""
        return cut(self.batches(), size_of=lambda batch: batch.size_bytes, most=statements, most_bytes=STATEMENT_BYTES)

    @property
    def documents(self) -> int:
        return self._entry.documents

    def _all_frames(self) -> Iterator[bytes]:
        self._file.seek(0)
        number = 0
        try:
            for frames in bson_frames.batches(collection_reader.opened(self._file, name=self._name)):
                yield from frames
                number += len(frames)
        except InvalidFrame as error:
            raise VerificationFailed(problem=messages.FILE_DAMAGED(path=self._name, problem=error.problem)) from error
        if number != self._entry.documents:
            raise VerificationFailed(problem=messages.FILE_COUNT_DIFFERS(path=self._name))

    def _once(self, frames: list[bytes]) -> tuple[bytes, ...]:
        if not self._twice:
            return tuple(frames)
        return tuple(frame for frame in frames if hash(raw_ids.key(raw_ids.id_of(frame))) not in self._twice)

    def _ids_that_stand_twice(self) -> frozenset[int]:
        """Return hashes of keys that come more than once; a chance equality only leaves a document alone."""
        hashes = array("q", (hash(raw_ids.key(raw_ids.id_of(frame))) for frame in self._all_frames()))
        return frozenset(one for one, other in pairwise(sorted(hashes)) if one == other)


@contextmanager
def opened(*, folder: Path, manifest: Manifest, collection: str) -> Iterator[VerifiedFile]:
    """Given a published backup's folder and a collection of its manifest, open the data file and read it whole: its
    size and SHA-256 must be the manifest's. Raise `VerificationFailed` otherwise; then nothing may be deleted by it.
    """
    entry = manifest.collections[collection]
    expected = manifest.files.get(entry.file or "")
    if entry.file is None or expected is None:
        raise VerificationFailed(problem=messages.MANIFEST_WITHOUT_DATA_FILE(collection=collection))
    try:
        file = descent.open_file(folder, entry.file)
    except FileNotFoundError as error:
        raise VerificationFailed(problem=verification_messages.FILE_MISSING(path=entry.file)) from error
    with file:
        if _size_and_hash(file, entry.file) != (expected.bytes, expected.sha256):
            raise VerificationFailed(problem=messages.NOT_THE_VERIFIED_FILE(path=entry.file))
        yield VerifiedFile(file, entry.file, entry)


def _size_and_hash(file: BufferedReader, name: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    try:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    except OSError as error:
        raise VerificationFailed(problem=file_messages.FILE_UNREADABLE(path=name)) from error
    return size, digest.hexdigest()
