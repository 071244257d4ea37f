"""What a scan saw of each document, on disk: a hundred million documents cost the memory of a few thousand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

BUFFER_BYTES = 64 * 1024
_HASH_BYTES = 32


class ScannedDocument(NamedTuple):
    """A document as a scan saw it: its raw `_id`, the hash of its bytes, and their number."""

    raw_id: bytes
    hash: bytes
    size: int


class Spool:
    """Records of one side, cut into parts, in a temporary file without a name."""

    def __init__(self, parts: int) -> None:
        self._file = tempfile.TemporaryFile(prefix="templeops-sync-")  # noqa: SIM115  (closed by __exit__)
        self._buffers = [bytearray() for _ in range(parts)]
        self._segments: list[list[tuple[int, int]]] = [[] for _ in range(parts)]
        self._limit = BUFFER_BYTES if parts > 1 else 16 * BUFFER_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, part: int, raw_id: bytes, digest: bytes, size: int) -> None:
        """Remember one document in a part."""
        buffer = self._buffers[part]
        buffer += len(raw_id).to_bytes(4, "big") + size.to_bytes(4, "big") + raw_id + digest
        if len(buffer) >= self._limit:
            self._flush(part)

    def part(self, number: int) -> Iterator[ScannedDocument]:
        """Yield what was remembered in a part, in no order."""
        self._flush(number)
        for offset, length in self._segments[number]:
            self._file.seek(offset)
            data = self._file.read(length)
            at = 0
            while at < length:
                stop = at + 8 + int.from_bytes(data[at : at + 4], "big")
                size = int.from_bytes(data[at + 4 : at + 8], "big")
                yield ScannedDocument(data[at + 8 : stop], data[stop : stop + _HASH_BYTES], size)
                at = stop + _HASH_BYTES

    def _flush(self, part: int) -> None:
        buffer = self._buffers[part]
        if buffer:
            offset = self._file.seek(0, 2)
            self._file.write(buffer)
            self._segments[part].append((offset, len(buffer)))
            buffer.clear()
