"""One document through time: what each backup holds of it, and what is live now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from backups_app.backup_files.store import Store
from backups_app.browsing import backups, documents, opening
from backups_app.browsing.collection_file import open_collection
from backups_app.browsing.opening import OpenBackup
from backups_app.errors import DamagedDocument, TempleOpsError

SECONDS = 5.0
NOW = "now"
"""Stands among the backup ids for the live document."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """The same bytes in one backup after another: ids from the newest to the oldest (`now` is the live database).
    `frame` is None where they do not hold the document."""

    backup_ids: tuple[str, ...]
    frame: bytes | None


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
    clock: Callable[[], float] = time.monotonic,
) -> Versions:
    """Given a raw `_id`, return what each readable backup holds of it. With `with_live`, `live` is what the database
    holds now (None: nothing) and stands first."""
    seen: dict[str, bytes | None] = {}
    found: list[tuple[str, bytes | None]] = [(NOW, live)] if with_live else []
    unchecked: list[str] = []
    until = clock() + seconds
    for summary in backups.summaries(store=store):
        if not summary.readable or collection not in summary.collections:
            continue
        if clock() >= until:
            unchecked.append(summary.backup_id)
            continue
        try:
            frame = _look(opening.open_backup(store=store, backup_id=summary.backup_id), collection, raw_id, seen)
        except TempleOpsError:
            unchecked.append(summary.backup_id)
        else:
            found.append((summary.backup_id, frame))
    return Versions(versions=_grouped(found), unchecked=tuple(unchecked))


def _look(backup: OpenBackup, collection: str, raw_id: bytes, seen: dict[str, bytes | None]) -> bytes | None:
    """Files of the same hash hold the same document: each is read once."""
    entry = backup.entry(collection)
    file = backup.manifest.files.get(entry.file or "")
    if file is not None and file.stream_sha256 in seen:
        return seen[file.stream_sha256]
    found = documents.find_id(open_collection(backup=backup, collection=collection), raw_id=raw_id)
    if found is not None and found.damaged:
        raise DamagedDocument(number=found.number + 1, readable=found.number)
    frame = None if found is None else found.frame
    if file is not None:
        seen[file.stream_sha256] = frame
    return frame


def _grouped(found: list[tuple[str, bytes | None]]) -> tuple[Version, ...]:
    groups: list[tuple[list[str], bytes | None]] = []
    for backup_id, frame in found:
        if groups and groups[-1][1] == frame:
            groups[-1][0].append(backup_id)
        else:
            groups.append(([backup_id], frame))
    return tuple(Version(backup_ids=tuple(ids), frame=frame) for ids, frame in groups)
