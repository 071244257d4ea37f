"""The documents of two collections side by side: which are only in one, changed, or the same.

Each document becomes 20 bytes (hash of its `_id`, hash of its bytes, its number), sorted into 256 drawers by the hash;
the drawers of both sides are then compared one pair at a time, so memory grows by 20 bytes a document and no more.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from backups_app.mongo import raw_ids
from backups_app.progress import Progress

_RECORD = struct.Struct("<8s8sI")
_DRAWERS = 256
_BATCH = 5_000


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Numbers of documents within their files: `only_a` and `changed` (pairs a, b) and `only_b`, each in file order.
    `same` is a count."""

    only_a: array[int] = field(default_factory=lambda: array("I"))
    only_b: array[int] = field(default_factory=lambda: array("I"))
    changed: tuple[tuple[int, int], ...] = ()
    same: int = 0


class Digest:
    """The documents of one side, 20 bytes each."""

    def __init__(self) -> None:
        self.drawers = [bytearray() for _ in range(_DRAWERS)]
        self.documents = 0

    def add(self, frame: bytes) -> None:
        """Take in the next document of the file."""
        identity = blake2b(raw_ids.key(raw_ids.of(frame)), digest_size=8).digest()
        content = blake2b(frame, digest_size=8).digest()
        self.drawers[identity[0]] += _RECORD.pack(identity, content, self.documents)
        self.documents += 1


def of(frames: Iterable[bytes], *, label: str, progress: Progress) -> Digest:
    """Given a collection's documents in file order, return their digest. Raises what `progress` raises."""
    result = Digest()
    for frame in frames:
        result.add(frame)
        if result.documents % _BATCH == 0:
            progress.advance(label, _BATCH)
    progress.advance(label, result.documents % _BATCH)
    return result


def compare(a: Digest, b: Digest) -> Comparison:
    """Compare two digests. An `_id` that stands more than once in a file is compared version by version."""
    only_a, only_b, changed, same = array("I"), array("I"), [], 0
    for left, right in zip(a.drawers, b.drawers, strict=True):
        waiting: dict[bytes, list[tuple[bytes, int]]] = {}
        for identity, content, number in _RECORD.iter_unpack(left):
            waiting.setdefault(identity, []).append((content, number))
        unlike = [record for record in _RECORD.iter_unpack(right) if not _taken(waiting, record[0], record[1])]
        same += len(right) // _RECORD.size - len(unlike)
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
