"""The few places of a web process in which a request may wait for work of the worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MOST_WAITING = 4
"""So many requests of a web process may wait, half of its threads (`gunicorn.conf.py`); the rest get 202."""
WAITING = threading.BoundedSemaphore(MOST_WAITING)


@contextmanager
def a_place() -> Iterator[bool]:
    """Yield whether this request may wait."""
    granted = WAITING.acquire(blocking=False)
    try:
        yield granted
    finally:
        if granted:
            WAITING.release()
