"""Counts round trips: how many commands this thread sends to which server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pymongo import monitoring

Address = tuple[str, int | None]
_counting: ContextVar[Counter[Address] | None] = ContextVar("counting", default=None)


@contextmanager
def counted() -> Iterator[Counter[Address]]:
    """Count the commands that this thread sends within the block, by the server's address.

    Only clients of `connections.py` are heard.
    """
    counter: Counter[Address] = Counter()
    token = _counting.set(counter)
    try:
        yield counter
    finally:
        _counting.reset(token)


class TripListener(monitoring.CommandListener):
    """Hears every command of a client; cheap when nobody counts."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        counter = _counting.get()
        if counter is not None:
            counter[event.connection_id] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


LISTENER = TripListener()
