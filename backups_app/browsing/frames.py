"""A stretch of whole documents, as it lies in a file."""

from __future__ import annotations

import struct
from bisect import bisect_right
from functools import cached_property

_LENGTH = struct.Struct("<i")


class Block:
    """`count` whole documents one behind the other; the first one is number `first` of its collection."""

    def __init__(self, *, first: int, count: int, data: bytes) -> None:
        self.first = first
        self.count = count
        self.data = data

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for _ in range(self.count):
            starts.append(at)
            at += _LENGTH.unpack_from(self.data, at)[0]
        return starts

    def frame(self, number: int) -> bytes:
        """Return document `number` of this block, counted from 0."""
        return self.data[self._starts[number] : self.end_of(number)]

    def end_of(self, number: int) -> int:
        """Return where document `number` of this block ends."""
        return self._starts[number + 1] if number + 1 < self.count else len(self.data)

    def number_at(self, position: int) -> int:
        """Return which document of this block the byte at `position` belongs to."""
        return bisect_right(self._starts, position) - 1
