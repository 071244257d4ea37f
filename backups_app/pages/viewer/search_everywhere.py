"""One search through all collections of a backup, as the viewer shows it: a few matches of each, the way to more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from backups_app.browsing.reading import opening
from backups_app.browsing.reading.collections import CollectionSummary
from backups_app.browsing.search import query, search_all
from backups_app.browsing.search.query import Query
from backups_app.browsing.search.search_all import Part, Spot, Sweep
from backups_app.errors import InvalidInput, SearchBusy
from backups_app.pages.viewer import viewer_documents
from backups_app.pages.viewer.viewer_documents import Card
from backups_app.pages.viewer.viewer_place import Place


@dataclass(frozen=True, kw_only=True)
class CollectionMatches:
    """What was found in one collection. `place`: its own search; `mark`: what to mark; `part`: the figures."""

    place: Place
    part: Part
    cards: Sequence[Card]
    mark: str

    @property
    def name(self) -> str:
        return self.part.spot.collection

    @property
    def list_template(self) -> str:
        return "viewer/documents/_cards.html"

    @property
    def broken_at(self) -> None:
        return None

    @property
    def begun_before(self) -> bool:
        """Whether an earlier part of the search has already named this collection."""
        return self.part.spot.here > 0

    @property
    def exact(self) -> bool:
        """Whether the number of matches is the number of all in this collection."""
        return self.part.page is not None and self.part.page.finished


@dataclass(frozen=True, kw_only=True)
class Everywhere:
    """One part of the search. `groups` are the collections with matches, or with something wrong. `searched` of the
    `total` collections are done with. `problem` is a sentence for a search that cannot be made; `damaged`: collections
    that cannot be read to their end."""

    place: Place
    groups: Sequence[CollectionMatches]
    total: int
    searched: int
    next: Spot | None
    now_in: Part | None = None
    problem: str = ""
    stopped: bool = False
    damaged: Sequence[str] = ()

    @property
    def matches(self) -> int:
        """How many matches are known in all collections, those of earlier parts included."""
        return self.place.found + sum(len(group.cards) for group in self.groups)

    @property
    def exact(self) -> bool:
        """Whether that is the number of all: the end is reached, and no collection was left to its own search."""
        return self.next is None and not self.problem and not any(group.part.full for group in self.groups)

    @property
    def further(self) -> str:
        """Where the search goes on; empty at its end."""
        return self._at(stop=0)

    @property
    def stop(self) -> str:
        """Where the search stands still, with what it has found."""
        return self._at(stop=1)

    def _at(self, *, stop: int) -> str:
        if self.next is None:
            return ""
        spot = self.next
        return self.place.at(
            within=spot.collection, cursor=spot.number, here=spot.here, found=self.matches, stop=stop
        ).url


def search_backup(place: Place, collections: Sequence[CollectionSummary]) -> Everywhere:
    """Search the backup at `place` for its words, in the `collections` that hold documents, in their order."""
    names = [entry.name for entry in collections if entry.type != "view" and entry.documents != 0]
    damaged = [entry.name for entry in collections if entry.problem]
    start = Spot(collection=place.within, number=place.cursor, here=place.here) if place.within in names else None
    try:
        wanted = query.parse(place.q, zone=timezone.get_current_timezone())
        backup = opening.open_backup(store=viewer_documents.store(), backup_id=place.backup)
        if place.stop:
            found = Sweep(parts=(), next=start, seconds=0.0)
        else:
            found = search_all.find(backup, query=wanted, collections=names, start=start)
    except (InvalidInput, SearchBusy) as refusal:
        return Everywhere(place=place, groups=(), total=len(names), searched=0, next=None, problem=refusal.detail)
    return replace(_shown(place, names, found, wanted), damaged=damaged)


def _shown(place: Place, names: list[str], found: Sweep, wanted: Query) -> Everywhere:
    there = [part for part in found.parts if part.problem or part.matches]
    return Everywhere(
        place=place,
        groups=[_group(place, part, wanted) for part in there],
        total=len(names),
        searched=names.index(found.next.collection) if found.next else len(names),
        next=found.next,
        now_in=found.parts[-1] if found.parts and found.next else None,
        stopped=bool(place.stop),
    )


def _group(place: Place, part: Part, wanted: Query) -> CollectionMatches:
    own = place.begun(collection=part.spot.collection, view="cards")
    hits = part.page.hits if part.page else ()
    cards = [viewer_documents.match(own, hit, wanted) for hit in hits]
    return CollectionMatches(place=own, part=part, cards=cards, mark=wanted.text)
