"""The collections of a backup: names, sizes, indexes, and whether each was verified."""

from __future__ import annotations

import time
from dataclasses import dataclass

from backups_app import formats
from backups_app.backup_files import collection_metadata
from backups_app.backup_files.manifest import CollectionEntry
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import foreign, index, opening
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.errors import CollectionPreparing, VerificationFailed
from backups_app.messages import browsing as messages
from backups_app.records import INTERNAL

VIEW = messages.VIEW_SHOWS_ANOTHER_COLLECTION()
NO_FILE = messages.NO_FILE_OF_DOCUMENTS()


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionSummary:
    """One collection. `documents` is None while a foreign file has not been counted yet; `size_bytes` is uncompressed
    where it is known; `size` is the same as `45.67 KB`. `internal`: one of our own records. `note`: why it has no
    documents, where that does not mean that it was empty."""

    name: str
    type: str
    documents: int | None
    size_bytes: int
    size: str
    indexes: tuple[str, ...]
    verified: bool
    internal: bool
    problem: str = ""
    note: str = ""


def of_backup(*, store: Store, backup_id: str, seconds: float = index.SECONDS) -> tuple[CollectionSummary, ...]:
    """Return the collections by name. Foreign folders are counted by walking, for at most `seconds` each call.

    Raise `InvalidBackupId`, `BackupNotFound`.
    """
    backup = opening.open_backup(store=store, backup_id=backup_id)
    until = time.monotonic() + seconds
    return tuple(_summary(backup, name, until) for name in sorted(backup.manifest.collections))


def _summary(backup: OpenBackup, name: str, until: float) -> CollectionSummary:
    entry = backup.manifest.collections[name]
    described = collection_metadata.read(backup.folder, entry.metadata)
    documents, size_bytes, problem = _counted(backup, entry, until)
    return CollectionSummary(
        name=name,
        type=entry.type,
        documents=documents,
        size_bytes=size_bytes,
        size=formats.size(size_bytes),
        indexes=tuple(str(index.get("name", "")) for index in described.indexes),
        verified=backup.verified,
        internal=name in INTERNAL,
        problem=problem or described.problem,
        note=why_no_documents(entry),
    )


def why_no_documents(entry: CollectionEntry) -> str:
    """Return why a collection of a backup has no documents, where that does not mean that it was empty."""
    if entry.type == "view":
        return VIEW
    return NO_FILE if entry.file is None else ""


def _counted(backup: OpenBackup, entry: CollectionEntry, until: float) -> tuple[int | None, int, str]:
    """Return documents, bytes, and what is wrong with the file."""
    if entry.file is None or entry.documents != foreign.UNKNOWN:
        return entry.documents, entry.bytes, ""
    try:
        known = index.index_of(folder=backup.folder, entry=entry, seconds=until - time.monotonic())
    except CollectionPreparing:
        return None, entry.bytes, ""
    except (FileNotFoundError, VerificationFailed):
        return None, entry.bytes, messages.ITS_FILE_UNREADABLE()
    assert known is not None
    broken = index.damage(folder=backup.folder, entry=entry)
    message = messages.DOCUMENT_UNREADABLE(number=known.documents + 1, problem=broken) if broken else ""
    return known.documents, known.stream_bytes, message
