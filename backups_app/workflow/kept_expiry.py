"""Versions that a sync kept go when they are old and a verified backup that is still here holds them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pymongo.database import Database

from backups_app.backup_files import bson_frames, collection_reader, metadata
from backups_app.backup_files import manifest as manifests
from backups_app.backup_files.manifest import CollectionEntry
from backups_app.backup_files.store import Store
from backups_app.catalog import runs, sync_conflicts
from backups_app.errors import TempleOpsError

logger = logging.getLogger(__name__)


def expire(*, database: Database[Any], store: Store, now: datetime) -> int:
    """Under the lease: remove kept versions of more than 90 days that the newest verified backup of this database
    holds, read from its file just now and byte for byte the same. Return how many.

    Without such a backup, or when its file cannot be read, nothing expires. Raise PyMongoError.
    """
    if not sync_conflicts.has_expired(database, now=now):
        return 0
    for backup_id in store.backups().ids:
        try:
            entry = _entry(database, store, backup_id)
            if entry is None:
                continue
            held = partial(_frames, store.folder(backup_id), entry)
            removed = sync_conflicts.expire(database, held=held, now=now)
        except (TempleOpsError, ValueError, OSError) as error:
            reason = type(error).__name__
            logger.warning("Kept versions stay", extra={"backup_id": backup_id, "reason": reason})
            continue
        logger.info("Kept versions expired", extra={"backup_id": backup_id, "count": removed})
        return removed
    return 0


def _entry(database: Database[Any], store: Store, backup_id: str) -> CollectionEntry | None:
    """Return where a backup holds the kept versions of this database; None when it does not, or was found damaged."""
    record = runs.get(database, backup_id=backup_id) or {}
    written = metadata.read(store.folder(backup_id)) or {}
    if "manifest" not in written or (record.get("verification") or {}).get("problem") is not None:
        return None
    manifest = manifests.from_json(written["manifest"])
    return manifest.collections.get(sync_conflicts.NAME) if manifest.database == database.name else None


def _frames(folder: Path, entry: CollectionEntry) -> Iterator[bytes]:
    for frame in collection_reader.frames(folder=folder, entry=entry):
        bson_frames.validate(frame)
        yield frame
