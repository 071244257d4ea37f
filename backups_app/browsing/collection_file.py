"""The documents of one collection of a backup: from any number on, and block by block for searching."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from backups_app.backup_files import bson_frames, collection_reader, descent
from backups_app.backup_files.bson_frames import InvalidFrame, Readable
from backups_app.backup_files.document_index import EVERY, DocumentIndex
from backups_app.backup_files.manifest import CollectionEntry
from backups_app.browsing import index
from backups_app.browsing.frames import Block, read_exactly
from backups_app.browsing.opening import OpenBackup
from backups_app.errors import BackupRemoved, DamagedDocument

BLOCK_BYTES = 4 * 1024 * 1024
BLOCK_LIMIT = 64 * 1024 * 1024
"""A thousand documents larger than this are not read as one block."""


@dataclass(frozen=True, kw_only=True)
class CollectionFile:
    """A collection's documents. `total` counts those that can be reached: in a foreign file, those before damage."""

    backup: OpenBackup
    entry: CollectionEntry
    index: DocumentIndex | None
    total: int

    def frames(self, *, start: int) -> Iterator[bytes]:
        """Yield the documents from number `start` on as they lie in the file, not validated.

        Raise `InvalidFrame` with the document's number where the file cannot be walked further, `BackupRemoved` when
        the file is gone.
        """
        for first, skip, stream in self._opened(start):
            yield from islice(_numbered(stream, first), skip, None)

    def blocks(self, *, start: int) -> Iterator[Block]:
        """Yield the documents from number `start` on in blocks of about 4 MiB. Raise `DamagedDocument` at damage."""
        try:
            for first, skip, stream in self._opened(start):
                for block in self._blocks(stream, first):
                    yield block.after(skip) if skip else block
                    skip = 0
        except InvalidFrame as error:
            raise DamagedDocument(number=error.number + 1, readable=error.number) from error

    def raw(self, *, number: int, size: int) -> bytes:
        """Return up to `size` bytes from where document `number` starts, whatever they are."""
        for first, skip, stream in self._opened(number):
            for _ in islice(_numbered(stream, first), skip):
                pass
            return stream.read(size)
        return b""

    def _opened(self, start: int) -> Iterator[tuple[int, int, Readable]]:
        """Yield once: the number of the document where the stream stands, how many to skip from there, the stream."""
        if self.entry.file is None or start >= self.total:
            return
        try:
            with descent.open_file(self.backup.folder, self.entry.file) as file:
                point, skip = self.index.point_before(start) if self.index else (0, start)
                if self.index and point and not collection_reader.is_gzip(self.entry.file):
                    file.seek(self.index.offsets[point])
                elif self.index and point and self.index.members:
                    file.seek(self.index.members[point])
                else:
                    skip = start
                yield start - skip, skip, collection_reader.opened(file, name=self.entry.file)
        except FileNotFoundError as error:
            raise BackupRemoved from error

    def _blocks(self, stream: Readable, first: int) -> Iterator[Block]:
        while first < self.total:
            stop, size = self._stretch(first)
            if size is None or size > BLOCK_LIMIT:
                yield from _gathered(islice(_numbered(stream, first), stop - first), first)
            else:
                yield Block(first=first, count=stop - first, data=read_exactly(stream, size, number=first))
            first = stop

    def _stretch(self, first: int) -> tuple[int, int | None]:
        """Return where a block that starts at document `first` stops, and its bytes if the index knows them."""
        if self.index is None or first % EVERY or first // EVERY >= len(self.index.offsets):
            return self.total, None
        ends = [*self.index.offsets[first // EVERY + 1 : first // EVERY + 65], self.index.stream_bytes]
        here = self.index.offsets[first // EVERY]
        points = next((n for n, end in enumerate(ends, 1) if end - here >= BLOCK_BYTES), len(ends))
        return min(self.total, first + points * EVERY), ends[points - 1] - here


def open_collection(*, backup: OpenBackup, collection: str, seconds: float = index.SECONDS) -> CollectionFile:
    """Return a collection ready to be read.

    Raise `CollectionNotFound`, `BackupRemoved`, or `CollectionPreparing` for a large foreign file (ask again).
    """
    entry = backup.entry(collection)
    try:
        known = index.of(folder=backup.folder, entry=entry, seconds=seconds)
    except FileNotFoundError as error:
        raise BackupRemoved from error
    total = known.documents if known is not None and not backup.verified else entry.documents
    return CollectionFile(backup=backup, entry=entry, index=known, total=total)


def _numbered(stream: Readable, first: int) -> Iterator[bytes]:
    try:
        yield from bson_frames.frames(stream)
    except InvalidFrame as error:
        raise InvalidFrame(error.problem, number=first + error.number, offset=error.offset) from error


def _gathered(frames: Iterator[bytes], first: int) -> Iterator[Block]:
    kept: list[bytes] = []
    size = 0
    for frame in frames:
        kept.append(frame)
        size += len(frame)
        if size >= BLOCK_BYTES:
            yield Block(first=first, count=len(kept), data=b"".join(kept))
            first, kept, size = first + len(kept), [], 0
    if kept:
        yield Block(first=first, count=len(kept), data=b"".join(kept))
