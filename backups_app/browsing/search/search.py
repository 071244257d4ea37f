"""Looking for a literal in a collection of a backup, over the raw bytes, within a budget of time.

A block of documents is searched as one piece of bytes; only documents that hold a pattern are taken apart. What could
not be searched in time is searched by the next call, from `next` on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Protocol

from backups_app.browsing.reading import documents
from backups_app.browsing.reading.frames import Block
from backups_app.browsing.search import query as queries
from backups_app.browsing.search.query import Query
from backups_app.errors import DamagedDocument, SearchBusy

SECONDS = 1.5
PAGE_BYTES = 4 * 1024 * 1024
"""A page of matches ends with the one that makes it larger."""

SEARCHERS = 2
"""So many searches at once in a process: readers must not starve a backup."""

_searchers = BoundedSemaphore(SEARCHERS)
_carrier: Carrier | None = None


class Searchable(Protocol):
    """A collection of a backup, as search sees it."""

    @property
    def total(self) -> int: ...

    def blocks(self, *, start: int) -> Iterator[Block]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A document that matches: its number in the file from 0, its bytes, and the dotted names of what matched. With a
    `problem` its text is not UTF-8: it must not be decoded."""

    number: int
    frame: bytes
    paths: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPage:
    """What one call found. Documents `start` to `searched` were looked at; `next` is where to go on, or None at the
    end. The number of hits is exact only when `finished` and `start` is 0. `unreadable` documents are damaged and were
    passed over; from number `broken_at` on, the file cannot be read at all."""

    hits: tuple[Hit, ...]
    start: int
    searched: int
    total: int
    next: int | None
    seconds: float
    unreadable: int = 0
    broken_at: int | None = None

    @property
    def finished(self) -> bool:
        """Whether every document was searched."""
        return self.next is None and self.broken_at is None


class Carrier(Protocol):
    """Does a search elsewhere; returns None where `find` has to search itself."""

    def __call__(
        self, source: Searchable, *, query: Query, start: int, limit: int, seconds: float
    ) -> SearchPage | None: ...


def find(
    source: Searchable,
    *,
    query: Query,
    start: int = 0,
    limit: int = 25,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> SearchPage:
    """Search from document `start` on until `limit` hits or 4 MiB of them are found, `seconds` have passed or the end
    is reached.

    At least one block is searched, so that a caller who goes on always arrives. Where the file cannot be read any
    further the search ends, with what it has found. Raise `SearchBusy` when two other searches do not end within the
    budget.
    """
    began = clock()
    if not _searchers.acquire(timeout=seconds):
        raise SearchBusy
    try:
        left = max(began + seconds - clock(), 0.0)
        page = _carrier(source, query=query, start=start, limit=limit, seconds=left) if _carrier else None
        return page or search_here(source, query=query, start=start, limit=limit, seconds=left, clock=clock)
    finally:
        _searchers.release()


def carry_out_by(carrier: Carrier | None) -> None:
    """Have searches of this process done by `carrier`, or here again with None. Where it returns None, `find` searches
    itself."""
    global _carrier
    _carrier = carrier


def search_here(
    source: Searchable,
    *,
    query: Query,
    start: int,
    limit: int,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> SearchPage:
    """Search as `find` says, in this thread, however many others search."""
    began = clock()
    deadline = began + seconds
    hits: list[Hit] = []
    searched, broken_at = start, None
    unreadable = size = 0

    def is_over() -> bool:
        return len(hits) >= limit or size >= PAGE_BYTES or clock() >= deadline

    try:
        for block in source.blocks(start=start):
            for number in _candidates(block, query):
                found = _match(block, number, query)
                unreadable += found is None
                if found and found.paths:
                    hits.append(found)
                    size += len(found.frame)
                searched = block.first + number + 1
                if is_over():
                    break
            else:
                searched = block.first + block.count
            if is_over():
                break
    except DamagedDocument as damage:
        broken_at = searched = damage.facts["readable"]
    return SearchPage(
        hits=tuple(hits),
        start=start,
        searched=searched,
        total=source.total,
        next=searched if searched < source.total and broken_at is None else None,
        seconds=clock() - began,
        unreadable=unreadable,
        broken_at=broken_at,
    )


def _match(block: Block, number: int, query: Query) -> Hit | None:
    """Return the document with what matched in it, or None when it is damaged."""
    found = documents.checked_document(block.first + number, block.frame(number))
    if found.damaged:
        return None
    paths = queries.matching_paths(found.frame, query)
    return Hit(number=found.number, frame=found.frame, paths=paths, problem=found.problem)


def _candidates(block: Block, query: Query) -> Iterator[int]:
    """Yield, in order, the numbers within the block of the documents that hold one of the query's patterns."""
    texts = [(block.data, pattern) for pattern in query.raw]
    if query.folded:
        folded = block.data.lower()
        texts += [(folded, pattern) for pattern in query.folded]
    ahead = [(text.find(pattern), text, pattern) for text, pattern in texts]
    waiting = [found for found in ahead if found[0] >= 0]
    while waiting:
        number = min(block.number_at(position) for position, _, _ in waiting)
        yield number
        end = block.end_of(number)
        moved = [(text.find(pattern, end) if at < end else at, text, pattern) for at, text, pattern in waiting]
        waiting = [found for found in moved if found[0] >= 0]
