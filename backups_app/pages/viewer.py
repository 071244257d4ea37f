"""What the viewer shows for an address: the backups, one backup's collections, and a page or a search of documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from backups_app import configuration
from backups_app.backup_files.store import Store
from backups_app.browsing import backups, collections, documents, fields, opening, query, search, tree
from backups_app.browsing.backups import BackupSummary, State
from backups_app.browsing.collection_file import open_collection
from backups_app.browsing.collections import CollectionSummary
from backups_app.browsing.fields import FieldSummary
from backups_app.browsing.search import SearchPage
from backups_app.browsing.tree import Node
from backups_app.errors import CollectionPreparing, InvalidInput, SearchBusy
from backups_app.pages import document_view
from backups_app.workflow import overview, prepare

PER_PAGE = (25, 50, 100)
VIEWS = ("cards", "json", "fields")
MANY_BACKUPS = 100


@dataclass(frozen=True, kw_only=True)
class Place:
    """The address of what is shown. `page` counts from 1; `cursor` is the document from which a search goes on."""

    backup: str = ""
    collection: str = ""
    q: str = ""
    page: int = 1
    per: int = PER_PAGE[0]
    view: str = VIEWS[0]
    cursor: int = 0

    @property
    def url(self) -> str:
        """The page of this place. What stands at its usual value is left out."""
        said = {
            name: value
            for name, value in vars(self).items()
            if value != getattr(Place(), name) and (name != "cursor" or self.q)
        }
        return reverse("pages:browse") + (f"?{urlencode(said)}" if said else "")

    def at(self, **changes: object) -> Place:
        """Return a place near this one."""
        return replace(self, **changes)  # type: ignore[arg-type]


def place_of(asked: QueryDict) -> Place:
    """Read a place from an address. What is not a number becomes the usual one: an address is typed, too."""
    per = whole_number(asked.get("per"), PER_PAGE[0])
    view = asked.get("view", VIEWS[0])
    return Place(
        backup=asked.get("backup", ""),
        collection=asked.get("collection", ""),
        q=asked.get("q", "").strip(),
        page=max(1, whole_number(asked.get("page"), 1)),
        per=per if per in PER_PAGE else PER_PAGE[0],
        view=view if view in VIEWS else VIEWS[0],
        cursor=max(0, whole_number(asked.get("cursor"), 0)),
    )


def whole_number(text: str | None, usual: int) -> int:
    digits = (text or "").replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 13 else usual


@dataclass(frozen=True, kw_only=True)
class Card:
    """One closed document: its number from 0, the short form of its `_id`, a few telling fields, or what is wrong."""

    number: int
    short_id: str
    preview: Sequence[Node]
    size_bytes: int
    problem: str = ""
    json: str = ""


@dataclass(frozen=True, kw_only=True)
class Documents:
    """A page of documents or of matches. `problem` is a sentence for a search that cannot be made."""

    place: Place
    total: int
    cards: Sequence[Card]
    broken_at: int | None = None
    found: SearchPage | None = None
    mark: str = ""
    preparing_percent: int | None = None
    problem: str = ""
    fields: Sequence[FieldSummary] = ()

    @property
    def per_choices(self) -> tuple[int, ...]:
        return PER_PAGE

    @property
    def first(self) -> int:
        return (self.place.page - 1) * self.place.per + 1

    @property
    def last(self) -> int:
        return min(self.total, self.place.page * self.place.per)

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
    def further(self) -> str:
        """Where the search goes on; empty at its end."""
        return self.place.at(cursor=self.found.next).url if self.found and self.found.next is not None else ""

    @property
    def goes_on_by_itself(self) -> bool:
        """The time was over before the page of hits was full."""
        return bool(self.further) and len(self.cards) < self.place.per

    @property
    def exact(self) -> bool:
        """Whether the number of matches is the number of all."""
        return self.found is not None and self.found.finished and self.found.start == 0

    @property
    def milliseconds(self) -> int:
        return round(1000 * self.found.seconds) if self.found else 0


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Everything the card shows. `collection` is None until one is chosen."""

    place: Place
    backups: Sequence[BackupSummary]
    backup: BackupSummary | None = None
    collections: Sequence[CollectionSummary] = ()
    collection: CollectionSummary | None = None
    documents: Documents | None = None

    @property
    def view_choices(self) -> list[tuple[str, str, str]]:
        """The ways to look at the documents: key, icon, word."""
        return [("cards", "list", _("Cards")), ("json", "braces", "JSON"), ("fields", "table", _("Fields"))]

    @property
    def verified(self) -> list[BackupSummary]:
        return [entry for entry in self.backups if entry.state is State.VERIFIED]

    @property
    def unverified(self) -> list[BackupSummary]:
        return [entry for entry in self.backups if entry.state in (State.UNVERIFIED, State.DAMAGED)]

    @property
    def unreadable(self) -> list[BackupSummary]:
        return [entry for entry in self.backups if not entry.readable]

    @property
    def temple_collections(self) -> list[CollectionSummary]:
        return [entry for entry in self.collections if not entry.internal]

    @property
    def own_collections(self) -> list[CollectionSummary]:
        return [entry for entry in self.collections if entry.internal]


def store() -> Store:
    """Return the store that the pages read from."""
    return prepare.store(configuration.current())


def look(place: Place) -> Viewer:
    """Return what stands at `place`. Raise `InvalidBackupId`, `BackupNotFound`, `CollectionNotFound`, …"""
    shelf = store()
    runs = overview.list_runs(configuration=configuration.current())
    listed = backups.summaries(store=shelf, runs=[run for run in runs if run["kind"] == "backup"])
    if not place.backup:
        return Viewer(place=place, backups=listed)
    opening.open_backup(store=shelf, backup_id=place.backup)
    chosen = next(entry for entry in listed if entry.backup_id == place.backup)
    inside = collections.of_backup(store=shelf, backup_id=place.backup)
    collection = next((entry for entry in inside if entry.name == place.collection), None)
    if collection is None:
        place = place.at(collection="", q="", page=1)
    return Viewer(
        place=place,
        backups=listed,
        backup=chosen,
        collections=inside,
        collection=collection,
        documents=documents_at(place) if collection is not None else None,
    )


def documents_at(place: Place) -> Documents:
    """Return the page, the matches or the fields at `place`. A file being prepared says how far it is."""
    try:
        if place.view == "fields":
            return _fields(place)
        return _matches(place) if place.q else _page(place)
    except CollectionPreparing as preparing:
        return Documents(place=place, total=0, cards=(), preparing_percent=preparing.facts["percent"])


def _page(place: Place) -> Documents:
    found = documents.page(
        store=store(),
        backup_id=place.backup,
        collection=place.collection,
        offset=(place.page - 1) * place.per,
        limit=place.per,
    )
    cards = [_card(place, entry.number, entry.frame, entry.problem) for entry in found.documents]
    return Documents(place=place, total=found.total, cards=cards, broken_at=found.broken_at)


def _matches(place: Place) -> Documents:
    source = open_collection(
        backup=opening.open_backup(store=store(), backup_id=place.backup), collection=place.collection
    )
    try:
        wanted = query.parse(place.q, zone=timezone.get_current_timezone())
        found = search.find(source, query=wanted, start=min(place.cursor, source.total), limit=place.per)
    except (InvalidInput, SearchBusy) as refusal:
        return Documents(place=place, total=source.total, cards=(), problem=refusal.detail)
    cards = [_card(place, hit.number, hit.frame) for hit in found.hits]
    return Documents(place=place, total=source.total, cards=cards, found=found, mark=wanted.text)


def _fields(place: Place) -> Documents:
    sample = documents.page(store=store(), backup_id=place.backup, collection=place.collection, limit=fields.SAMPLE)
    seen = fields.summarise(sample.readable, zone=timezone.get_current_timezone())
    return Documents(place=place, total=sample.total, cards=(), fields=seen)


def _card(place: Place, number: int, frame: bytes, problem: str = "") -> Card:
    if problem:
        return Card(number=number, short_id="", preview=(), size_bytes=len(frame), problem=problem)
    return Card(
        number=number,
        short_id=document_view.short_id_of(frame),
        preview=tree.preview(frame, zone=timezone.get_current_timezone()),
        size_bytes=len(frame),
        json=document_view.json_text(frame) if place.view == "json" else "",
    )
