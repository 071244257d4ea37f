"""Looking for a literal in all collections of a backup, one after the other, within one budget of time.

Of each collection the first few matches are enough: there its own search goes on. What could not be searched in time is
searched by the next call, from `next` on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.browsing.search import search
from backups_app.browsing.search.query import Query
from backups_app.browsing.search.search import SearchPage
from backups_app.errors import CollectionPreparing, DamagedDocument, SearchBusy, TempleOpsError

SHOWN = 5
"""So many matches of a collection are shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """Where a search goes on: at document `number` of a collection in which `here` matches were found before."""

    collection: str
    number: int = 0
    here: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What was found in one collection from `spot` on. `page` is None where it cannot be searched, and ends early where
    its file does: `problem` says why.
    `preparing` is how much of a foreign file is read, in percent, when it is not ready yet."""

    spot: Spot
    page: SearchPage | None
    problem: str = ""
    preparing: int | None = None

    @property
    def matches(self) -> int:
        """How many matches are known in this collection, those of earlier calls included."""
        return self.spot.here + (len(self.page.hits) if self.page else 0)

    @property
    def full(self) -> bool:
        """So many were found that the rest of the collection was left to its own search."""
        return self.matches >= SHOWN and self.page is not None and not self.page.finished


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """What one call found. `next` is where to go on, or None at the end."""

    parts: tuple[Part, ...]
    next: Spot | None
    seconds: float


def find(
    backup: OpenBackup,
    *,
    query: Query,
    collections: Sequence[str],
    start: Spot | None = None,
    seconds: float = search.SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Sweep:
    """Search the `collections` in their order, from `start` on, until `seconds` have passed or the end is reached.

    A collection that is damaged or gone says so and is passed over. At least one block is searched, so that a caller
    who goes on always arrives. Raise `SearchBusy` when two other searches do not end within the budget.
    """
    began = clock()
    names = list(collections)
    first = names.index(start.collection) if start and start.collection in names else 0
    spots = [Spot(collection=name) for name in names[first:]]
    if start and spots and spots[0].collection == start.collection:
        spots[0] = start
    parts: list[Part] = []
    for spot in spots:
        left = began + seconds - clock()
        if parts and left <= 0:
            return Sweep(parts=tuple(parts), next=spot, seconds=clock() - began)
        part = _part(backup, query, spot, max(left, 0))
        parts.append(part)
        rest = _rest(part)
        if rest is not None:
            return Sweep(parts=tuple(parts), next=rest, seconds=clock() - began)
    return Sweep(parts=tuple(parts), next=None, seconds=clock() - began)


def _part(backup: OpenBackup, query: Query, spot: Spot, seconds: float) -> Part:
    try:
        source = open_collection(backup=backup, collection=spot.collection, seconds=seconds)
        start, limit = min(spot.number, source.total), max(1, SHOWN - spot.here)
        page = search.find(source, query=query, start=start, limit=limit, seconds=seconds)
        return Part(spot=spot, page=page if page.searched or page.broken_at is None else None, problem=_damage(page))
    except CollectionPreparing as preparing:
        return Part(spot=spot, page=None, preparing=preparing.facts["percent"])
    except SearchBusy:
        raise
    except TempleOpsError as error:
        return Part(spot=spot, page=None, problem=error.detail)


def _damage(page: SearchPage) -> str:
    """Return the sentence of a file that cannot be read to its end."""
    broken = page.broken_at
    return "" if broken is None else DamagedDocument(number=broken + 1, readable=broken).detail


def _rest(part: Part) -> Spot | None:
    """Return where the collection is to be searched further by the next call; None when it is done with."""
    if part.preparing is not None:
        return part.spot
    if part.page is None or part.page.next is None or part.full:
        return None
    return Spot(collection=part.spot.collection, number=part.page.next, here=part.matches)
