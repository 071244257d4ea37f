"""The documents of a collection as hashes, to hold two states of it side by side: which came, went, changed.

Each document becomes 28 bytes (hash of its `_id`, hash of its bytes, its number), sorted into 256 drawers by the hash;
two sides are then compared one pair of drawers at a time. Beyond 8 MiB a side the drawers lie in a temporary file. With
96 bits, two of ten million `_id`s share a hash once in 10^15 times.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice

from backups_app.backup_files.digests.drawers import Drawers
from backups_app.backup_files.reading import given_ids
from backups_app.mongo import raw_ids
from backups_app.progress import Progress

_RECORD = struct.Struct("<12s12sI")
HASH_BYTES = 12
DRAWERS = 256
_OBJECT_ID_FIRST = b"\x07_id\0"
_BATCH = 5_000


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Numbers of documents within their files: `only_a` and `changed` (pairs a, b) and `only_b`, each in file order.
    `same` is a count."""

    only_a: array[int] = field(default_factory=lambda: array("I"))
    only_b: array[int] = field(default_factory=lambda: array("I"))
    changed: tuple[tuple[int, int], ...] = ()
    same: int = 0


class DocumentDigests:
    """The documents of one side, 28 bytes each."""

    def __init__(self) -> None:
        self._drawers = Drawers(DRAWERS)
        self.documents = 0

    def add(self, frame: bytes) -> None:
        """Take in the next document of the file. One without `_id` is known by the one that it is given."""
        self.add_all((frame,))

    def add_all(self, frames: Iterable[bytes]) -> None:
        """Take in the next documents of the file: the inner loop of every comparison."""
        drawers, pack, number = self._drawers.waiting, _RECORD.pack, self.documents
        for frame in frames:
            if frame[4:9] == _OBJECT_ID_FIRST:  # by far the most frequent
                key = b"\x07" + frame[9:21]
            else:
                key = raw_ids.key(given_ids.raw_id(frame, number=number))
            identity = blake2b(key, digest_size=HASH_BYTES).digest()
            drawers[identity[0]] += pack(identity, blake2b(frame, digest_size=HASH_BYTES).digest(), number)
            number += 1
            self.documents = number
        self._drawers.make_room()

    def records(self, drawer: int) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield (hash of the `_id`, hash of the bytes, number) of the documents in one of the 256 drawers, in the
        file's order. Raise `StorageFailed`."""
        return _RECORD.iter_unpack(self._drawers.read(drawer))


def identity_hash(key: bytes) -> bytes:
    """Return the hash of an `_id`, given as the index sees it (`raw_ids.key`)."""
    return blake2b(key, digest_size=HASH_BYTES).digest()


def content_hash(frame: bytes | memoryview) -> bytes:
    """Return the hash of a document's bytes."""
    return blake2b(frame, digest_size=HASH_BYTES).digest()


def digests_of(frames: Iterable[bytes], *, label: str, progress: Progress) -> DocumentDigests:
    """Given a collection's documents in file order, return their digest. Raises what `progress` raises."""
    result = DocumentDigests()
    rest = iter(frames)
    while batch := list(islice(rest, _BATCH)):
        result.add_all(batch)
        progress.advance(label, len(batch))
    return result


def compare(a: DocumentDigests, b: DocumentDigests) -> Comparison:
    """Compare two digests. An `_id` that stands more than once in a file is compared version by version."""
    only_a, only_b, changed, same = array("I"), array("I"), [], 0
    for drawer in range(DRAWERS):
        waiting: dict[bytes, list[tuple[bytes, int]]] = {}
        for identity, content, number in a.records(drawer):
            waiting.setdefault(identity, []).append((content, number))
        right = list(b.records(drawer))
        unlike = [record for record in right if not _taken(waiting, record[0], record[1])]
        same += len(right) - len(unlike)
        for identity, _, number in unlike:
            versions = waiting.get(identity)
            if versions:
                changed.append((versions.pop(0)[1], number))
            else:
                only_b.append(number)
        only_a.extend(number for versions in waiting.values() for _, number in versions)
    return Comparison(
        only_a=array("I", sorted(only_a)), only_b=array("I", sorted(only_b)), changed=tuple(sorted(changed)), same=same
    )


def _taken(waiting: dict[bytes, list[tuple[bytes, int]]], identity: bytes, content: bytes) -> bool:
    """Take the version with these bytes out of those that wait. Return whether there was one."""
    versions = waiting.get(identity, ())
    for at, version in enumerate(versions):
        if version[0] == content:
            del waiting[identity][at]
            return True
    return False
