"""Remembers which server did not answer, so that a page does not wait twice for a silent server.

A failure is kept for ten seconds, in this process, and used only where a page is shown (`cached_failures`). Code that
writes, or decides what to write, asks the server itself, and first whether it answers at all (`early_probe`).
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

CACHED_SECONDS = 10.0
PAGE_SECONDS = 2.5
"""The time that all questions of one page may take together."""

_failures: dict[tuple[Side, str], tuple[float, DatabaseUnreachable]] = {}
_cached_since: ContextVar[float | None] = ContextVar("_believed_since", default=None)
_answered: ContextVar[dict[Side, bool] | None] = ContextVar("_has_answered", default=None)
_outside: ContextVar[Context | None] = ContextVar("_outside", default=None)


@contextmanager
def cached_failures(*, earlier_seconds: float | None = None) -> Iterator[None]:
    """Use cached failures within this block, which only shows something.

    A server that failed within the block, or up to `earlier_seconds` (`CACHED_SECONDS`) before it, is not asked again.
    All questions together take at most `PAGE_SECONDS`.
    """
    outside = _outside.set(copy_context())
    seconds = CACHED_SECONDS if earlier_seconds is None else earlier_seconds
    try:
        with _known_since(time.monotonic() - seconds), pymongo.timeout(PAGE_SECONDS):
            yield
    finally:
        _outside.reset(outside)


@contextmanager
def asked_once() -> Iterator[None]:
    """Within this block, which only shows something, do not ask a server again that failed within it."""
    known = _cached_since.get()
    with _known_since(time.monotonic() if known is None else known):
        yield


@contextmanager
def _known_since(moment: float) -> Iterator[None]:
    before = _cached_since.set(moment)
    try:
        yield
    finally:
        _cached_since.reset(before)


def unlimited_context() -> Context:
    """Return a context for work that a page starts and does not wait for: without time limit and cached failures."""
    outside = _outside.get()
    return copy_context() if outside is None else outside.copy()


@contextmanager
def asking(side: Side, *, configuration: Configuration, seconds: float, fresh: bool = False) -> Iterator[None]:
    """Ask a server within `seconds`. Raise as `connections.reachable`, or at once from the cache of failures.

    `fresh` ignores the cache. Each question updates it.
    """
    server = (side, str(configuration.local_url if side is Side.LOCAL else configuration.cloud_url))
    known = None if fresh else _cached_failure(server)
    if known is not None:
        raise type(known)(**known.facts)
    try:
        with reachable(side), pymongo.timeout(seconds):
            yield
    except DatabaseUnreachable as error:
        if isinstance(error.__cause__, ConnectionFailure):  # a refused login or a slow count is an answer
            _failures[server] = (time.monotonic(), error)
        raise
    _failures.pop(server, None)


@contextmanager
def early_probe() -> Iterator[None]:
    """Within this block, for which somebody waits, `probe` finds a silent server within `PAGE_SECONDS`.

    Without a probe each command waits for its whole time limit.
    """
    before = _answered.set({})
    try:
        yield
    finally:
        _answered.reset(before)


def probe(side: Side, *, configuration: Configuration, client: Client) -> None:
    """Within `early_probe`, ask the server once whether it answers. Raise `DatabaseUnreachable` or one of its kind."""
    answered = _answered.get()
    if answered is None or answered.get(side):
        return
    with asking(side, configuration=configuration, seconds=PAGE_SECONDS, fresh=True):
        client.admin.command("ping")
    answered[side] = True


def _cached_failure(server: tuple[Side, str]) -> DatabaseUnreachable | None:
    since, found = _cached_since.get(), _failures.get(server)
    return found[1] if since is not None and found is not None and found[0] >= since else None


def forget_failures() -> None:
    """Empty the cache of failures."""
    _failures.clear()
