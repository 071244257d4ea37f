"""Which full backup an incremental begins from, by its folder alone: who reads the one reads the other, and the other
stays as long as the one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from backups_app.backup_files import layout, locks, metadata
from backups_app.errors import TempleOpsError


@contextmanager
def reading(root: Path, backup_id: str) -> Iterator[None]:
    """Hold the shared lock of a backup for the block, and that of its base where it is an incremental. Raise
    `StoreBusy` as `locks.reading`."""
    with locks.reading(root, backup_id):
        base = base_of(root / layout.published_name(backup_id))
        if base is None:
            yield
            return
        with locks.reading(root, base):
            yield


def base_of(folder: Path) -> str | None:
    """Return the base of the incremental in this folder; None for a full backup, and where its `metadata.json` cannot
    be read."""
    stamp = metadata.stamp(folder)
    return None if stamp is None else _base_of(folder, stamp)


def needed_by(folders: Iterable[Path]) -> dict[str, list[str]]:
    """Return the names of the folders that hold incrementals, by the base that they begin from."""
    found: dict[str, list[str]] = {}
    for folder in folders:
        if (base := base_of(folder)) is not None:
            found.setdefault(base, []).append(folder.name)
    return found


@lru_cache(maxsize=20_000)
def _base_of(folder: Path, _: metadata.Stamp) -> str | None:
    try:
        written = metadata.read_plain(folder) or {}
    except TempleOpsError:
        return None
    incremental = written.get("incremental")
    base = incremental.get("base") if isinstance(incremental, dict) else None
    return base if isinstance(base, str) else None
