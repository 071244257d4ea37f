"""Cuts a stream into batches that one statement, message or request carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def cut(items: Iterable[T], *, size_of: Callable[[T], int], most: int, most_bytes: int) -> Iterator[list[T]]:
    """Yield batches of at most `most` items and `most_bytes`; a larger item goes alone."""
    batch: list[T] = []
    size_bytes = 0
    for item in items:
        item_bytes = size_of(item)
        if batch and (len(batch) >= most or size_bytes + item_bytes > most_bytes):
            yield batch
            batch, size_bytes = [], 0
        batch.append(item)
        size_bytes += item_bytes
    if batch:
        yield batch
