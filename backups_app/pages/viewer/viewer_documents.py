"""The documents that the viewer shows at a place: a page of them, the matches of a search, or their fields."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import timezone

from backups_app import configuration
from backups_app.backup_files.shown import shortened
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import creation, documents, opening
from backups_app.browsing.reading.collection_file import CollectionFile
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.documents import PageDocument
from backups_app.browsing.search import query, search
from backups_app.browsing.search.query import Query
from backups_app.browsing.search.search import Hit, SearchPage
from backups_app.browsing.values import fields, tree, values
from backups_app.browsing.values.fields import FieldSummary
from backups_app.browsing.values.tree import Node
from backups_app.errors import CollectionPreparing, DamagedDocument, InvalidInput, SearchBusy, TempleOpsError
from backups_app.mongo.raw_bson import Value
from backups_app.pages.viewer import document_view, viewer_table
from backups_app.pages.viewer.viewer_place import PER_PAGE, Place
from backups_app.pages.viewer.viewer_table import Column
from backups_app.runs import preparation

SORTED_WHOLE = 5_000
"""A collection of at most so many documents is sorted as a whole; of a larger one the page is."""
DATE = 0x09


@dataclass(frozen=True, kw_only=True)
class Card:
    """One closed document: its number from 0, the short form of its `_id`, a few identifying fields, or what is wrong;
    then
    `whole` distinguishes a document that can be restored from a damaged one.
    `fields` are those of its first level, for a table; `found_in` and `found`: the field of a match that the line does
    not show by itself, and its text."""

    number: int
    short_id: str
    preview: Sequence[Node]
    size_bytes: int
    problem: str = ""
    whole: bool = True
    json: str = ""
    fields: Mapping[str, Node] = field(default_factory=dict)
    found_in: str = ""
    found: str = ""
    shortened: bool = False


@dataclass(frozen=True, kw_only=True)
class Documents:
    """A page of documents or of matches. `problem` is a sentence for a search that cannot be made, `damaged` when it is
    the file that does not let itself be read; `sampled`: from how many documents the `fields` are; `created`: the first
    and the last `createdAt`, where they are known."""

    place: Place
    total: int
    cards: Sequence[Card]
    broken_at: int | None = None
    found: SearchPage | None = None
    mark: str = ""
    preparing_percent: int | None = None
    problem: str = ""
    damaged: bool = False
    fields: Sequence[FieldSummary] = ()
    sampled: int = 0
    created: tuple[datetime, datetime] | None = None
    goes_on_at: int | None = None
    sorted_whole: bool = False

    @property
    def per_choices(self) -> tuple[int, ...]:
        return PER_PAGE

    @property
    def list_template(self) -> str:
        return "viewer/documents/_table.html" if self.place.view == "table" else "viewer/documents/_cards.html"

    @property
    def every_column(self) -> list[Column]:
        """The columns that a table of these documents can have."""
        return viewer_table.columns(self.place, [card.fields for card in self.cards], sortable=not self.place.q)

    @property
    def columns(self) -> list[Column]:
        return [column for column in self.every_column if column.shown]

    @property
    def columns_left_out(self) -> int:
        return sum(1 for column in self.every_column if not column.shown)

    @property
    def first(self) -> int:
        return self.place.first + 1

    @property
    def last(self) -> int:
        return min(self.total, self.goes_on_at or self.place.page * self.place.per)

    @property
    def rest_of_page(self) -> str:
        """Where a page that ended early goes on; empty where it is whole."""
        return self.place.at(start=self.goes_on_at).url if self.goes_on_at is not None else ""

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.place.per))

    @property
    def previous(self) -> str:
        return self.place.at(page=min(self.place.page - 1, self.pages)).url if self.place.page > 1 else ""

    @property
    def next(self) -> str:
        return self.place.at(page=self.place.page + 1).url if self.place.page < self.pages else ""

    @property
    def matches(self) -> int:
        """How many matches are known, those before this part of the search included."""
        return self.place.found + len(self.cards)

    @property
    def further(self) -> str:
        """Where the search goes on; empty at its end."""
        if self.found is None or self.found.next is None:
            return ""
        return self.place.at(cursor=self.found.next, found=self.matches, stop=0).url

    @property
    def stop(self) -> str:
        """Where the search stands still, with what it has found."""
        return self.place.at(cursor=self.found.next, found=self.matches, stop=1).url if self.found else ""

    @property
    def goes_on_by_itself(self) -> bool:
        """The time was over before the page of hits was full, and nobody stopped it."""
        page_is_full = self.matches and self.matches % self.place.per == 0
        return bool(self.further) and not page_is_full and not self.place.stop

    @property
    def exact(self) -> bool:
        """Whether the number of matches is the number of all."""
        return self.found is not None and self.found.finished

    @property
    def milliseconds(self) -> int | None:
        """How long the whole search took; None when it took more than one request."""
        return round(1000 * self.found.seconds) if self.found and self.found.start == 0 else None


def store() -> Store:
    """Return the store that the pages read from."""
    return preparation.store(configuration.current())


def documents_at(place: Place) -> Documents:
    """Return the page, the matches or the fields at `place`. A file being prepared says how far it is."""
    try:
        if place.view == "fields":
            return _fields(place)
        return _matches(place) if place.q else _page(place)
    except CollectionPreparing as preparing:
        return Documents(place=place, total=0, cards=(), preparing_percent=preparing.facts["percent"])


def source_of(place: Place) -> CollectionFile:
    """Return the collection at `place`, ready to be read."""
    backup = opening.open_backup(store=store(), backup_id=place.backup)
    return open_collection(backup=backup, collection=place.collection)


def created(place: Place) -> tuple[datetime, datetime] | None:
    """Return when the oldest and the newest document were created, as far as time allows to know."""
    try:
        span = creation.span(source_of(place))
    except TempleOpsError:
        return None
    moments = [values.moment(Value(DATE, struct.pack("<q", at))) for at in span or ()]
    return (moments[0], moments[1]) if len(moments) == 2 and moments[0] and moments[1] else None


def _page(place: Place) -> Documents:
    sorted_page = _sorted_page(place) if place.sort and place.view == "table" else None
    if sorted_page is not None:
        return sorted_page
    found = documents.page(
        store=store(),
        backup_id=place.backup,
        collection=place.collection,
        offset=place.first,
        limit=place.page * place.per - place.first,
    )
    cards = [card(place, entry) for entry in found.documents]
    if place.sort and place.view == "table":
        cards = viewer_table.in_order(cards, place)
    return Documents(
        place=place,
        total=found.total,
        cards=cards,
        broken_at=found.broken_at,
        created=created(place),
        goes_on_at=found.next if found.truncated else None,
    )


def _sorted_page(place: Place) -> Documents | None:
    """Return a page of the whole collection in order; None where it is too large for that, or damaged."""
    read: list[PageDocument] = []
    total = 1
    while len(read) < total <= SORTED_WHOLE:
        part = documents.page(
            store=store(), backup_id=place.backup, collection=place.collection, offset=len(read),
            limit=documents.LIMIT_MOST,
        )  # fmt: skip
        if part.truncated or part.broken_at is not None or (part.total and not part.documents):
            return None
        read, total = [*read, *part.documents], part.total
    if total > SORTED_WHOLE:
        return None
    cards = viewer_table.in_order([card(place, entry) for entry in read], place)
    shown = cards[place.first : place.page * place.per]
    return Documents(place=place, total=total, cards=shown, created=created(place), sorted_whole=True)


def _matches(place: Place) -> Documents:
    source = source_of(place)
    try:
        wanted = query.parse(place.q, zone=timezone.get_current_timezone())
        found = _stopped(source, place) if place.stop else _found(source, wanted, place)
    except (InvalidInput, SearchBusy) as refusal:
        return Documents(place=place, total=source.total, cards=(), problem=refusal.detail)
    cards = [match(place, hit, wanted) for hit in found.hits]
    broken = found.broken_at
    return Documents(
        place=place, total=source.total, cards=cards, found=found, mark=wanted.text, created=created(place),
        problem="" if broken is None else DamagedDocument(number=broken + 1, readable=broken).detail,
        damaged=broken is not None,
    )  # fmt: skip


def _found(source: CollectionFile, wanted: Query, place: Place) -> SearchPage:
    """Search until the page of matches is full: what is missing to it, when the search goes on."""
    missing = place.per - place.found % place.per
    return search.find(source, query=wanted, start=min(place.cursor, source.total), limit=missing)


def _stopped(source: CollectionFile, place: Place) -> SearchPage:
    """Where the search stands when somebody has stopped it: nothing more is looked at."""
    here = min(place.cursor, source.total)
    return SearchPage(hits=(), start=here, searched=here, total=source.total, next=here, seconds=0.0)


def _fields(place: Place) -> Documents:
    sample = documents.page(store=store(), backup_id=place.backup, collection=place.collection, limit=fields.SAMPLE)
    seen = fields.summarise(sample.readable, zone=timezone.get_current_timezone())
    return Documents(
        place=place,
        total=sample.total,
        cards=[card(place, entry) for entry in sample.documents if entry.problem],
        broken_at=sample.broken_at,
        fields=seen,
        sampled=len(sample.readable),
        created=created(place),
    )


def card(place: Place, entry: PageDocument) -> Card:
    """Return one closed document of the collection at `place`."""
    number, frame, problem = entry.number, entry.frame, entry.problem
    if problem:
        return Card(number=number, short_id="", preview=(), size_bytes=len(frame), problem=problem, whole=entry.whole)
    return Card(
        number=number,
        short_id=document_view.short_id_of(frame),
        preview=tree.preview(frame, zone=timezone.get_current_timezone()),
        size_bytes=len(frame),
        json=document_view.json_text(frame) if place.view == "json" else "",
        fields=viewer_table.flat(frame) if place.view == "table" else {},
        shortened=place.view == "json" and shortened.is_needed(frame),
    )


def match(place: Place, hit: Hit, wanted: Query) -> Card:
    """Return the closed document of a match, and where in it the match is when its line does not show that."""
    closed = card(place, PageDocument(number=hit.number, frame=hit.frame, problem=hit.problem))
    if closed.problem:
        return closed
    seen = {"_id", *(node.name for node in closed.preview if not node.cut)}
    if seen.intersection(hit.paths):
        return closed
    node = tree.leaf(hit.frame, name=hit.paths[0], zone=timezone.get_current_timezone())
    return replace(closed, found_in=node.name, found=document_view.around(document_view.node_text(node), wanted))
