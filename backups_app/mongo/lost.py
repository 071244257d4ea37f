"""Servers found lost a moment ago: a page does not wait for the same silence twice.

It is remembered for ten seconds, by this process, and believed only where a page is being shown (`believed`). Whoever
writes, or decides what to write, asks the server itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import pymongo
from pymongo.errors import ConnectionFailure

from backups_app.configuration import Configuration
from backups_app.errors import DatabaseUnreachable
from backups_app.mongo.connections import reachable
from backups_app.records import Side

REMEMBERED_SECONDS = 10.0

_found_lost: dict[tuple[Side, str], float] = {}
_showing: ContextVar[bool] = ContextVar("_showing", default=False)


@contextmanager
def believed() -> Iterator[None]:
    """Within this block, which only shows something, a server found lost a moment ago is not asked again."""
    before = _showing.set(True)
    try:
        yield
    finally:
        _showing.reset(before)


@contextmanager
def asking(side: Side, *, configuration: Configuration, seconds: float, anew: bool = False) -> Iterator[None]:
    """Ask a server within `seconds`. Raise `DatabaseUnreachable`; at once where an earlier finding is believed.

    `anew`: ask it whatever was found. Every asking leaves behind what it found.
    """
    server = (side, str(configuration.local_url if side is Side.LOCAL else configuration.cloud_url))
    if _showing.get() and not anew and _lost_just_now(server):
        raise DatabaseUnreachable(side=side.value)
    try:
        with reachable(side), pymongo.timeout(seconds):
            yield
    except DatabaseUnreachable as error:
        if isinstance(error.__cause__, ConnectionFailure):  # a login that is refused, or a slow count, is no silence
            _found_lost[server] = time.monotonic()
        raise
    _found_lost.pop(server, None)


def _lost_just_now(server: tuple[Side, str]) -> bool:
    found = _found_lost.get(server)
    return found is not None and time.monotonic() - found < REMEMBERED_SECONDS


def forget() -> None:
    """Remember nothing."""
    _found_lost.clear()
