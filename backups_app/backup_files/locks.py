"""Locks of the backup store, in `.locks/`: who reads a backup for longer than a request holds a shared one, removal
takes it exclusively. They end with their process, so a killed one blocks nobody.

    .locks/backup_<id>          read by a restore, a verification, a comparison; taken exclusively to remove
    .locks/backup_<id>.status   the status fields of metadata.json are being replaced
    .locks/backup_<id>.fetch    a copy of it is being fetched
    .locks/trash                the trash is emptied, or something is brought back from it
    .locks/removed              a line is added to removed.json

A process that was stopped keeps its locks, so nobody waits for one without end.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backups_app.backup_files import durable, layout
from backups_app.errors import BackupInUse, StoreBusy

FOLDER = ".locks"
TRASH = "trash"
REMOVED = "removed"
WAIT_SECONDS = 10.0
LOOK_SECONDS = 0.02


@contextmanager
def reading(root: Path, backup_id: str) -> Iterator[None]:
    """Hold the shared lock of a backup for the block, after a removal that is going on. Where there is no such backup,
    or the disk takes no lock file (it is read-only), the block runs without one: nothing is removed there either.

    Raise `StoreBusy` where it is held for more than `WAIT_SECONDS`.
    """
    name = layout.published_name(backup_id)
    descriptor = _taken(root, name, fcntl.LOCK_SH) if (root / name).is_dir() else None
    try:
        yield
    finally:
        if descriptor is not None:
            _close(descriptor)


@contextmanager
def removing(root: Path, backup_id: str) -> Iterator[None]:
    """Hold the exclusive lock of a backup for the block. Raise `BackupInUse` at once while somebody reads it, or where
    no lock can be had."""
    descriptor = _opened(root, layout.published_name(backup_id))
    if descriptor is None:
        raise BackupInUse()
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BackupInUse() from error
        if not _is_current(root, layout.published_name(backup_id), descriptor):
            raise BackupInUse()
        yield
    finally:
        _close(descriptor)


def is_read(root: Path, backup_id: str) -> bool:
    """Return whether somebody holds the shared lock of this backup now. It makes no file."""
    return _is_taken(_path(root, layout.published_name(backup_id)))


def _is_taken(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        _close(descriptor)
    return False


def is_held(root: Path, name: str) -> bool:
    """Return whether somebody holds the exclusive lock `name` of the store now. It makes no file."""
    return _is_taken(_path(root, name))


@contextmanager
def held(root: Path, name: str) -> Iterator[None]:
    """Hold the exclusive lock `name` of the store for the block. Without locks, go on: what the block writes then fails
    by its own name. Raise `StoreBusy` where it is held for more than `WAIT_SECONDS`."""
    descriptor = _taken(root, name, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor is not None:
            _close(descriptor)


def forget(root: Path, backup_id: str) -> None:
    """Remove the lock files of a backup that is gone for good. Those that somebody holds stay, and so do those of a
    backup that is here again: a second file of the name would lock nothing."""
    published = layout.published_name(backup_id)
    for name in (published, f"{published}.status"):
        with suppress(OSError):
            descriptor = os.open(_path(root, name), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not os.path.lexists(root / published):
                    _path(root, name).unlink()
            finally:
                _close(descriptor)


def _taken(root: Path, name: str, how: int) -> int | None:
    """Open and take a lock, and wait for it. Return None where no lock file can be had. Raise `StoreBusy`."""
    while (descriptor := _opened(root, name)) is not None:
        try:
            _take(descriptor, how)
        except StoreBusy:
            _close(descriptor)
            raise
        if _is_current(root, name, descriptor):
            return descriptor
        _close(descriptor)
    return None


def _is_current(root: Path, name: str, descriptor: int) -> bool:
    """Whether the lock file still has its name: one that was forgotten meanwhile locks nothing."""
    try:
        return os.path.samestat(_path(root, name).stat(), os.fstat(descriptor))
    except OSError:
        return False


def _take(descriptor: int, how: int) -> None:
    """Take a lock, and wait for it. A file system without locks gives none; there, nobody removes anything either."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise StoreBusy(seconds=round(WAIT_SECONDS)) from error
            time.sleep(LOOK_SECONDS)
        except OSError:
            return None


def _close(descriptor: int) -> None:
    """Give up the lock. The kernel frees the descriptor even where closing reports an error (close(2)), and a lock file
    holds no data that such an error could have lost."""
    with suppress(OSError):
        os.close(descriptor)


def _path(root: Path, name: str) -> Path:
    return root / FOLDER / name


def _opened(root: Path, name: str) -> int | None:
    try:
        if not (root / FOLDER).is_dir():
            with suppress(FileExistsError):
                (root / FOLDER).mkdir(mode=durable.DIRECTORY_MODE)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(_path(root, name), flags, durable.FILE_MODE)
    except OSError:
        return None
