"""What lies in a backup's folder: collections with their files, and whatever does not belong there."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backups_app.backup_files import collection_reader, descent, durable, layout
from backups_app.errors import VerificationFailed

AT_THE_ROOT = frozenset({layout.METADATA, durable.temporary_name(layout.METADATA)})
"""What changes after the backup was published: its status, and what a crash in the middle of that leaves."""

_LARGEST_METADATA = 16 * 1024 * 1024
_UUID_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class Held:
    """One collection as the folder shows it; the paths are below the backup's folder."""

    name: str
    type: str
    uuid: str
    file: str | None
    metadata: str | None


@dataclass(frozen=True, kw_only=True)
class Contents:
    """`others` belong to the dump but to no collection (prelude.json); `strange` ones do not belong at all."""

    collections: tuple[Held, ...]
    others: tuple[str, ...]
    strange: tuple[str, ...]


def survey(*, folder: Path, database: str) -> Contents:
    """Given a backup's folder, return what it holds of `database`.

    Raise `VerificationFailed` for links and special files, for a folder without that database, for a collection whose
    file is there twice, and for metadata that cannot be read.
    """
    names, strange = _plain_files(folder, database)
    data = _by_base(names, layout.DATA_SUFFIX)
    metadata = _by_base(names, layout.COLLECTION_METADATA_SUFFIX)
    packed = {collection_reader.is_gzip(name) for name in (*data.values(), *metadata.values())}
    if len(packed) > 1:
        raise VerificationFailed(problem="plain and compressed files are mixed, and stock tools would restore half")
    held = []
    for base, name in metadata.items():
        held.append(_described(folder, database, base, name, data))
    held += [_undescribed(database, base, name) for base, name in data.items()]
    collections = {one.name: one for one in held}
    if len(collections) != len(held):
        raise VerificationFailed(problem="two files say that they are the same collection")
    preludes = [name for name in names if _without_gzip(name) == layout.PRELUDE]
    indexes = {f"{database}/{name}" for name in names if name.endswith(layout.INDEX_SUFFIX)}
    own_indexes = {f"{one.file}{layout.INDEX_SUFFIX}" for one in held if one.file}
    return Contents(
        collections=tuple(sorted(held, key=lambda one: one.name)),
        others=tuple(f"{database}/{name}" for name in preludes),
        strange=(*strange, *sorted(indexes - own_indexes), *_unknown(database, names)),
    )


def _plain_files(folder: Path, database: str) -> tuple[list[str], list[str]]:
    """Return the names in the database's directory, and what else lies in the folder."""
    strange = [name for name in _entries(folder) if name != database and name not in AT_THE_ROOT]
    inside = folder / database
    if not _is_directory(inside):
        raise VerificationFailed(problem=f'it holds no folder "{database}"')
    names = _entries(inside)
    for name in names:
        if not stat.S_ISREG((inside / name).lstat().st_mode):
            raise VerificationFailed(problem=f"{database}/{name} is a link or no plain file")
    return names, strange


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError as error:
        raise VerificationFailed(problem="its folder cannot be read") from error


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _without_gzip(name: str) -> str:
    return name.removesuffix(layout.GZIP_SUFFIX)


def _by_base(names: list[str], suffix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        if _without_gzip(name).endswith(suffix):
            base = _without_gzip(name).removesuffix(suffix)
            if base in found:
                raise VerificationFailed(problem=f"{base}{suffix} is there twice, plain and compressed")
            found[base] = name
    return found


def _unknown(database: str, names: list[str]) -> list[str]:
    known = (layout.DATA_SUFFIX, layout.COLLECTION_METADATA_SUFFIX)
    return [
        f"{database}/{name}"
        for name in names
        if not _without_gzip(name).endswith(known)
        and not name.endswith(layout.INDEX_SUFFIX)
        and _without_gzip(name) != layout.PRELUDE
    ]


def _described(folder: Path, database: str, base: str, name: str, data: dict[str, str]) -> Held:
    """Join a metadata file with its data file, which is taken out of `data`."""
    document = read_collection_metadata(folder, f"{database}/{name}")
    stated = document.get("collectionName")
    collection = layout.collection_name(base=base, stated=stated if isinstance(stated, str) else None)
    kind = _type(document)
    file = None
    if kind == "timeseries":
        file = data.pop(layout.file_base(layout.BUCKETS_PREFIX + collection), None)
    if file is None and kind != "view":
        file = data.pop(base, None)
    return Held(
        name=collection,
        type=kind,
        uuid=_uuid(document),
        file=None if file is None else f"{database}/{file}",
        metadata=f"{database}/{name}",
    )


def _undescribed(database: str, base: str, name: str) -> Held:
    return Held(
        name=layout.collection_name(base=base, stated=None),
        type="collection",
        uuid="",
        file=f"{database}/{name}",
        metadata=None,
    )


def read_collection_metadata(folder: Path, relative: str) -> Mapping[str, Any]:
    """Return a collection's metadata file as parsed JSON, still in Extended JSON's form; an empty file is an empty
    object, as stock tools take it. Raise `VerificationFailed`."""
    try:
        with descent.open_file(folder, relative) as file:
            stream = collection_reader.opened(file, name=relative, at_most=_LARGEST_METADATA)
            raw = b"".join(iter(lambda: stream.read(_LARGEST_METADATA), b""))
        document = json.loads(raw) if raw.strip() else {}
    except (OSError, ValueError, RecursionError) as error:  # InvalidFrame is a ValueError
        raise VerificationFailed(problem=f"{relative} cannot be read") from error
    if not isinstance(document, dict):
        raise VerificationFailed(problem=f"{relative} is no JSON object")
    return document


def _type(document: Mapping[str, Any]) -> str:
    options = document.get("options")
    options = options if isinstance(options, dict) else {}
    if "viewOn" in options:
        return "view"
    return "timeseries" if "timeseries" in options else "collection"


def _uuid(document: Mapping[str, Any]) -> str:
    uuid = document.get("uuid")
    return uuid if isinstance(uuid, str) and len(uuid) == _UUID_DIGITS else ""
