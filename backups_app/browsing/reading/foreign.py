"""A folder that somebody else's mongodump wrote: what is in it, read from the names and metadata files alone.

Nothing of it is verified. `documents` is not known until the file has been walked (`index.py`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from backups_app.backup_files import dump_folder, file_names, layout
from backups_app.backup_files.dump_folder import DumpFolder, Held
from backups_app.backup_files.file_names import FileKind
from backups_app.backup_files.manifest import CollectionEntry, Manifest

UNKNOWN = -1
"""The number of documents of a file that nobody has walked yet."""


def manifest(folder: Path, *, preferred: str = "") -> Manifest:
    """Given a backup folder without a manifest of ours, return one that names its collections.

    The database is the preferred one, or else the directory with the most collections; a dump that lies at the folder's
    top has none (`""`).
    """
    held = dump_folder.read(folder, database=dump_folder.choose(folder, preferred=preferred))
    no_files = _no_plain_files(held)
    described = {one.name: replace(one, file=one.file or no_files.get(one.name)) for one in held.collections}
    bare = {name: Held(name=name, type="collection", uuid="", file=no_files[name], metadata=None) for name in no_files}
    collections = {name: _entry(folder, one) for name, one in sorted((bare | described).items())}
    return Manifest(database=held.database, collections=collections)


def _no_plain_files(held: DumpFolder) -> dict[str, str]:
    """Return the data files that are links or no plain files, by collection: they are listed, and refused by name."""
    found = {}
    for stray in held.strays:
        name = stray.path.rpartition("/")[2]
        if stray.kind not in ("file", "directory") and file_names.kind(name) is FileKind.DATA:
            found[layout.collection_name(base=file_names.base(name), stated=None)] = stray.path
    return found


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
