"""Documents of several megabytes, as an application makes them by accident: a list that only grows, a picture."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import bson

MEGABYTE = 1024 * 1024
MOST = 48 * MEGABYTE
"""So much memory one answer may take for a while, however many documents there are."""


def large_list(number: int, *, size: int = 2 * MEGABYTE) -> bytes:
    """Return a document with a list of whole numbers."""
    count = size // 12
    return bson.encode({"_id": number, "name": f"list {number}", "log": list(range(count)), "end": number})


def large_text(number: int, *, size: int = 3 * MEGABYTE) -> bytes:
    """Return a document with one long text."""
    return bson.encode({"_id": number, "name": f"text {number}", "note": "क" * (size // 3), "end": number})


def large_binary(number: int, *, size: int = 3 * MEGABYTE) -> bytes:
    """Return a document with a picture in it."""
    return bson.encode({"_id": number, "name": f"binary {number}", "data": bytes(size), "end": number})


@contextmanager
def flat_memory(most: int = MOST) -> Iterator[None]:
    """Assert that what is inside takes no more memory than `most` at any moment."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak / MEGABYTE:.0f} MB"
