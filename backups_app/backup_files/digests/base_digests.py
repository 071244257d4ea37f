"""The documents of a full backup's collection as hashes, kept beside the file for the incrementals that begin from it.

On disk (`<base>.digest`), little-endian: a header (magic, number of documents, SHA-256 of the file's uncompressed
content); the hash of each document's bytes (12 bytes) and its length (32 bits), in the file's order; then, sorted, the
hash of each `_id` (12 bytes) with the document's number (32 bits); at last the SHA-256 of all that. It is no part of
the manifest and is made again when it is lost: only its checksum makes it worth anything.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from backups_app.backup_files import descent, durable, file_names
from backups_app.backup_files.digests import document_digests, drawers
from backups_app.backup_files.digests.drawers import Drawers
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.backup_files.reading import collection_reader
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.backup_files.reading.collection_reader import StreamHashes
from backups_app.errors import StorageFailed, VerificationFailed
from backups_app.messages import restore as messages
from backups_app.mongo import raw_ids

_MAGIC = b"TODIGST1"
_HEADER = struct.Struct("<8sQ32s")
_HASH = document_digests.HASH_BYTES
_CONTENT = _IDENTITY = _HASH + 4
_CHECKSUM = 32
_DRAWERS = _CONTENTS = document_digests.DRAWERS
"""One drawer for each first byte of the hash of an `_id`; the last one holds the contents, in the file's order."""
_AT_ONCE = 2_000
_PIECE = 4 * 1024 * 1024
_NEAR = 64


@dataclass(frozen=True)
class BaseDigests:
    """The hashes of one collection's documents, read from the disk as they are asked for."""

    documents: int
    raw: bytes | mmap.mmap

    def content(self, number: int) -> bytes:
        """Return the hash of document `number`'s bytes."""
        at = _HEADER.size + number * _CONTENT
        return self.raw[at : at + _HASH]

    def length(self, number: int) -> int:
        """Return the bytes of document `number`."""
        at = _HEADER.size + number * _CONTENT + _HASH
        return int.from_bytes(self.raw[at : at + 4], "little")

    def numbers_of(self, identity: bytes) -> list[int]:
        """Given the hash of an `_id`, return the numbers of the documents that have it."""
        near = self._near(identity)
        first = near.find(identity)
        while first % _IDENTITY and first > 0:  # by chance across two of them
            first = near.find(identity, first + 1)
        if near[:_HASH] < identity < near[-_IDENTITY:-4]:
            return self._numbers(near, first, identity) if first >= 0 else []
        at = bisect_left(range(self.documents), identity, key=lambda place: self._identity(place)[:_HASH])
        return self._numbers(self.raw, self._place(at), identity)

    def _near(self, identity: bytes) -> bytes:
        """Return what stands where a hash would, which is nearly where its value says: hashes are spread evenly."""
        wanted, place = int.from_bytes(identity[:8], "big"), 0
        for _ in range(2):
            here = int.from_bytes(self._identity(place)[:8], "big") if place else 0
            place = min(max(place + ((wanted - here) * self.documents >> 64), 0), max(self.documents - 1, 0))
        return self.raw[self._place(max(place - _NEAR, 0)) : self._place(min(place + _NEAR, self.documents))]

    @staticmethod
    def _numbers(table: bytes | mmap.mmap, at: int, identity: bytes) -> list[int]:
        """Return the numbers that stand in a part of the table from `at` on, as long as they are of this hash."""
        found = []
        while table[at : at + _HASH] == identity:
            found.append(int.from_bytes(table[at + _HASH : at + _IDENTITY], "little"))
            at += _IDENTITY
        return found

    def _place(self, place: int) -> int:
        return _HEADER.size + self.documents * _CONTENT + place * _IDENTITY

    def _identity(self, place: int) -> bytes:
        at = self._place(place)
        return self.raw[at : at + _IDENTITY]


NONE = BaseDigests(0, b"")
"""Of a collection without documents."""


def identity_of(frame: bytes, content: bytes) -> bytes:
    """Return the hash that a document is known by: of its `_id`, or of its content where it has none."""
    try:
        return document_digests.identity_hash(raw_ids.key(raw_ids.id_of(frame)))
    except raw_ids.NoId:
        return document_digests.identity_hash(b"?" + content)


def opened(
    *, folder: Path, manifest: Manifest, name: str, checkpoint: Callable[[], None] = lambda: None
) -> BaseDigests:
    """Given a full backup's folder and a collection of its manifest, return its digests; they are made when they are
    not there, or not those of this file. `checkpoint` is called now and then while they are made, and may raise.

    Raise `VerificationFailed` where the documents are not those that were verified, `DiskFull`, `FolderNotWritable`,
    `StorageFailed`.
    """
    entry = manifest.collections[name]
    if entry.file is None or not entry.documents:
        return NONE
    stream = manifest.files[entry.file].stream_sha256
    found = _read(folder, file_names.digest_of(entry.file), entry, stream)
    if found is not None:
        return found
    durable.write_whole(folder / file_names.digest_of(entry.file), _made(folder, manifest, name, checkpoint))
    found = _read(folder, file_names.digest_of(entry.file), entry, stream)
    if found is None:
        raise StorageFailed(errno_name="EIO")  # the disk does not give back what it has just taken
    return found


def bytes_to_make(*, folder: Path, manifest: Manifest) -> int:
    """Return how much room it takes to make those digests of a full backup's collections that are not there: a
    large one lies in a temporary file, too, while it is written."""
    files = ((entry.file, entry.documents) for entry in manifest.collections.values() if entry.file is not None)
    lost = (documents for file, documents in files if not os.path.lexists(folder / file_names.digest_of(file)))
    sizes = [_HEADER.size + documents * (_CONTENT + _IDENTITY) + _CHECKSUM for documents in lost if documents]
    return sum(sizes) + max((size for size in sizes if size > drawers.HELD_BYTES), default=0)


def _read(folder: Path, relative: str, entry: CollectionEntry, stream_sha256: str) -> BaseDigests | None:
    """Return the digests as they lie there; None where they are lost, damaged, or of another file."""
    try:
        descriptor = descent.open_descriptor(folder, relative)
    except (FileNotFoundError, VerificationFailed):
        return None
    try:
        size = os.fstat(descriptor).st_size
        if size != _HEADER.size + entry.documents * (_CONTENT + _IDENTITY) + _CHECKSUM:
            return None
        is_whole, raw = _is_whole(descriptor), _mapped(descriptor, size)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    header = _HEADER.pack(_MAGIC, entry.documents, bytes.fromhex(stream_sha256))
    return BaseDigests(entry.documents, raw) if is_whole and raw[: _HEADER.size] == header else None


def _is_whole(descriptor: int) -> bool:
    """Whether the file ends with its checksum. It is read and not mapped: mapped pages count as memory."""
    digest, last = hashlib.sha256(), b""
    with open(descriptor, "rb", closefd=False) as file:
        while piece := file.read(_PIECE):
            data = last + piece
            digest.update(data[:-_CHECKSUM])
            last = data[-_CHECKSUM:]
        file.seek(0)
    return digest.digest() == last


def _mapped(descriptor: int, size: int) -> bytes | mmap.mmap:
    """Return the file's bytes: in memory, where its file system maps none. Raise OSError."""
    try:
        return mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    except OSError:
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()


def _made(folder: Path, manifest: Manifest, name: str, checkpoint: Callable[[], None]) -> Iterator[bytes]:
    """Read the documents; when that is done, return the content of their digest file in pieces."""
    entry, heard, dealt = manifest.collections[name], StreamHashes(), Drawers(_DRAWERS + 1, folder=folder)
    try:
        for number, frame in enumerate(collection_reader.frames(folder=folder, entry=entry, heard=heard)):
            _deal_out(dealt.waiting, number, frame)
            if number % _AT_ONCE == 0:
                dealt.make_room()
                checkpoint()
    except (InvalidFrame, OSError, ValueError, IndexError, struct.error) as error:
        raise VerificationFailed(problem=messages.DOCUMENTS_UNREADABLE(name=name)) from error
    if not heard.are_those_of(manifest, name):
        raise VerificationFailed(problem=messages.DOCUMENTS_NOT_VERIFIED(name=name))
    assert entry.file is not None
    header = _HEADER.pack(_MAGIC, entry.documents, bytes.fromhex(manifest.files[entry.file].stream_sha256))
    return _pieces(header, dealt)


def _pieces(header: bytes, dealt: Drawers) -> Iterator[bytes]:
    digest = hashlib.sha256()
    identities = (_sorted(dealt.read(number)) for number in range(_DRAWERS))
    for piece in chain((header,), dealt.pieces(_CONTENTS), identities):
        digest.update(piece)
        yield piece
    yield digest.digest()


def _deal_out(waiting: Sequence[bytearray], number: int, frame: bytes) -> None:
    content = document_digests.content_hash(frame)
    waiting[_CONTENTS] += content + len(frame).to_bytes(4, "little")
    identity = identity_of(frame, content)
    waiting[identity[0]] += identity + number.to_bytes(4, "little")


def _sorted(drawer: bytes) -> bytes:
    return b"".join(sorted(drawer[at : at + _IDENTITY] for at in range(0, len(drawer), _IDENTITY)))
