"""Which documents of a base's file are no part of an incremental's state: `<base>.gone`.

On disk: the numbers of those documents in the base's file, counted from 0, ascending, little-endian 64 bits each.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path

from backups_app.backup_files import descent
from backups_app.backup_files.durable import DurableFile
from backups_app.backup_files.manifest import Overlay
from backups_app.errors import VerificationFailed
from backups_app.messages import backup_files as messages

_ITEM = 8


@dataclass(frozen=True)
class GoneDocuments:
    """The numbers of the documents that are left out, ascending."""

    numbers: array[int] = field(default_factory=lambda: array("Q"))

    def __len__(self) -> int:
        return len(self.numbers)

    def sha256(self) -> str:
        """Return the SHA-256 of the list as it lies on the disk."""
        return hashlib.sha256(_little(self.numbers).tobytes()).hexdigest()

    def number_in_base(self, kept: int) -> int:
        """Return where the document that is number `kept` of those that stay stands in the base's file."""
        before = bisect_right(range(len(self.numbers)), kept, key=lambda at: self.numbers[at] - at)
        return kept + before

    def before(self, number: int) -> int:
        """Return how many of the base's documents before document `number` are left out."""
        return bisect_left(self.numbers, number)

    def within(self, first: int, count: int) -> array[int]:
        """Return the left out ones among `count` documents from number `first` on."""
        return self.numbers[self.before(first) : self.before(first + count)]


def remaining_documents(frames: Iterator[bytes], *, gone: GoneDocuments, first: int = 0) -> Iterator[bytes]:
    """Given the base's documents from number `first` on, yield those that stay."""
    at = first
    for number in gone.numbers[gone.before(first) :]:
        yield from islice(frames, number - at)
        next(frames, None)
        at = number + 1
    yield from frames


def remaining_in_batches(
    batches: Iterable[list[bytes]], *, gone: GoneDocuments, first: int = 0
) -> Iterator[list[bytes]]:
    """As `remaining_documents`, several documents at a time."""
    at = first
    for batch in batches:
        absent = {number - at for number in gone.within(at, len(batch))}
        at += len(batch)
        yield [frame for number, frame in enumerate(batch) if number not in absent] if absent else batch


def write(file: DurableFile, numbers: Iterable[int]) -> str:
    """Write the ascending `numbers`, durable afterwards. Return the SHA-256 of the file."""
    data = _little(array("Q", numbers)).tobytes()
    with file:
        file.write(data)
    return hashlib.sha256(data).hexdigest()


def read(folder: Path, overlay: Overlay) -> GoneDocuments:
    """Given an incremental's folder, return what it leaves out of its base's file.

    Raise `VerificationFailed` where the file is missing, a link, or does not fit the overlay.
    """
    if overlay.gone is None:
        return GoneDocuments()
    try:
        with descent.open_file(folder, overlay.gone) as file:
            raw = file.read(overlay.gone_documents * _ITEM + 1)
    except FileNotFoundError as error:
        raise VerificationFailed(problem=messages.GONE_LIST_UNREADABLE(path=overlay.gone)) from error
    if len(raw) != overlay.gone_documents * _ITEM:
        raise VerificationFailed(problem=messages.GONE_LIST_UNREADABLE(path=overlay.gone))
    numbers: array[int] = array("Q")
    numbers.frombytes(raw)
    return GoneDocuments(_little(numbers))


def check(gone: GoneDocuments, overlay: Overlay) -> None:
    """Raise `VerificationFailed` where the numbers do not ascend, or name a document that the base does not have."""
    numbers = gone.numbers
    if any(one >= other for one, other in pairwise(numbers)) or (numbers and numbers[-1] >= overlay.documents):
        raise VerificationFailed(problem=messages.GONE_LIST_UNREADABLE(path=overlay.gone or ""))


def _little(numbers: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return numbers
    swapped = array("Q", numbers)
    swapped.byteswap()
    return swapped
