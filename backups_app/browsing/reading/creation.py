"""When the oldest and the newest document of a collection were created, by their own `createdAt`.

Found in the raw bytes, a stretch at a time, and remembered for the file: the next call goes on where time was over.
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock

from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.reading.bson_frames import InvalidFrame, NotUtf8
from backups_app.browsing.reading import index
from backups_app.browsing.reading.collection_file import CollectionFile
from backups_app.browsing.reading.frames import Block
from backups_app.errors import DamagedDocument
from backups_app.mongo import raw_bson

SECONDS = 0.25
FIELD = b"createdAt"
_DATE = 0x09
_PLACES = re.compile(b"\x09" + FIELD + b"\0(.{8})", re.DOTALL)
_KEPT = 64


@dataclass
class _Walk:
    """How far a file is read; milliseconds since 1970 of what was seen so far."""

    at: int = 0
    first: int | None = None
    last: int | None = None
    lock: Lock = field(default_factory=Lock)


def span(source: CollectionFile, *, seconds: float = SECONDS) -> tuple[int, int] | None:
    """Return the first and the last `createdAt` in milliseconds since 1970; None without one, or not known yet.

    A damaged file has none: what lies behind the damage is not known.
    """
    if source.entry.file is None or not source.total:
        return None
    walk = _walk_of(index.identity(source.folder, source.entry.file))
    with walk.lock:
        try:
            _go_on(source, walk, until=time.monotonic() + seconds)
        except DamagedDocument:
            return None
        if walk.at < source.total or walk.first is None or walk.last is None:
            return None
        return walk.first, walk.last


def _go_on(source: CollectionFile, walk: _Walk, *, until: float) -> None:
    if walk.at >= source.total:
        return
    for block in source.blocks(start=walk.at):
        seen = sorted((struct.unpack("<q", found[1])[0], found.start()) for found in _PLACES.finditer(block.data))
        created = _creation_of(block)
        low = next((value for value, place in seen if created(place) == value), None)
        high = next((value for value, place in reversed(seen) if created(place) == value), None)
        if low is not None and high is not None:
            walk.first = low if walk.first is None else min(walk.first, low)
            walk.last = high if walk.last is None else max(walk.last, high)
        walk.at = block.first + block.count
        if time.monotonic() >= until:
            return


def _creation_of(block: Block) -> Callable[[int], int | None]:
    """Return when the document at a place was created: itself, not something in it. Each document is taken apart once:
    one may hold hundreds of thousands of such dates inside."""
    known: dict[int, int | None] = {}

    def created(place: int) -> int | None:
        number = block.number_at(place)
        if number not in known:
            known[number] = _created(block.frame(number))
        return known[number]

    return created


def _created(frame: bytes) -> int | None:
    try:
        bson_frames.validate(frame)
    except NotUtf8:
        pass
    except InvalidFrame:
        return None
    found = next((value for name, value in raw_bson.elements(frame) if name == FIELD and value.type == _DATE), None)
    return None if found is None else struct.unpack("<q", found.data)[0]


@lru_cache(maxsize=_KEPT)
def _walk_of(known: index.Identity) -> _Walk:
    """Return the one walk of a file, begun now if nobody has."""
    return _Walk()
