"""What distinguishes the files that were read from others of the same names: size and time of each, noted when they
were read.

A verdict belongs to the bytes that were read. Reading them again takes minutes; whether somebody has written to a file
since, or put another in its place, its stamp says at once.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from backups_app.backup_files import layout
from backups_app.backup_files.manifest import Manifest

FIELD = "stamps"
"""Their name in `metadata.json`, beside the manifest."""

Stamps = dict[str, list[int]]
_NOT_NOTED, _NO_STAMP = (-2, 0), (-1, 0)
"""No file has such a size."""


class Change(StrEnum):
    """What became of the files of a manifest since they were read."""

    NONE = "none"
    TOUCHED = "touched"
    SIZE = "size"
    OTHERS = "others"


def take(folder: Path, manifest: Manifest) -> Stamps:
    """Return the stamps of the manifest's files: [bytes, nanoseconds of the last change]. Indexes can be made again
    and have none."""
    return {name: list(stamp) for name, stamp in _taken(str(folder), _names(manifest)).items()}


def compare(folder: Path, *, manifest: Manifest, noted: Any) -> tuple[Change, str]:
    """Given what was noted when the files were read (nothing, in older backups), return what became of them since, and
    the first file concerned."""
    return ExpectedFiles(manifest, noted).compare(str(folder))


class ExpectedFiles:
    """What is expected of a backup's files: their sizes by the manifest, and the stamps that were noted. Small, for a
    list holds it of thousands of backups: their names are the same and in memory once."""

    __slots__ = ("_has_stamps", "_names", "_noted_bytes", "_noted_times", "_sizes")

    def __init__(self, manifest: Manifest, noted: Any) -> None:
        """`noted` is what stands beside the manifest in `metadata.json`, whatever that is."""
        stamps = noted if isinstance(noted, Mapping) else {}
        names = shared(tuple(_names(manifest)))
        known = [_as_noted(stamps[name]) if name in stamps else _NOT_NOTED for name in names]
        self._has_stamps, self._names = bool(stamps), names
        self._sizes = array("q", [manifest.files[name].bytes for name in names])
        self._noted_bytes, self._noted_times = (
            array("q", [one[0] for one in known]),
            array("q", [one[1] for one in known]),
        )

    @property
    def directories(self) -> tuple[str, ...]:
        """The directories below the backup's folder in which the files lie."""
        return shared(tuple(sorted({name.rpartition("/")[0] for name in self._names} - {""})))

    def compare(self, folder: str) -> tuple[Change, str]:
        """Look at each file. Return what became of them, and the first file concerned.

        `TOUCHED`: written to, or put there again, with the same size. `SIZE`: not the size that was verified, or gone.
        `OTHERS`: not one of them is what was verified, so another dump lies here.
        """
        now = _taken(folder, self._names)
        expected = zip(self._names, self._sizes, self._noted_bytes, self._noted_times, strict=True)
        others, sizes, touched = 0, "", ""
        for name, size, noted_bytes, noted_at in expected:
            stamp, noted = now.get(name), (noted_bytes, noted_at)
            is_other_size = stamp is None or stamp[0] != size
            is_touched = stamp is not None and noted != _NOT_NOTED and noted != stamp
            others += is_other_size or is_touched
            sizes = sizes or (name if is_other_size else "")
            touched = touched or (name if is_touched else "")
        if self._has_stamps and others == len(self._names) and now:
            return Change.OTHERS, self._names[0]
        if sizes:
            return Change.SIZE, sizes
        return (Change.TOUCHED, touched) if touched else (Change.NONE, "")


def digest(folder: Path, files: Iterable[str]) -> str:
    """Return one short text that is the same as long as none of these files was written to or exchanged."""
    stamps = [f"{name}:{_text(_stamp_of(folder / name))}" for name in sorted(files)]
    return hashlib.sha256("\n".join(stamps).encode(errors="surrogateescape")).hexdigest()[:32]


@lru_cache(maxsize=256)
def shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return these names, in memory once for the many backups that have the same."""
    return names


def _taken(root: str, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return the stamps of what is there; what only a link leads to is not."""
    found, links = {}, dict[str, bool]()
    for name in names:
        where = name.rpartition("/")[0]
        if where not in links:
            links[where] = os.path.islink(f"{root}/{where}")  # noqa: PTH114 - a list asks this of every backup
        if not links[where] and (stamp := _stamp(f"{root}/{name}")) is not None:
            found[name] = stamp
    return found


def _as_noted(stamp: Any) -> tuple[int, int]:
    """Return a noted stamp; what no file can have for anything else that an edited `metadata.json` holds."""
    try:
        size, at = stamp
        array("q", (size, at))
    except (TypeError, ValueError, OverflowError):
        return _NO_STAMP
    return size, at


def _names(manifest: Manifest) -> list[str]:
    return sorted(name for name in manifest.files if not name.endswith(layout.INDEX_SUFFIX))


def _text(stamp: tuple[int, int] | None) -> str:
    """As verdicts of earlier versions wrote it."""
    return str(None if stamp is None else list(stamp))


def _stamp_of(path: Path) -> tuple[int, int] | None:
    """None for what only a link leads to, too: nothing of ours follows one."""
    return None if path.parent.is_symlink() else _stamp(str(path))


def _stamp(path: str) -> tuple[int, int] | None:
    """None for what is not there."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns
