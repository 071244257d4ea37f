"""What tells the files that were read from others of the same names: size and time of each, noted when they were read.

A verdict belongs to the bytes that were read. Reading them again takes minutes; whether somebody has written to a file
since, or put another in its place, its stamp says at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from backups_app.backup_files import layout
from backups_app.backup_files.manifest import Manifest

FIELD = "stamps"
"""Their name in `metadata.json`, beside the manifest."""

Stamps = dict[str, list[int]]


class Change(StrEnum):
    """What became of the files of a manifest since they were read."""

    NONE = "none"
    TOUCHED = "touched"
    SIZE = "size"
    OTHERS = "others"


def take(folder: Path, manifest: Manifest) -> Stamps:
    """Return the stamps of the manifest's files: [bytes, nanoseconds of the last change]. Indexes can be made again
    and have none."""
    return {name: stamp for name in _names(manifest) if (stamp := _stamp(folder / name)) is not None}


def compare(folder: Path, *, manifest: Manifest, noted: Any) -> tuple[Change, str]:
    """Given what was noted when the files were read (nothing, in older backups), return what became of them since, and
    the first file concerned.

    `TOUCHED`: written to, or put there again, with the same size. `SIZE`: not the size that was verified, or gone.
    `OTHERS`: not one of them is what was verified, so another dump lies here.
    """
    now, stamps = take(folder, manifest), noted if isinstance(noted, Mapping) else {}
    sizes = [name for name in _names(manifest) if name not in now or now[name][0] != manifest.files[name].bytes]
    touched = [name for name, stamp in sorted(now.items()) if name in stamps and stamps[name] != stamp]
    if stamps and len({*sizes, *touched}) == len(_names(manifest)) and now:
        return Change.OTHERS, _names(manifest)[0]
    if sizes:
        return Change.SIZE, sizes[0]
    return (Change.TOUCHED, touched[0]) if touched else (Change.NONE, "")


def digest(folder: Path, files: Iterable[str]) -> str:
    """Return one short text that is the same as long as none of these files was written to or exchanged."""
    told = [f"{name}:{_stamp(folder / name)}" for name in sorted(files)]
    return hashlib.sha256("\n".join(told).encode(errors="surrogateescape")).hexdigest()[:32]


def _names(manifest: Manifest) -> list[str]:
    return sorted(name for name in manifest.files if not name.endswith(layout.INDEX_SUFFIX))


def _stamp(path: Path) -> list[int] | None:
    """None for what is not there, and for what only a link leads to: nothing of ours follows one."""
    try:
        status = None if path.parent.is_symlink() else path.lstat()
    except OSError:
        return None
    return None if status is None else [status.st_size, status.st_mtime_ns]
