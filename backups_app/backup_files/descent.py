"""Opening a file below a folder component by component, so that no link can lead out of it."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from backups_app.errors import VerificationFailed
from backups_app.messages import backup_files as messages

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OF_ANOTHER_KIND = frozenset({errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV})
"""What the system says of a link, of a file in the place of a directory, of a socket and of a device."""
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_descriptor(folder: Path, relative: str) -> int:
    """Given a folder and a path below it with forward slashes, return a descriptor of that plain file.

    Raise `FileNotFoundError` if it is not there, `VerificationFailed` if it is a link or anything but a plain file;
    that has a cause only where the system refused.
    """
    *directories, name = _components(relative)
    here = _open_folder(folder)
    try:
        for directory in directories:
            inner = _open(directory, _DIRECTORY, here)
            os.close(here)
            here = inner
        descriptor = _open(name, _FILE, here)
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise VerificationFailed(problem=messages.NAMED_NOT_PLAIN_FILE(name=name))
    return descriptor


def open_file(folder: Path, relative: str) -> BufferedReader:
    """As `open_descriptor`, as a buffered binary file."""
    return os.fdopen(open_descriptor(folder, relative), "rb")


def _components(relative: str) -> list[str]:
    parts = relative.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts) or not _can_be_named(relative):
        raise FileNotFoundError(relative)
    return parts


def _can_be_named(relative: str) -> bool:
    try:
        os.fsencode(relative)
    except UnicodeEncodeError:
        return False
    return True


def _open_folder(folder: Path) -> int:
    try:
        return os.open(folder, _DIRECTORY)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise VerificationFailed(problem=messages.FOLDER_NOT_OPENED()) from error


def _open(name: str, flags: int, parent: int) -> int:
    try:
        return os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _OF_ANOTHER_KIND:
            raise VerificationFailed(problem=messages.FILE_NOT_OPENED_AS_PLAIN(name=name)) from None
        raise VerificationFailed(problem=messages.FILE_NOT_OPENED_AS_PLAIN(name=name)) from error
