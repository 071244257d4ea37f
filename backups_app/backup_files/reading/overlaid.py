"""The two files of an incremental's collection as entries of their own: the base's, and the incremental's."""

from __future__ import annotations

from pathlib import Path

from backups_app.backup_files import layout
from backups_app.backup_files.manifest import CollectionEntry, Overlay


def base_folder(folder: Path, overlay: Overlay) -> Path:
    """Given an incremental's folder, return its base's, which stands beside it. It may be gone.

    Raise `InvalidBackupId` where the name is none: it was read from a file.
    """
    return folder.parent / layout.published_name(overlay.backup)


def base_entry(entry: CollectionEntry, overlay: Overlay) -> CollectionEntry:
    """Return the base's file as an entry."""
    return CollectionEntry(
        type=entry.type,
        uuid=entry.uuid,
        documents=overlay.documents,
        bytes=overlay.bytes,
        file=overlay.file,
        metadata=None,
        index=overlay.index,
    )


def own_entry(entry: CollectionEntry, overlay: Overlay) -> CollectionEntry:
    """Return what the incremental added, in a file of its own, as an entry."""
    return CollectionEntry(
        type=entry.type,
        uuid=entry.uuid,
        documents=overlay.own_documents,
        bytes=overlay.own_bytes,
        file=entry.file,
        metadata=entry.metadata,
        index=entry.index,
        duplicate_ids=entry.duplicate_ids,
    )
