"""The documents of one collection of a backup, raw, from any of them on."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from itertools import islice
from pathlib import Path

from backups_app.backup_files import bson_frames, descent, document_index, layout
from backups_app.backup_files.bson_frames import InvalidFrame, Readable
from backups_app.backup_files.document_index import DocumentIndex
from backups_app.backup_files.gzip_members import Decompressed
from backups_app.backup_files.manifest import CollectionEntry


def frames(*, folder: Path, entry: CollectionEntry, start: int = 0) -> Iterator[bytes]:
    """Given a backup's folder and a collection of its manifest, yield the documents from number `start` on, raw and
    in the file's order. A view has none.

    Raise `InvalidFrame` (its `number` counted from the file's start) at damage, `FileNotFoundError` when the file is
    gone, `VerificationFailed` when it is a link. Validate a frame before decoding it.
    """
    if entry.file is None:
        return
    with descent.open_file(folder, entry.file) as file:
        skip, stream = _positioned(file, folder=folder, entry=entry, start=start)
        first = start - skip
        try:
            yield from islice(bson_frames.frames(stream), skip, None)
        except InvalidFrame as error:
            raise InvalidFrame(error.problem, number=first + error.number, offset=error.offset) from error


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
