"""Compares one collection of two opened backups, document by document. Files with the same hash are not read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from threading import Lock

from backups_app.backup_files.digests import document_digests as digests
from backups_app.backup_files.digests.document_digests import Comparison
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.browsing.reading.collection_file import CollectionFile
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.errors import CollectionPreparing, DamagedDocument
from backups_app.progress import Progress

_KEPT = 16

_PREPARE_SECONDS = 0.3


def comparison_of(first: OpenBackup, second: OpenBackup, name: str, progress: Progress) -> Comparison:
    """Return the comparison of one collection in two opened backups; a known one is not made a second time.

    Raise `DamagedDocument`, or what `progress` raises.
    """
    hashes = tuple(_stream_hash(backup, name) for backup in (first, second))
    if hashes[0] and hashes[0] == hashes[1]:
        return Comparison(same=first.manifest.collections[name].documents)
    known = _remembered.get(hashes)
    if known is None:
        known = digests.compare(_digest(first, name, progress), _digest(second, name, progress))
        _remembered.put(hashes, known)
    return known


def _digest(backup: OpenBackup, name: str, progress: Progress) -> digests.DocumentDigests:
    if name not in backup.manifest.collections:
        return digests.DocumentDigests()
    source = _opened(backup, name, progress)
    progress.expect(name, source.total)
    return digests.digests_of(_sound(source), label=name, progress=progress)


def _opened(backup: OpenBackup, name: str, progress: Progress) -> CollectionFile:
    """Open a collection; where a foreign file has to be prepared first, do that bit by bit."""
    while True:
        try:
            return open_collection(backup=backup, collection=name, seconds=_PREPARE_SECONDS)
        except CollectionPreparing:
            progress.checkpoint()


def _sound(source: CollectionFile) -> Iterator[bytes]:
    try:
        yield from islice(source.frames(start=0), source.total)
    except InvalidFrame as error:
        raise DamagedDocument(number=error.number + 1, readable=error.number) from error
    if source.broken:
        raise DamagedDocument(number=source.total + 1, readable=source.total)


def _stream_hash(backup: OpenBackup, name: str) -> str:
    """The hash that verification wrote; empty where there is none, and nothing may be concluded."""
    if name not in backup.manifest.collections:
        return f"absent from {backup.backup_id}"
    return backup.manifest.content_hash(name)


class _Remembered:
    """The last comparisons of verified files: they never change, and pages ask for them again and again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, ...], Comparison] = OrderedDict()

    def get(self, hashes: tuple[str, ...]) -> Comparison | None:
        with self._lock:
            return self._known.get(hashes) if all(hashes) else None

    def put(self, hashes: tuple[str, ...], comparison: Comparison) -> None:
        with self._lock:
            if all(hashes):
                self._known[hashes] = comparison
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)


_remembered = _Remembered()
