"""A folder that somebody else's mongodump wrote: what is in it, read from the names and metadata files alone.

Nothing of it is verified. `documents` is not known until the file has been walked (`index.py`).
"""

from __future__ import annotations

from pathlib import Path

from backups_app.backup_files import dump_folder
from backups_app.backup_files.dump_folder import Held
from backups_app.backup_files.manifest import CollectionEntry, Manifest

UNKNOWN = -1
"""The number of documents of a file that nobody has walked yet."""


def manifest(folder: Path, *, preferred: str = "") -> Manifest:
    """Given a backup folder without a manifest of ours, return one that names its collections.

    The database is the preferred one, or else the directory with the most collections; a dump that lies at the folder's
    top has none (`""`).
    """
    held = dump_folder.read(folder, database=dump_folder.choose(folder, preferred=preferred))
    collections = {one.name: _entry(folder, one) for one in held.collections}
    return Manifest(database=held.database, collections=collections)


def _entry(folder: Path, one: Held) -> CollectionEntry:
    return CollectionEntry(
        type=one.type,
        uuid=one.uuid,
        documents=UNKNOWN if one.file else 0,
        bytes=_size(folder / one.file) if one.file else 0,
        file=one.file,
        metadata=one.metadata,
        index=None,
    )


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
