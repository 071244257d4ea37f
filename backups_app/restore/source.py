"""A verified backup as a restore reads it: documents, digests, options and indexes. Nothing here trusts the disk."""

from __future__ import annotations

import struct
from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from backups_app.backup_files import collection_metadata
from backups_app.backup_files.collection_metadata import Described
from backups_app.backup_files.digests.document_digests import DocumentDigests
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.backup_files.reading import collection_reader, given_ids
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.backup_files.reading.collection_reader import StreamHashes
from backups_app.errors import VerificationFailed
from backups_app.messages import restore as messages
from backups_app.progress import Progress
from backups_app.restore import legacy_indexes

_ID = b"_id\0"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A backup's folder and the manifest that it was verified with. Of the safety backup of a restore that is undone:
    `absent` are collections that were not there when it was made, and that are to be empty again; `staying` are ours,
    to which the restore added records."""

    folder: Path
    manifest: Manifest
    absent: frozenset[str] = frozenset()
    staying: frozenset[str] = frozenset()

    def with_absent(self, names: Collection[str]) -> Source:
        """Return the same backup with those of these collections that it does not hold, as empty ones."""
        nothing = CollectionEntry(
            type="collection", uuid="", documents=0, bytes=0, file=None, metadata=None, index=None
        )
        absent = {name: nothing for name in names if name not in self.manifest.collections}
        manifest = replace(self.manifest, collections={**self.manifest.collections, **absent})
        return replace(self, manifest=manifest, absent=frozenset(absent))

    def entry(self, name: str) -> CollectionEntry | None:
        return self.manifest.collections.get(name)

    def frames(self, name: str) -> Iterator[bytes]:
        """Yield the documents of a collection in the file's order, each with an `_id`, its own or a given one. Raise
        `VerificationFailed` at damage."""
        return chain.from_iterable(self.batches(name))

    def batches(self, name: str, *, heard: StreamHashes | None = None) -> Generator[list[bytes], None, None]:
        """As `frames`, several documents at a time; `heard` hears every byte as it lies on the disk."""
        number = 0
        for batch in self._as_they_lie(name, heard):
            yield _with_ids(batch, number, name)
            number += len(batch)

    def _as_they_lie(self, name: str, heard: StreamHashes | None) -> Generator[list[bytes], None, None]:
        entry = self.entry(name)
        try:
            if entry is not None:
                yield from collection_reader.batches(folder=self.folder, entry=entry, heard=heard)
        except (InvalidFrame, OSError) as error:
            raise VerificationFailed(problem=messages.DOCUMENTS_UNREADABLE(name=name)) from error

    def digest(self, name: str, *, progress: Progress) -> DocumentDigests:
        """Return the digest of a collection, read now. Raise `VerificationFailed` when these are not the bytes that
        were verified, and what `progress` raises."""
        result, heard = DocumentDigests(), StreamHashes()
        for batch in self.batches(name, heard=heard):
            _add(result, batch, name)
            progress.checkpoint()
        self.require_verified(name, heard)
        return result

    def check(self, name: str, *, progress: Progress) -> None:
        """Read a collection to its end. Raise as `digest`."""
        heard, entry = StreamHashes(), self.entry(name)
        try:
            if entry is not None:
                for _ in collection_reader.pieces(folder=self.folder, entry=entry, heard=heard):
                    progress.checkpoint()
        except (InvalidFrame, OSError) as error:
            raise VerificationFailed(problem=messages.DOCUMENTS_UNREADABLE(name=name)) from error
        self.require_verified(name, heard)

    def require_verified(self, name: str, heard: StreamHashes) -> None:
        """Raise `VerificationFailed` when what was heard of a collection, read to its end, is not what was verified."""
        if not heard.are_those_of(self.manifest, name):
            raise VerificationFailed(problem=messages.DOCUMENTS_NOT_VERIFIED(name=name))

    def described(self, name: str) -> Described:
        """Return what the collection's metadata file says; without one, the indexes that mongodump 2.x wrote into
        `system.indexes`. Raise `VerificationFailed` when it cannot be read."""
        entry = self.entry(name)
        if entry is None or entry.metadata is None:
            indexes = () if entry is None else legacy_indexes.indexes_of(self.folder, self.manifest, name)
            return Described(indexes=indexes)
        try:
            return collection_metadata.described(self.folder, entry.metadata)
        except VerificationFailed as error:
            raise VerificationFailed(problem=messages.STRUCTURE_UNREADABLE(name=name)) from error


def _with_ids(batch: list[bytes], first: int, name: str) -> list[bytes]:
    if all(frame[5:9] == _ID for frame in batch):  # by far the most frequent
        return batch
    try:
        return [given_ids.with_id(frame, number=number) for number, frame in enumerate(batch, first)]
    except (ValueError, IndexError, struct.error) as error:
        raise VerificationFailed(problem=messages.DOCUMENT_OF_COLLECTION_DAMAGED(name=name)) from error


def _add(digest: DocumentDigests, frames: list[bytes], name: str) -> None:
    try:
        digest.add_all(frames)
    except (ValueError, IndexError, struct.error) as error:  # the bytes are not those that were verified
        raise VerificationFailed(problem=messages.DOCUMENT_OF_COLLECTION_DAMAGED(name=name)) from error
