"""A stretch of whole documents, as it lies in a file."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from backups_app.backup_files.reading.bson_frames import SMALLEST, InvalidFrame, Readable
from backups_app.errors import DamagedDocument
from backups_app.messages import browsing as messages

_LENGTH = struct.Struct("<i")


class Block:
    """`count` whole documents one behind the other; the first one is number `first` of its collection."""

    def __init__(self, *, first: int, count: int, data: bytes) -> None:
        self.first = first
        self.count = count
        self.data = data

    @cached_property
    def _starts(self) -> list[int]:
        # Of an incremental each block is walked: names are local, for this loop is what its search costs more.
        starts, at, data, end, length_at = [], 0, self.data, len(self.data), _LENGTH.unpack_from
        last = end - SMALLEST
        for number in range(self.count):
            length = length_at(data, at)[0] if at <= last else 0
            starts.append(at)
            at += length
            if length < SMALLEST or at > end:
                raise DamagedDocument(number=self.first + number + 1, readable=self.first + number)
        return starts

    def frame(self, number: int) -> bytes:
        """Return document `number` of this block, counted from 0. Raise `DamagedDocument` for wrong lengths."""
        return self.data[self._starts[number] : self.end_of(number)]

    def end_of(self, number: int) -> int:
        """Return where document `number` of this block ends."""
        return self._starts[number + 1] if number + 1 < self.count else len(self.data)

    def number_at(self, position: int) -> int:
        """Return which document of this block the byte at `position` belongs to."""
        return bisect_right(self._starts, position) - 1

    def after(self, skipped: int) -> Block:
        """Return the block without its first `skipped` documents."""
        if skipped >= self.count:
            return Block(first=self.first + self.count, count=0, data=b"")
        return Block(first=self.first + skipped, count=self.count - skipped, data=self.data[self._starts[skipped] :])

    def moved(self, *, first: int) -> Block:
        """Return the same documents, numbered from `first` on."""
        return Block(first=first, count=self.count, data=self.data)

    def without(self, left_out: Sequence[int], *, first: int) -> Block:
        """Return the block without the documents of these ascending numbers, numbered from `first` on."""
        if not left_out:
            return self.moved(first=first)
        kept, at = [], 0
        for number in left_out:
            here = number - self.first
            kept.append(self.data[at : self._starts[here]])
            at = self.end_of(here)
        kept.append(self.data[at:])
        return Block(first=first, count=self.count - len(left_out), data=b"".join(kept))


def read_exactly(stream: Readable, size: int, *, number: int) -> bytes:
    """Return `size` bytes of the stream. Raise `InvalidFrame`, at document `number`, when it ends before."""
    parts: list[bytes] = []
    missing = size
    while missing:
        part = stream.read(missing)
        if not part:
            raise InvalidFrame(messages.FILE_CUT_OFF(), number=number)
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
