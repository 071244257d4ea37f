"""Records in drawers, in flat memory: what exceeds a few MiB lies in a temporary file without a name."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from backups_app.backup_files import durable

logger = logging.getLogger(__name__)

HELD_BYTES = 8 * 1024 * 1024
LEFT_FREE_BYTES = 64 * 1024 * 1024
"""The disk is others' as well: with less room than that, what waits stays in memory."""


class Drawers:
    """So many drawers of bytes, each to be added to `waiting[number]` and read whole.

    `folder` is where the file lies, None for the system's directory of temporary files. Where the disk does not take
    it, everything stays in memory: a comparison does not fail for that.
    """

    def __init__(self, count: int, *, folder: Path | None = None, held_bytes: int | None = None) -> None:
        self.waiting: Sequence[bytearray] = [bytearray() for _ in range(count)]
        self._folder = folder
        self._held_bytes = HELD_BYTES if held_bytes is None else held_bytes
        self._segments: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        self._file: IO[bytes] | None = None
        self._end = 0
        self._is_refused = False

    def make_room(self) -> None:
        """Put what waits into the file, where it is more than may be held. To be called between additions."""
        if self._is_refused or sum(map(len, self.waiting)) < self._held_bytes:
            return
        try:
            self._append(b"".join(self.waiting))
        except OSError as error:
            self._is_refused = True
            if self._file is not None:
                with suppress(OSError):
                    os.ftruncate(self._file.fileno(), self._end)
            logger.warning("Digests stay in memory", extra={"reason": type(error).__name__, "errno": error.errno})
            return
        for drawer, segments in zip(self.waiting, self._segments, strict=True):
            segments.append((self._end, len(drawer)))
            self._end += len(drawer)
            drawer.clear()

    def read(self, number: int) -> bytes:
        """Return all of a drawer, in the order in which it was added. Raise `StorageFailed`."""
        return b"".join(self.pieces(number))

    def pieces(self, number: int) -> Iterator[bytes]:
        """Yield a drawer, a few MiB at a time. Raise `StorageFailed`."""
        for offset, size in self._segments[number]:
            try:
                yield self._segment(offset, size)
            except OSError as error:
                durable.fail(error, path=self._where)
        yield bytes(self.waiting[number])

    def _append(self, data: bytes) -> None:
        if shutil.disk_usage(self._where).free < LEFT_FREE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, prefix="templeops-digests-")  # noqa: SIM115
        view, at = memoryview(data), self._end
        while view:
            written = os.pwrite(self._file.fileno(), view, at)
            view, at = view[written:], at + written

    @property
    def _where(self) -> Path:
        return self._folder or Path(tempfile.gettempdir())

    def _segment(self, offset: int, size: int) -> bytes:
        assert self._file is not None
        found = b""
        while len(found) < size:
            more = os.pread(self._file.fileno(), size - len(found), offset + len(found))
            if not more:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            found += more
        return found
