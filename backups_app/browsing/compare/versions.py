"""One document through time: what each backup holds of it, and what is live now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from backups_app.backup_files.store.store import Store
from backups_app.browsing.compare import differences
from backups_app.browsing.compare.differences import FieldChange
from backups_app.browsing.reading import backups, documents, opening
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.errors import DamagedDocument, TempleOpsError

SECONDS = 5.0
NOW = "now"
"""Stands among the backup ids for the live document."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """The same bytes in one backup after another: ids from the newest to the oldest (`now` is the live database).
    `there` is False where they do not hold the document; `number` is its place in the newest of these backups;
    `changes` is what changed since the version before."""

    backup_ids: tuple[str, ...]
    there: bool
    number: int | None = None
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """From the newest to the oldest. `unchecked` backups were not looked at: no time, damaged, or being prepared."""

    versions: tuple[Version, ...]
    unchecked: tuple[str, ...]


def of_document(
    *,
    store: Store,
    collection: str,
    raw_id: bytes,
    live: bytes | None = None,
    with_live: bool = False,
    seconds: float = SECONDS,
    zone: tzinfo = UTC,
    clock: Callable[[], float] = time.monotonic,
) -> Versions:
    """Given a raw `_id`, return what each readable backup holds of it. With `with_live`, `live` is what the database
    holds now (None: nothing) and stands first. Two versions at a time are in memory."""
    last = _Last()
    line = _Line(zone)
    if with_live:
        line.add(NOW, live)
    unchecked: list[str] = []
    until = clock() + seconds
    for summary in backups.summaries(store=store):
        if not summary.readable or collection not in summary.collections:
            continue
        if clock() >= until:
            unchecked.append(summary.backup_id)
            continue
        try:
            number, frame = _read_once(
                opening.open_backup(store=store, backup_id=summary.backup_id), collection, raw_id, last
            )
        except TempleOpsError:
            unchecked.append(summary.backup_id)
        else:
            line.add(summary.backup_id, frame, number)
    return Versions(versions=line.versions(), unchecked=tuple(unchecked))


@dataclass
class _Last:
    """The file that was read last, by its hash, and what it holds."""

    sha256: str = ""
    number: int | None = None
    frame: bytes | None = None


def _read_once(backup: OpenBackup, collection: str, raw_id: bytes, last: _Last) -> tuple[int | None, bytes | None]:
    """Files of the same hash hold the same document: what did not change from backup to backup is read once."""
    backup.entry(collection)
    content = backup.manifest.content_hash(collection)
    if content and content == last.sha256:
        return last.number, last.frame
    found = documents.find_id(open_collection(backup=backup, collection=collection), raw_id=raw_id)
    if found is not None and found.damaged:
        raise DamagedDocument(number=found.number + 1, readable=found.number)
    number, frame = (None, None) if found is None else (found.number, found.frame)
    known = (content, number, frame) if content else ("", None, None)
    last.sha256, last.number, last.frame = known
    return number, frame


class _Line:
    """Versions from the newest to the oldest: each is compared with the one before it in time, which comes after it."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._done: list[Version] = []
        self._ids: list[str] = []
        self._frame: bytes | None = None
        self._number: int | None = None

    def add(self, backup_id: str, frame: bytes | None, number: int | None = None) -> None:
        """Add what the next older backup holds, and at which place."""
        if self._ids and frame != self._frame:
            self._close(_changes(frame, self._frame, self._zone))
        if not self._ids or self._ids == [NOW]:
            self._number = number
        self._ids.append(backup_id)
        self._frame = frame

    def versions(self) -> tuple[Version, ...]:
        """Return them all."""
        if self._ids:
            self._close(())
        return tuple(self._done)

    def _close(self, changes: tuple[FieldChange, ...]) -> None:
        there = self._frame is not None
        self._done.append(Version(backup_ids=tuple(self._ids), there=there, number=self._number, changes=changes))
        self._ids = []


def _changes(before: bytes | None, after: bytes | None, zone: tzinfo) -> tuple[FieldChange, ...]:
    return () if before is None or after is None else differences.fields(before, after, zone=zone)
