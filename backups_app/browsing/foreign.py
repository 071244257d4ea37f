"""A folder that somebody else's mongodump wrote: what is in it, read from the names and metadata files alone.

Nothing of it is verified. `documents` is not known until the file has been walked (`index.py`).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from backups_app.backup_files import layout
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.browsing import collection_metadata

_DATA = (layout.DATA_SUFFIX, layout.DATA_SUFFIX + layout.GZIP_SUFFIX)
_METADATA = (layout.COLLECTION_METADATA_SUFFIX, layout.COLLECTION_METADATA_SUFFIX + layout.GZIP_SUFFIX)
UNKNOWN = -1
"""The number of documents of a file that nobody has walked yet."""


def manifest(folder: Path) -> Manifest:
    """Given a backup folder without a manifest of ours, return one that names its collections.

    The database is the directory with the most collections; a dump that lies at the folder's top has none (`""`).
    """
    inside = [name for name in _names(folder) if _is_directory(folder / name)]
    found = {database: _collections(folder, database) for database in ("", *inside)}
    database = max(found, key=lambda name: len(found[name]))
    return Manifest(database=database, collections=found[database])


def databases(folder: Path) -> tuple[str, ...]:
    """Return the directories of the folder that hold collections."""
    return tuple(name for name in _names(folder) if _is_directory(folder / name) and _collections(folder, name))


def _collections(folder: Path, database: str) -> dict[str, CollectionEntry]:
    names = _names(folder / database if database else folder)
    prefix = f"{database}/" if database else ""
    described = {_base(name, _METADATA): prefix + name for name in names if name.endswith(_METADATA)}
    data = {_base(name, _DATA): prefix + name for name in names if name.endswith(_DATA)}
    found: dict[str, CollectionEntry] = {}
    for base in sorted({*described, *data}):
        name, entry = _entry(folder, base, described.get(base), data.get(base))
        if name is not None:
            found[name] = entry
    return _with_buckets(found, data)


def _entry(folder: Path, base: str, described: str | None, data: str | None) -> tuple[str | None, CollectionEntry]:
    known = collection_metadata.read(folder, described)
    name = layout.collection_name(base=base, stated=known.name)
    buckets = data is not None and described is None and name.startswith(layout.BUCKETS_PREFIX)
    entry = CollectionEntry(
        type=known.type,
        uuid=known.uuid,
        documents=UNKNOWN if data else 0,
        bytes=_size(folder / data) if data else 0,
        file=data,
        metadata=described,
        index=None,
    )
    return (None if buckets else name), entry


def _with_buckets(found: dict[str, CollectionEntry], data: dict[str, str]) -> dict[str, CollectionEntry]:
    """A time-series collection's documents lie in the file of its buckets."""
    for name, entry in found.items():
        buckets = data.get(layout.file_base(layout.BUCKETS_PREFIX + name))
        if entry.type == "timeseries" and entry.file is None and buckets is not None:
            fields = {key: getattr(entry, key) for key in ("type", "uuid", "metadata", "index", "bytes")}
            found[name] = CollectionEntry(**fields, file=buckets, documents=UNKNOWN)
    return found


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []


def _base(name: str, suffixes: tuple[str, ...]) -> str:
    return next(name.removesuffix(suffix) for suffix in suffixes if name.endswith(suffix))


def _is_directory(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _size(path: Path) -> int:
    return path.lstat().st_size
