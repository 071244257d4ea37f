"""Every fsync and every rename of the product, and all that writes to the backup disk but files without a name.

A file is whole or it is not there: written under a name of its own, fsynced, closed, its directory fsynced, and only
then renamed to the name that others read. An error of write, fsync, close or rename means that the file is dead:
nothing is tried a second time, for a second fsync reports success for data that the first one lost.

Each operation is reported to `disk_recorder`, so that a test can enumerate what a power cut could leave behind.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from backups_app import formats
from backups_app.backup_files import disk_recorder
from backups_app.backup_files.disk_recorder import Operation as Operation
from backups_app.backup_files.disk_recorder import notify_listeners as notify_listeners
from backups_app.backup_files.disk_recorder import recording as recording
from backups_app.errors import DiskFull, FolderNotWritable, StorageFailed
from backups_app.messages import backup_files as messages

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
WRITE_BACK_BYTES = 8 * 1024 * 1024
"""After so many bytes the system is asked to begin putting them on the disk: fsync then has little left to wait for."""
_RENAME_NOREPLACE, _AT_FDCWD = 1, -100
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}


def fail(error: OSError, *, path: Path, needed: int = 0) -> NoReturn:
    """Raise the named failure that `error` stands for: `DiskFull`, `FolderNotWritable` or `StorageFailed`.

    `needed` is how many bytes were to be written. The path stays in the chained error, for the log only.
    """
    name = errno.errorcode.get(error.errno or 0, "EIO")
    if error.errno in _FULL:
        raise DiskFull(needed=formats.size(needed), free=formats.size(_free(path))) from error
    if error.errno in _FORBIDDEN:
        raise FolderNotWritable(errno_name=name) from error
    raise StorageFailed(errno_name=name) from error


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(path if path.is_dir() else path.parent).free
    except OSError:
        return 0


class DurableFile:
    """A new file that is on the disk once `close` has returned. Used as a context manager it closes on success
    and abandons on failure, leaving the removal to the one who owns the folder."""

    def __init__(self, path: Path, *, mode: int = FILE_MODE, expected_bytes: int = 0) -> None:
        """Create `path`, which must not exist, and reserve `expected_bytes` where the file system can. Raise
        `DiskFull`, `FolderNotWritable` or `StorageFailed`, as every method does."""
        self.path = path
        self.size = 0
        self._asked_to_write_back = 0
        self._dead = False
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, mode)
        except OSError as error:
            fail(error, path=path, needed=expected_bytes)
        notify_listeners("create", path)
        self._reserved = self._reserve(expected_bytes)

    def _reserve(self, expected_bytes: int) -> int:
        if expected_bytes <= 0:
            return 0
        try:
            os.posix_fallocate(self._descriptor, 0, expected_bytes)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                return 0
            self._kill()
            fail(error, path=self.path, needed=expected_bytes)
        notify_listeners("truncate", self.path, size=expected_bytes)
        return expected_bytes

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append all of `data`. Return its length in bytes."""
        assert not self._dead, "a file that failed once is never written again"
        view = memoryview(data).cast("B")
        total = len(view)
        try:
            while view:
                written = os.write(self._descriptor, view)
                if disk_recorder.is_on():
                    notify_listeners("write", self.path, offset=self.size, data=bytes(view[:written]))
                self.size += written
                view = view[written:]
        except OSError as error:
            self._kill()
            fail(error, path=self.path, needed=len(view))
        if self.size - self._asked_to_write_back >= WRITE_BACK_BYTES:
            self._begin_write_back()
        return total

    def _begin_write_back(self) -> None:
        start, self._asked_to_write_back = self._asked_to_write_back, self.size
        with suppress(OSError):  # whether the bytes reached the disk is what fsync says
            os.posix_fadvise(self._descriptor, start, self.size - start, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        """Cut what was reserved too much, fsync, close. The directory's entry is the caller's to fsync."""
        assert not self._dead, "a file that failed once is never fsynced again"
        try:
            if self._reserved > self.size:
                os.ftruncate(self._descriptor, self.size)
                notify_listeners("truncate", self.path, size=self.size)
            os.fsync(self._descriptor)
            notify_listeners("fsync", self.path)
        except OSError as error:
            self._kill()
            fail(error, path=self.path)
        self._dead = True
        try:
            os.close(self._descriptor)
        except OSError as error:
            fail(error, path=self.path)
        notify_listeners("close", self.path)

    def abandon(self) -> None:
        """Close without a promise. The file is not whole and its owner removes it."""
        if not self._dead:
            self._kill()

    def _kill(self) -> None:
        self._dead = True
        try:
            os.close(self._descriptor)
        except OSError:  # the file is given up already; the first error is the one to report
            return

    def __enter__(self) -> DurableFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and not self._dead:
            self.close()
        else:
            self.abandon()


def make_directory(path: Path) -> None:
    """Make `path` for its owner alone and fsync its parent. Raise FileExistsError if it is there already."""
    try:
        path.mkdir(mode=DIRECTORY_MODE)
    except FileExistsError:
        raise
    except OSError as error:
        fail(error, path=path.parent)
    notify_listeners("mkdir", path)
    fsync_directory(path.parent)


def fsync_directory(path: Path) -> None:
    """Make the entries of the directory `path` durable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        fail(error, path=path)
    notify_listeners("fsync_directory", path)


def temporary_name(name: str) -> str:
    """Return under what name the new content of a file stands until it is whole. One may be left by a crash."""
    return f".{name}.tmp"


def write_whole(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Put `data` (or its pieces) at `path` in one step: a reader finds the old content or the new, also after a cut."""
    temporary = path.with_name(temporary_name(path.name))
    try:
        temporary.unlink(missing_ok=True)  # left by a process that died here
    except OSError as error:
        fail(error, path=path.parent)
    with DurableFile(temporary) as file:
        for piece in (data,) if isinstance(data, bytes) else data:
            file.write(piece)
    try:
        temporary.rename(path)
    except OSError as error:
        fail(error, path=path)
    notify_listeners("rename", temporary, target=path)
    fsync_directory(path.parent)


def forget_cached(descriptor: int, path: Path) -> None:
    """Ask the system to drop its copy in memory of a file that was fsynced, so that the next reader reads the disk."""
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            fail(error, path=path)
    notify_listeners("forget_cached", path)


def sync_tree(folder: Path) -> None:
    """Make durable what another program wrote into `folder`: owner-only rights, every file and directory fsynced,
    directories bottom-up. Raise `StorageFailed` for anything that is neither a plain file nor a directory."""
    for where, directories, files in os.walk(folder, topdown=False, followlinks=False, onerror=_raise):
        for name in files:
            sync_file(Path(where, name))
        if any(Path(where, name).is_symlink() for name in directories):
            raise StorageFailed(errno_name="ELOOP")
        Path(where).chmod(DIRECTORY_MODE)
        fsync_directory(Path(where))


def _raise(error: OSError) -> NoReturn:
    fail(error, path=Path(error.filename or "."))


def sync_file(path: Path) -> None:
    """Make one plain file durable, for its owner alone. Raise as `fail` does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.ELOOP, messages.NOT_PLAIN_FILE())
            os.fchmod(descriptor, FILE_MODE)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        fail(error, path=path)
    notify_listeners("fsync", path)


def rename(source: Path, target: Path) -> None:
    """Rename within one directory, never over something that is there (FileExistsError), and fsync the directory."""
    try:
        _rename_noreplace(source, target)
    except FileExistsError:
        raise
    except OSError as error:
        fail(error, path=source)
    notify_listeners("rename", source, target=target)
    fsync_directory(target.parent)


def _rename_noreplace(source: Path, target: Path) -> None:
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is not None:
        paths = os.fsencode(source), os.fsencode(target)
        if renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_NOREPLACE) == 0:
            return
        code = ctypes.get_errno()
        if code not in _UNSUPPORTED:
            raise OSError(code, os.strerror(code))
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    source.rename(target)


def remove_file(path: Path) -> None:
    """Remove one file of ours that is not whole. Gone already is fine."""
    _remove(path)


def remove_tree(folder: Path) -> None:
    """Remove `folder` and all in it without following a link, and fsync its parent. Gone already is fine."""
    if folder.is_symlink():
        _remove(folder)
    for where, directories, files in os.walk(folder, topdown=False, followlinks=False):
        for name in files:
            _remove(Path(where, name))
        for name in directories:
            inner = Path(where, name)
            if inner.is_symlink():
                _remove(inner)
        _remove(Path(where), directory=True)
    fsync_directory(folder.parent)


def _remove(path: Path, *, directory: bool = False) -> None:
    try:
        path.rmdir() if directory else path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        fail(error, path=path)
    notify_listeners("rmdir" if directory else "unlink", path)
