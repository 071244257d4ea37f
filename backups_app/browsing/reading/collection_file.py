"""The documents of one collection of a backup: from any number on, and block by block for searching."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from backups_app.backup_files import descent
from backups_app.backup_files.manifest import CollectionEntry
from backups_app.backup_files.reading import bson_frames, collection_reader
from backups_app.backup_files.reading.bson_frames import InvalidFrame, Readable
from backups_app.backup_files.reading.document_index import EVERY, DocumentIndex
from backups_app.browsing.reading.frames import Block, read_exactly
from backups_app.errors import BackupRemoved, DamagedDocument, FileNotReadable, VerificationFailed
from backups_app.messages import browsing as messages

BLOCK_BYTES = 512 * 1024
"""No other thread of Python goes on while a block is lower-cased or searched."""
BLOCK_LIMIT = 16 * 1024 * 1024
"""A thousand documents larger than this are not read as one block."""
ENDS_EARLY = messages.FILE_ENDS_EARLY()


@dataclass(frozen=True, kw_only=True)
class CollectionFile:
    """A collection's documents. `total` counts those that can be reached: in a foreign file, those before damage, and
    `broken` then says what is wrong behind the last of them."""

    folder: Path
    entry: CollectionEntry
    index: DocumentIndex | None
    total: int
    broken: str = ""

    def frames(self, *, start: int) -> Iterator[bytes]:
        """Yield the documents from number `start` on as they lie in the file, not validated.

        Raise `InvalidFrame` with the document's number where the file cannot be walked further or ends too early,
        `BackupRemoved` when the file is gone, `FileNotReadable` when it is a link.
        """
        number = start
        for first, skip, stream in self._opened(start):
            for frame in islice(_numbered(stream, first), skip, None):
                yield frame
                number += 1
            if number < self.total:
                raise InvalidFrame(ENDS_EARLY, number=number)

    def blocks(self, *, start: int) -> Iterator[Block]:
        """Yield the documents from number `start` on in blocks of about 512 KiB. Raise `DamagedDocument` at damage,
        after everything before it."""
        try:
            for first, skip, stream in self._opened(start):
                for block in self._blocks(stream, first):
                    yield block.after(skip) if skip else block
                    skip = 0
        except InvalidFrame as error:
            raise DamagedDocument(number=error.number + 1, readable=error.number) from error
        if self.broken:
            raise DamagedDocument(number=self.total + 1, readable=self.total)

    def raw(self, *, number: int, size: int) -> bytes:
        """Return up to `size` bytes from where document `number` starts, whatever they are, or none."""
        for first, skip, stream in self._opened(number):
            for _ in islice(_numbered(stream, first), skip):
                pass
            try:
                return stream.read(size)
            except InvalidFrame:
                return b""
        return b""

    def _opened(self, start: int) -> Iterator[tuple[int, int, Readable]]:
        """Yield once: the number of the document where the stream stands, how many to skip from there, the stream."""
        if self.entry.file is None or start >= self.total + bool(self.broken):
            return
        try:
            with descent.open_file(self.folder, self.entry.file) as file:
                skip, _ = collection_reader.seek_before(file, name=self.entry.file, index=self.index, start=start)
                yield start - skip, skip, collection_reader.opened(file, name=self.entry.file)
        except FileNotFoundError as error:
            raise BackupRemoved from error
        except VerificationFailed as error:
            raise FileNotReadable(problem=error.facts["problem"]) from error

    def _blocks(self, stream: Readable, first: int) -> Iterator[Block]:
        while first < self.total:
            stop, size = self._stretch(first)
            if size is None or size > BLOCK_LIMIT:
                yield from _gathered(islice(_numbered(stream, first), stop - first), first, stop)
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


def _numbered(stream: Readable, first: int) -> Iterator[bytes]:
    try:
        yield from bson_frames.frames(stream)
    except InvalidFrame as error:
        raise InvalidFrame(error.problem, number=first + error.number, offset=error.offset) from error


def _gathered(frames: Iterator[bytes], first: int, stop: int) -> Iterator[Block]:
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
        first += len(kept)
    if first < stop:
        raise InvalidFrame(ENDS_EARLY, number=first)
