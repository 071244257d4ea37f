"""Where the documents of a file start: from the index beside it or, for a foreign folder, found by walking it.

A walked index is kept in memory and grows from call to call, so that a large foreign file is prepared bit by bit.
"""

from __future__ import annotations

import os
import time
from array import array
from collections import OrderedDict
from itertools import islice
from pathlib import Path
from threading import Lock

from backups_app.backup_files import descent
from backups_app.backup_files.manifest import CollectionEntry
from backups_app.backup_files.reading import bson_frames, collection_reader, document_index
from backups_app.backup_files.reading.bson_frames import InvalidFrame, Readable
from backups_app.backup_files.reading.document_index import EVERY, DocumentIndex
from backups_app.errors import CollectionPreparing, VerificationFailed

SECONDS = 1.5
_KEPT = 64
_AT_ONCE = 256

Identity = tuple[int, int, int, int]


def index_of(*, folder: Path, entry: CollectionEntry, seconds: float = SECONDS) -> DocumentIndex | None:
    """Return the index of a collection's file; None for a view, and where the index is lost, damaged or no plain file.

    Raise `CollectionPreparing` when a foreign file could not be walked within `seconds`: ask again.
    """
    if entry.file is None:
        return None
    if entry.index is not None:
        try:
            return document_index.read(folder, entry.index)
        except VerificationFailed:
            return None
    walk = _walk_of(folder, entry.file)
    walk.go_on(until=time.monotonic() + seconds)
    if not walk.ended:
        raise CollectionPreparing(percent=walk.percent)
    return walk.index()


def damage(*, folder: Path, entry: CollectionEntry) -> str:
    """Return what is wrong behind the last readable document of a foreign file that has been walked, or an empty
    string."""
    return _walk_of(folder, entry.file).problem if entry.file and entry.index is None else ""


class Walk:
    """A file being walked from its beginning, a stretch at a time. `ended` also when the rest is damaged."""

    def __init__(self, folder: Path, relative: str) -> None:
        self._lock = Lock()
        self._file = descent.open_file(folder, relative)
        self._size = self._file.seek(0, 2)
        self._file.seek(0)
        self._stream: Readable = collection_reader.opened(self._file, name=relative)
        self._offsets: array[int] = array("Q")
        self.documents = self.stream_bytes = 0
        self.ended = False
        self.problem = ""

    @property
    def percent(self) -> int:
        """How much of the file is read."""
        return 100 if self.ended else min(99, self._file.tell() * 100 // max(1, self._size))

    def go_on(self, *, until: float) -> None:
        """Walk on until the end, damage, or the moment `until` of the monotonic clock."""
        with self._lock:
            while not self.ended and time.monotonic() < until:
                self._stretch()

    def index(self) -> DocumentIndex:
        """Return what is known so far."""
        return DocumentIndex(documents=self.documents, stream_bytes=self.stream_bytes, offsets=self._offsets)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._end()

    def _stretch(self) -> None:
        seen = 0
        try:
            for frame in islice(bson_frames.frames(self._stream), _AT_ONCE):
                if self.documents % EVERY == 0:
                    self._offsets.append(self.stream_bytes)
                seen += 1
                self.documents += 1
                self.stream_bytes += len(frame)
        except InvalidFrame as error:
            self.problem = error.problem
            seen = 0
        if seen < _AT_ONCE:
            self._end()

    def _end(self) -> None:
        self.ended = True
        self._file.close()


_walks: OrderedDict[Identity, Walk] = OrderedDict()
_walks_lock = Lock()


def _walk_of(folder: Path, relative: str) -> Walk:
    known = identity(folder, relative)
    with _walks_lock:
        walk = _walks.get(known) or Walk(folder, relative)
        _walks[known] = walk
        _walks.move_to_end(known)
        while len(_walks) > _KEPT:
            _walks.popitem(last=False)[1].close()
        return walk


def identity(folder: Path, relative: str) -> Identity:
    """Return what distinguishes this file, as it is now, from any other. Raise FileNotFoundError."""
    with descent.open_file(folder, relative) as file:
        status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
