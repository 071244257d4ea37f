"""The documents of one collection of a backup, raw, from any of them on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BufferedReader
from itertools import chain
from pathlib import Path

from backups_app.backup_files import descent, layout
from backups_app.backup_files.manifest import CollectionEntry, Manifest, Overlay
from backups_app.backup_files.reading import bson_frames, document_index, gone_documents, overlaid
from backups_app.backup_files.reading.bson_frames import InvalidFrame, Readable
from backups_app.backup_files.reading.document_index import DocumentIndex
from backups_app.backup_files.reading.gzip_members import Decompressed

_PIECE = 4 * 1024 * 1024


class StreamHashes:
    """Hears the documents of a collection as they are read from its beginning: is this what was verified?"""

    def __init__(self) -> None:
        self.own, self.base = hashlib.sha256(), hashlib.sha256()
        self.gone = ""

    def are_those_of(self, manifest: Manifest, name: str) -> bool:
        """Whether the whole collection was read, and every file that it is made of is the one of the manifest."""
        entry = manifest.collections.get(name)
        if entry is None or entry.file is None:
            return True
        if self.own.hexdigest() != manifest.files[entry.file].stream_sha256:
            return False
        over = entry.overlay
        if over is None:
            return True
        gone = manifest.files[over.gone].sha256 if over.gone else ""
        return self.base.hexdigest() == over.stream_sha256 and self.gone == gone


def frames(
    *, folder: Path, entry: CollectionEntry, start: int = 0, heard: StreamHashes | None = None
) -> Iterator[bytes]:
    """Given a backup's folder and a collection of its manifest, yield the documents from number `start` on, raw and
    in the file's order; of an incremental those of the base that stay, then its own. A view has none.

    `heard`, for reading from the beginning, hears every byte, those of documents that are left out too. Raise
    `InvalidFrame` (its `number` counted from the file's start) at damage, `FileNotFoundError` when the file is
    gone, `VerificationFailed` when it is a link. Validate a frame before decoding it.
    """
    return chain.from_iterable(batches(folder=folder, entry=entry, start=start, heard=heard))


def batches(
    *, folder: Path, entry: CollectionEntry, start: int = 0, heard: StreamHashes | None = None
) -> Iterator[list[bytes]]:
    """As `frames`, several documents at a time: at most about 2 MiB, or one larger document."""
    if entry.overlay is not None:
        yield from _overlaid(folder, entry, entry.overlay, start, heard)
    elif entry.file is not None and heard is not None:
        yield from _hashed(_of_file(folder, entry, entry.file, start), heard.own)
    elif entry.file is not None:
        yield from _of_file(folder, entry, entry.file, start)


def pieces(*, folder: Path, entry: CollectionEntry, heard: StreamHashes) -> Iterator[bytes]:
    """Yield the documents of a collection back to back, some MiB at a time, and have `heard` hear every byte; where the
    collection lies in one file no document is looked at. Raises as `frames`."""
    if entry.overlay is not None:
        yield from map(b"".join, batches(folder=folder, entry=entry, heard=heard))
    elif entry.file is not None:
        with descent.open_file(folder, entry.file) as file:
            stream = opened(file, name=entry.file, at_most=entry.bytes)
            while piece := stream.read(_PIECE):
                heard.own.update(piece)
                yield piece


def _of_file(folder: Path, entry: CollectionEntry, path: str, start: int) -> Iterator[list[bytes]]:
    with descent.open_file(folder, path) as file:
        skip, stream = _positioned(file, folder=folder, entry=entry, start=start)
        first = start - skip
        try:
            for batch in bson_frames.batches(stream):
                if skip < len(batch):
                    yield batch[skip:] if skip else batch
                skip = max(0, skip - len(batch))
        except InvalidFrame as error:
            raise InvalidFrame(error.problem, number=first + error.number, offset=error.offset) from error


def _overlaid(
    folder: Path, entry: CollectionEntry, over: Overlay, start: int, heard: StreamHashes | None
) -> Iterator[list[bytes]]:
    gone = gone_documents.read(folder, over)
    kept = over.documents - len(gone)
    if start < kept or heard is not None:
        first = 0 if heard is not None else gone.number_in_base(start)
        base = batches(folder=overlaid.base_folder(folder, over), entry=overlaid.base_entry(entry, over), start=first)
        if heard is not None:
            base, heard.gone = _hashed(base, heard.base), gone.sha256() if over.gone else ""
        yield from gone_documents.remaining_in_batches(base, gone=gone, first=first)
    own = overlaid.own_entry(entry, over)
    yield from batches(folder=folder, entry=own, start=max(0, start - kept), heard=heard)


def _hashed(found: Iterator[list[bytes]], stream: hashlib._Hash) -> Iterator[list[bytes]]:
    for batch in found:
        stream.update(b"".join(batch))
        yield batch


def is_gzip(name: str) -> bool:
    """Whether a file of a backup is compressed, by its name."""
    return name.endswith(layout.GZIP_SUFFIX)


def opened(file: BufferedReader, *, name: str, at_most: int | None = None) -> Readable:
    """Return the uncompressed stream of a file that stands at its start or at a gzip member's; more than `at_most`
    bytes are refused with `InvalidFrame` where it is compressed."""
    return Decompressed(file, at_most=at_most) if is_gzip(name) else file


def seek_before(file: BufferedReader, *, name: str, index: DocumentIndex | None, start: int) -> tuple[int, int]:
    """Move an open data file to the last indexed point before document `start`.

    Return how many documents to skip from there, and where that point is in the uncompressed stream.
    """
    if index is None or not index.offsets:
        return start, 0
    point, skip = index.point_before(start)
    places = index.members if is_gzip(name) else index.offsets
    if not places:
        return start, 0
    file.seek(places[point])
    return skip, index.offsets[point]


def _positioned(file: BufferedReader, *, folder: Path, entry: CollectionEntry, start: int) -> tuple[int, Readable]:
    """Return how many documents to skip before `start`, and the stream to read them from."""
    assert entry.file is not None
    index = document_index.read(folder, entry.index) if start and entry.index else None
    skip, offset = seek_before(file, name=entry.file, index=index, start=start)
    return skip, opened(file, name=entry.file, at_most=entry.bytes - offset)
