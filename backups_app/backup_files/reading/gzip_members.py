"""Gzip of our own making: independent members, one for each thousand documents, so that a page needs one of them only.

Any gzip reader, mongorestore included, reads the members as one stream. Reading takes any gzip.
"""

from __future__ import annotations

import zlib

from isal import igzip, isal_zlib

from backups_app.backup_files.reading.bson_frames import InvalidFrame, Readable
from backups_app.messages import backup_files as messages

LEVEL = 2
"""ISA-L's level 2 of 3: about ten times as quick as zlib's default, a little larger."""

_BLOCK = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"


def member(data: bytes | memoryview) -> bytes:
    """Return `data` as one whole gzip member."""
    compressed: bytes = igzip.compress(data, compresslevel=LEVEL, mtime=0)
    return compressed


class Decompressed:
    """The uncompressed stream of a gzip file that stands at the start of a member. Constant memory.

    `members` reports each member read so far where it starts: (in the uncompressed stream, in the file).
    `read` raises `InvalidFrame` for an empty file, which is no gzip, for broken, cut or trailing data, and as soon as
    there is more than `at_most` bytes.
    """

    def __init__(self, file: Readable, *, at_most: int | None = None) -> None:
        self._file = file
        self._at_most = at_most
        self._inflater = isal_zlib.decompressobj(_GZIP)
        self._pending = b""
        self._started = False
        self._read_bytes = 0
        self.stream_bytes = 0
        self.members: list[tuple[int, int]] = []

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, nothing at the end."""
        while True:
            if not self._pending and not self._refill():
                if not self._started and self.members:
                    return b""
                raise InvalidFrame(messages.GZIP_CUT_OFF(), offset=self.stream_bytes)
            if self.members and not self._started and not _MAGIC.startswith(self._pending[:2]):
                raise InvalidFrame(messages.GZIP_TRAILING_BYTES(), offset=self.stream_bytes)
            data = self._inflate(size)
            if data:
                return data

    def _refill(self) -> bool:
        self._pending = self._file.read(_BLOCK)
        self._read_bytes += len(self._pending)
        return bool(self._pending)

    def _inflate(self, size: int) -> bytes:
        try:
            data: bytes = self._inflater.decompress(self._pending, size)
        except (zlib.error, isal_zlib.error) as error:  # type: ignore[misc]  # its stub calls an exception a value
            raise InvalidFrame(messages.GZIP_BROKEN(), offset=self.stream_bytes) from error
        if not self._started:
            self.members.append((self.stream_bytes, self._read_bytes - len(self._pending)))
        self._started = True
        self._pending = self._inflater.unconsumed_tail
        if self._inflater.eof:
            self._pending = self._inflater.unused_data
            self._inflater = isal_zlib.decompressobj(_GZIP)
            self._started = False
        self.stream_bytes += len(data)
        if self._at_most is not None and self.stream_bytes > self._at_most:
            raise InvalidFrame(messages.GZIP_TOO_LONG(), offset=self.stream_bytes)
        return data
