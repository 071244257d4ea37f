"""Where every thousandth document of a file starts, so that any page of any backup opens equally quickly.

On disk (`<base>.bson.idx`): a header, then one offset for each point, little-endian 64 bits. For a `.bson.gz` of ours a
second column holds where the gzip member that begins at that point starts; another's has no such points.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from backups_app.backup_files import descent, durable

EVERY = 1000
"""Documents from one point to the next."""

_MAGIC = b"TOINDEX1"
MOST = (1 << 32) - 1
_HEADER = struct.Struct("<8sIIQQQ")


@dataclass(frozen=True, kw_only=True)
class DocumentIndex:
    """`offsets[n]` is where document `n * EVERY` starts in the uncompressed stream; `members[n]`, if there are any,
    where the gzip member that starts with it lies in the file. What else reading the file brought out stands here
    too, so that a manifest can be held against it."""

    documents: int
    stream_bytes: int
    duplicate_ids: int = 0
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    members: array[int] = field(default_factory=lambda: array("Q"))

    def point_before(self, number: int) -> tuple[int, int]:
        """Given a document's number, return the nearest point at or before it: (index of the point, documents to
        skip from there)."""
        if not self.offsets:
            return 0, number
        point = min(number // EVERY, len(self.offsets) - 1)
        return point, number - point * EVERY


def write(path: Path, index: DocumentIndex) -> None:
    """Put the index at `path`, replacing one that is there. Raise `DiskFull`, `FolderNotWritable`, `StorageFailed`."""
    header = _HEADER.pack(
        _MAGIC,
        EVERY,
        min(index.duplicate_ids, MOST),
        index.documents,
        index.stream_bytes,
        len(index.offsets) | len(index.members) << 40,
    )
    durable.write_whole(path, header + _little(index.offsets).tobytes() + _little(index.members).tobytes())


def read(folder: Path, relative: str) -> DocumentIndex | None:
    """Return the index, or None when it is missing or not one of ours: then one walks the file from its beginning."""
    try:
        with descent.open_file(folder, relative) as file:
            raw = file.read()
    except FileNotFoundError:
        return None
    if len(raw) < _HEADER.size:
        return None
    magic, every, duplicate_ids, documents, stream_bytes, counts = _HEADER.unpack_from(raw)
    points, members = counts & (1 << 40) - 1, counts >> 40
    if magic != _MAGIC or every != EVERY or len(raw) != _HEADER.size + 8 * (points + members):
        return None
    middle = _HEADER.size + 8 * points
    return DocumentIndex(
        documents=documents,
        stream_bytes=stream_bytes,
        duplicate_ids=duplicate_ids,
        offsets=_from_little(raw[_HEADER.size : middle]),
        members=_from_little(raw[middle:]),
    )


def _little(values: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return values
    swapped = array("Q", values)
    swapped.byteswap()
    return swapped


def _from_little(raw: bytes) -> array[int]:
    values = array("Q")
    values.frombytes(raw)
    return _little(values)
