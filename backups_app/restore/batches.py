"""Documents with their numbers, in batches that one statement carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

DOCUMENTS = 1_000
BYTES = 4 * 1024 * 1024


class Numbered(NamedTuple):
    """A document and its number among those it was read from."""

    number: int
    frame: bytes


def picked(frames: Iterable[bytes], numbers: Sequence[int]) -> Iterator[Numbered]:
    """Yield the documents with these numbers, which are in order."""
    wanted = iter(numbers)
    following = next(wanted, None)
    for number, frame in enumerate(frames):
        if following is None:
            return
        if number == following:
            yield Numbered(number, frame)
            following = next(wanted, None)


def cut(documents: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Cut documents into batches of at most 1,000 and 4 MiB; a larger document goes alone."""
    batch: list[Numbered] = []
    size = 0
    for one in documents:
        if batch and (len(batch) == DOCUMENTS or size + len(one.frame) > BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one.frame)
    if batch:
        yield batch
