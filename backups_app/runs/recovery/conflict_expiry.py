"""Versions that a sync kept go when they are old and two verified backups that are still here hold them. Incrementals
and the full backup that they begin from are one: of them all a single damaged file may be left."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pymongo.database import Database

from backups_app.backup_files import bases, metadata
from backups_app.backup_files import manifest as manifests
from backups_app.backup_files.manifest import CollectionEntry
from backups_app.backup_files.reading import bson_frames, collection_reader
from backups_app.backup_files.store.store import Store
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.sync import sync_conflicts
from backups_app.errors import TempleOpsError
from backups_app.records import is_ahead

logger = logging.getLogger(__name__)


def expire(*, database: Database[Any], store: Store, now: datetime) -> int:
    """Under the lease: remove kept versions of more than 90 days that two verified backups of this database hold, both
    read just now, byte for byte the same. Return how many.

    The second has another full backup than the first. One dated in the future does not count. With fewer than two that
    can be read, nothing expires. Raise PyMongoError.
    """
    if not sync_conflicts.has_expired(database, now=now):
        return 0
    in_another: frozenset[bytes] | None = None
    full_of_another = ""
    for backup_id in store.backups().ids:
        try:
            entry = _entry(database, store, backup_id, now)
            if entry is None:
                continue
            full = bases.base_of(store.folder(backup_id)) or backup_id
            if in_another is None:
                in_another, full_of_another = frozenset(map(_digest, _frames(store.folder(backup_id), entry))), full
                continue
            if full == full_of_another:
                continue
            removed = sync_conflicts.expire(
                database, held=partial(_held_twice, store.folder(backup_id), entry, in_another), now=now
            )
        except (TempleOpsError, ValueError, OSError) as error:
            reason = type(error).__name__
            logger.warning("Kept versions stay", extra={"backup_id": backup_id, "reason": reason})
            continue
        logger.info("Kept versions expired", extra={"backup_id": backup_id, "count": removed})
        return removed
    return 0


def _entry(database: Database[Any], store: Store, backup_id: str, now: datetime) -> CollectionEntry | None:
    """Return where a backup holds the kept versions of this database; None when it does not, was found damaged, or is
    dated in the future."""
    record = runs.get(database, backup_id=backup_id) or RunRecord()
    written = metadata.read(store.folder(backup_id)) or {}
    if "manifest" not in written or record.verification.problem is not None:
        return None
    if is_ahead((record or RunRecord(written)).created_at, now=now):
        return None
    manifest = manifests.from_json(written["manifest"])
    return manifest.collections.get(sync_conflicts.NAME) if manifest.database == database.name else None


def _held_twice(folder: Path, entry: CollectionEntry, in_another: frozenset[bytes]) -> Iterator[bytes]:
    return (frame for frame in _frames(folder, entry) if _digest(frame) in in_another)


def _digest(frame: bytes) -> bytes:
    return hashlib.sha256(frame).digest()


def _frames(folder: Path, entry: CollectionEntry) -> Iterator[bytes]:
    for frame in collection_reader.frames(folder=folder, entry=entry):
        bson_frames.validate(frame)
        yield frame
