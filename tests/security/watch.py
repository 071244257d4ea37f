"""Watches every file that Python opens, by an audit hook: it cannot be fooled by who calls, and cannot be removed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_opened: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened is not None and arguments and not isinstance(arguments[0], int):
        _opened.append(os.fsdecode(arguments[0]))


sys.addaudithook(_hook)


@contextmanager
def opened() -> Iterator[list[str]]:
    """Yield a list that receives the name of every file opened meanwhile."""
    global _opened
    names: list[str] = []
    _opened = names
    try:
        yield names
    finally:
        _opened = None


def outside(names: list[str], *, allowed: tuple[str, ...]) -> list[str]:
    """Return the names that are not allowed: neither below an allowed folder, nor one plain component.

    One component alone is opened relative to a descriptor of a folder that was opened before it.
    """
    return [name for name in names if not _is_component(name) and not _is_below(name, allowed)]


def _is_component(name: str) -> bool:
    return "/" not in name and name not in ("..", "") and "\0" not in name


def _is_below(name: str, allowed: tuple[str, ...]) -> bool:
    path = os.path.normpath(name)
    return ".." not in name.split("/") and any(path == folder or path.startswith(folder + "/") for folder in allowed)
