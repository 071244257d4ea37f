"""The documents of one collection of a backup: from any number on, and block by block for searching."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from backups_app.backup_files import bson_frames, collection_reader, descent, gone_documents, overlaid
from backups_app.backup_files.bson_frames import InvalidFrame, Readable
from backups_app.backup_files.document_index import EVERY, DocumentIndex
from backups_app.backup_files.gone_documents import GoneDocuments
from backups_app.backup_files.manifest import CollectionEntry, Overlay
from backups_app.browsing.reading import index
from backups_app.browsing.reading.frames import Block, read_exactly
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.errors import BackupRemoved, BaseMissing, DamagedDocument, FileNotReadable, VerificationFailed
from backups_app.messages import browsing as messages

BLOCK_BYTES = 4 * 1024 * 1024
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
        """Yield the documents from number `start` on in blocks of about 4 MiB. Raise `DamagedDocument` at damage, after
        everything before it."""
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


def open_collection(*, backup: OpenBackup, collection: str, seconds: float = index.SECONDS) -> CollectionFile:
    """Return a collection ready to be read.

    Raise `CollectionNotFound`, `BackupRemoved`, `BaseMissing`, `FileNotReadable` for a link or what else is no plain
    file, or `CollectionPreparing` for a large foreign file (ask again).
    """
    entry = backup.entry(collection)
    try:
        if entry.overlay is not None:
            return _overlaid(backup, entry, entry.overlay)
        known = index.index_of(folder=backup.folder, entry=entry, seconds=seconds)
    except FileNotFoundError as error:
        raise BackupRemoved from error
    except VerificationFailed as error:
        raise FileNotReadable(problem=error.facts["problem"]) from error
    if known is None or backup.verified:
        return CollectionFile(folder=backup.folder, entry=entry, index=known, total=entry.documents)
    broken = index.damage(folder=backup.folder, entry=entry)
    return CollectionFile(folder=backup.folder, entry=entry, index=known, total=known.documents, broken=broken)


@dataclass(frozen=True, kw_only=True)
class OverlaidCollection(CollectionFile):
    """A collection of an incremental: the documents of its base that stay, then its own."""

    base: CollectionFile
    own: CollectionFile
    gone: GoneDocuments

    def frames(self, *, start: int) -> Iterator[bytes]:
        kept = self._kept
        try:
            if start < kept:
                first = self.gone.number_in_base(start)
                base = self.base.frames(start=first)
                yield from gone_documents.left(base, gone=self.gone, first=first)
        except InvalidFrame as error:
            raise InvalidFrame(error.problem, number=self._number(error.number), offset=error.offset) from error
        try:
            yield from self.own.frames(start=max(0, start - kept))
        except InvalidFrame as error:
            raise InvalidFrame(error.problem, number=kept + error.number, offset=error.offset) from error

    def blocks(self, *, start: int) -> Iterator[Block]:
        kept = self._kept
        try:
            if start < kept:
                for block in self.base.blocks(start=self.gone.number_in_base(start)):
                    left_out = self.gone.within(block.first, block.count)
                    yield block.without(left_out, first=self._number(block.first))
        except DamagedDocument as error:
            number = self._number(error.facts["readable"])
            raise DamagedDocument(number=number + 1, readable=number) from error
        try:
            for block in self.own.blocks(start=max(0, start - kept)):
                yield block.moved(first=kept + block.first)
        except DamagedDocument as error:
            number = kept + error.facts["readable"]
            raise DamagedDocument(number=number + 1, readable=number) from error

    def raw(self, *, number: int, size: int) -> bytes:
        if number < self._kept:
            return self.base.raw(number=self.gone.number_in_base(number), size=size)
        return self.own.raw(number=number - self._kept, size=size)

    @property
    def _kept(self) -> int:
        return self.base.total - len(self.gone)

    def _number(self, in_base: int) -> int:
        """Return the number, in the whole state, of the base's document `in_base`, or of the next one that stays."""
        return in_base - self.gone.before(in_base)


def _overlaid(backup: OpenBackup, entry: CollectionEntry, over: Overlay) -> OverlaidCollection:
    base_folder = overlaid.base_folder(backup.folder, over)
    if not base_folder.is_dir():
        raise BaseMissing(backup_id=over.backup)
    base, own = overlaid.base_entry(entry, over), overlaid.own_entry(entry, over)
    return OverlaidCollection(
        folder=backup.folder,
        entry=entry,
        index=None,
        total=entry.documents,
        base=_indexed(base_folder, base),
        own=_indexed(backup.folder, own),
        gone=gone_documents.read(backup.folder, over),
    )


def _indexed(folder: Path, entry: CollectionEntry) -> CollectionFile:
    known = index.index_of(folder=folder, entry=entry)
    return CollectionFile(folder=folder, entry=entry, index=known, total=entry.documents)


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
