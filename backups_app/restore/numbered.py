"""Documents with their numbers, in batches that one statement carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from backups_app import batches

DOCUMENTS = 1_000
WHOLE_DOCUMENTS = 10_000
BYTES = 4 * 1024 * 1024


class Numbered(NamedTuple):
    """A document and its number among those it was read from."""

    number: int
    frame: bytes


class Batch(NamedTuple):
    """Documents for one statement, and the number of each."""

    numbers: Sequence[int]
    frames: Sequence[bytes]


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


def in_batches(documents: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Cut documents into batches of at most 1,000 and 4 MiB; a larger document goes alone."""
    return batches.cut(documents, size_of=lambda one: len(one.frame), most=DOCUMENTS, most_bytes=BYTES)


def all_of(batches: Iterable[list[bytes]]) -> Iterator[Batch]:
    """Given documents in batches of about 2 MiB as they are read, yield them all in batches of at most 10,000."""
    first = 0
    for read in batches:
        for at in range(0, len(read), WHOLE_DOCUMENTS):
            frames = read[at : at + WHOLE_DOCUMENTS]
            yield Batch(range(first, first + len(frames)), frames)
            first += len(frames)


def separated(documents: Iterable[Numbered]) -> Iterator[Batch]:
    """As `in_batches`, numbers and documents apart."""
    for batch in in_batches(documents):
        yield Batch([one.number for one in batch], [one.frame for one in batch])
