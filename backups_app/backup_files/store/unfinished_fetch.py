"""A `.partial-<id>` that a copy is being fetched into. After a cut the fetch goes on with what is there already.

It bears a mark, so that nothing takes it for what a dead run left, and is held by a lock while somebody works on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backups_app.backup_files import durable, layout, locks
from backups_app.backup_files.store import removals
from backups_app.backup_files.store.removals import Removal
from backups_app.backup_files.store.store import Store

MARK = ".fetched"
KEPT = timedelta(days=7)
"""So long an unfinished fetch can be gone on with. After that the next run removes it."""


@contextmanager
def held(store: Store, backup_id: str, *, base: str | None = None) -> Iterator[None]:
    """Hold the lock of fetching this backup for the block; wait for another fetch of it. Nobody removes the `base` that
    it begins from meanwhile."""
    reading = nullcontext() if base is None else locks.reading(store.root, base)
    with locks.held(store.root, _lock(backup_id)), reading:
        yield


def folder(store: Store, backup_id: str, *, now: datetime) -> Path:
    """Return the folder to fetch into: the one that an earlier fetch left, or a new one. What a dead run left under
    this name goes. Raise `DiskFull`, `FolderNotWritable`, `StorageFailed`."""
    partial = store.partial(backup_id)
    if (partial / MARK).is_file():
        return partial
    store.discard_partial(backup_id, now=now)
    store.make_partial(backup_id)
    durable.write_whole(partial / MARK, b"")
    return partial


def finish(store: Store, backup_id: str, *, by: str, now: datetime) -> None:
    """Take the mark away: the folder is whole, and is published next. One that was removed here is brought back."""
    if removals.of_backup(store.root, backup_id) is not None:
        back = Removal(backup_id=backup_id, at=now, by=by, how=removals.BROUGHT_BACK)
        removals.note(store.root, back)
    partial = store.partial(backup_id)
    durable.remove_file(partial / MARK)
    durable.fsync_directory(partial)


def goes_on(store: Store, backup_id: str, *, now: datetime) -> bool:
    """Return whether a fetch works on this folder, or may go on with it."""
    if locks.is_held(store.root, _lock(backup_id)):
        return True
    try:
        began = datetime.fromtimestamp((store.partial(backup_id) / MARK).lstat().st_mtime, UTC)
    except OSError:
        return False
    return began > now - KEPT


def _lock(backup_id: str) -> str:
    return f"{layout.published_name(backup_id)}.fetch"
