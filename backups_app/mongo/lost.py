"""Servers found lost a moment ago: a page does not wait for the same silence twice, and never for long.

It is remembered for ten seconds, by this process, and believed only where a page is being shown (`believed`). Whoever
writes, or decides what to write, asks the server itself, and first of all whether it is there (`knocking`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context

import pymongo
from pymongo.errors import ConnectionFailure

from backups_app.configuration import Configuration
from backups_app.errors import DatabaseUnreachable
from backups_app.mongo.connections import Client, reachable
from backups_app.records import Side

REMEMBERED_SECONDS = 10.0
SHOWN_WITHIN_SECONDS = 2.5
"""So long may the servers keep whoever looks at a page, all questions of the page together."""

_found_lost: dict[tuple[Side, str], tuple[float, DatabaseUnreachable]] = {}
_believed_since: ContextVar[float | None] = ContextVar("_believed_since", default=None)
_has_answered: ContextVar[dict[Side, bool] | None] = ContextVar("_has_answered", default=None)
_outside: ContextVar[Context | None] = ContextVar("_outside", default=None)


@contextmanager
def believed(*, earlier_seconds: float | None = None) -> Iterator[None]:
    """Within this block, which only shows something, a server that was found lost in it or up to `earlier_seconds`
    (`REMEMBERED_SECONDS`) before is not asked again, and all questions together take `SHOWN_WITHIN_SECONDS` at most."""
    outside = _outside.set(copy_context())
    before = _believed_since.set(
        time.monotonic() - (REMEMBERED_SECONDS if earlier_seconds is None else earlier_seconds)
    )
    try:
        with pymongo.timeout(SHOWN_WITHIN_SECONDS):
            yield
    finally:
        _believed_since.reset(before)
        _outside.reset(outside)


def unhurried() -> Context:
    """Return the context of work that a page begins and does not wait for: neither hurried nor believing."""
    outside = _outside.get()
    return copy_context() if outside is None else outside.copy()


@contextmanager
def asking(side: Side, *, configuration: Configuration, seconds: float, anew: bool = False) -> Iterator[None]:
    """Ask a server within `seconds`. Raise as `connections.reachable`; at once where an earlier finding is believed.

    `anew`: ask it whatever was found. Every asking leaves behind what it found.
    """
    server = (side, str(configuration.local_url if side is Side.LOCAL else configuration.cloud_url))
    known = None if anew else _lost_just_now(server)
    if known is not None:
        raise type(known)(**known.facts)
    try:
        with reachable(side), pymongo.timeout(seconds):
            yield
    except DatabaseUnreachable as error:
        if isinstance(error.__cause__, ConnectionFailure):  # a login that is refused, or a slow count, is no silence
            _found_lost[server] = (time.monotonic(), error)
        raise
    _found_lost.pop(server, None)


@contextmanager
def knocking() -> Iterator[None]:
    """Within this block, which does what somebody waits for, `knock` finds a silent server within SHOWN_WITHIN_SECONDS:
    what is asked of it without a knock waits for the whole of its time limit."""
    before = _has_answered.set({})
    try:
        yield
    finally:
        _has_answered.reset(before)


def knock(side: Side, *, configuration: Configuration, client: Client) -> None:
    """Within `knocking`, ask the server once whether it is there. Raise `DatabaseUnreachable` or one of its kind."""
    answered = _has_answered.get()
    if answered is None or answered.get(side):
        return
    with asking(side, configuration=configuration, seconds=SHOWN_WITHIN_SECONDS, anew=True):
        client.admin.command("ping")
    answered[side] = True


def _lost_just_now(server: tuple[Side, str]) -> DatabaseUnreachable | None:
    since, found = _believed_since.get(), _found_lost.get(server)
    return found[1] if since is not None and found is not None and found[0] >= since else None


def forget() -> None:
    """Remember nothing."""
    _found_lost.clear()
