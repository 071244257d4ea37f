"""Lets a test see what `durable` does to the disk, operation by operation, in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One step towards the disk, as a recorder sees it after it succeeded.

    `kind` is mkdir, create, write, truncate, fsync, close, forget_cached, rename, fsync_directory, unlink or rmdir.
    """

    kind: str
    path: Path
    target: Path | None = None
    offset: int = 0
    data: bytes = b""
    size: int = 0


_listeners: list[Callable[[Operation], None]] = []


@contextmanager
def recording(listener: Callable[[Operation], None]) -> Iterator[None]:
    """While open, report every operation of this process to `listener`, in its order. For tests."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def is_on() -> bool:
    """Whether anybody listens: reporting what was written costs a copy."""
    return bool(_listeners)


def notify_listeners(kind: str, path: Path, **more: object) -> None:
    """Report the listeners of an operation that has succeeded."""
    for listener in _listeners:
        listener(Operation(kind=kind, path=path, **more))  # type: ignore[arg-type]
