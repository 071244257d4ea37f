"""Opens a collection of a backup: a file of its own, or an incremental's documents over those of its base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backups_app.backup_files.manifest import CollectionEntry, Overlay
from backups_app.backup_files.reading import gone_documents, overlaid
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.backup_files.reading.gone_documents import GoneDocuments
from backups_app.browsing.reading import index
from backups_app.browsing.reading.collection_file import CollectionFile
from backups_app.browsing.reading.frames import Block
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.errors import BackupRemoved, BaseMissing, DamagedDocument, FileNotReadable, VerificationFailed


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
                yield from gone_documents.remaining_documents(base, gone=self.gone, first=first)
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
