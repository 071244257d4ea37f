"""A backup disk that fails once: the n-th write, fsync, close or rename below one folder ends with an error.

Works inside the process that is struck, on the system calls of Python, so the product's own handling is what is seen.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backups_app.backup_files import durable

CALLS = ("write", "fsync", "close", "rename")


class BrokenDisk:
    """Counts one kind of call below `folder` and lets the `at`-th fail with `errno`; 0 only counts.

    The count stands in the file `counted`, for who wants to strike evenly, and below it the path that was struck.
    """

    def __init__(self, *, folder: str, call: str, at: int, errno: int, counted: str) -> None:
        self._folder = os.path.realpath(folder)
        self._call, self._at, self._errno = call, at, errno
        self._counted = Path(counted)
        self._reached = 0
        self._struck = ""
        self._one_at_a_time = threading.Lock()

    def install(self) -> None:
        """Put this disk under the process, for good."""
        if self._call == "rename":
            durable._rename_noreplace = self._around_rename(durable._rename_noreplace)
            Path.rename = self._around_rename(Path.rename)  # type: ignore[method-assign]
        else:
            setattr(os, self._call, self._around(getattr(os, self._call)))

    def _around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(descriptor: int, *more: Any) -> Any:
            fails = self._is_ours(descriptor) and self._strikes(_path(descriptor))
            if fails and self._call != "close":
                raise OSError(self._errno, os.strerror(self._errno))
            result = real(descriptor, *more)  # a close that fails has closed all the same
            if fails:
                raise OSError(self._errno, os.strerror(self._errno))
            return result

        return call

    def _around_rename(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(source: Path, target: Path) -> Any:
            if os.path.realpath(source).startswith(self._folder) and self._strikes(str(target)):
                raise OSError(self._errno, os.strerror(self._errno))
            return real(source, target)

        return call

    def _is_ours(self, descriptor: int) -> bool:
        """Whether it is open below the folder; a file that was only read loses nothing by its close."""
        try:
            below = _path(descriptor).startswith(self._folder)
            reads = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        except OSError:
            return False
        return below and not (reads and self._call == "close")

    def _strikes(self, path: str) -> bool:
        with self._one_at_a_time:  # collections are dumped and hashed by several threads
            self._reached += 1
            if self._reached == self._at:
                self._struck = path
            self._counted.write_text(f"{self._reached}\n{self._struck}")
            return self._reached == self._at


def _path(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}")
