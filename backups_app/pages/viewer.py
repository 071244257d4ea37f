"""What the viewer shows for an address: the backups, one backup's collections, and a page or a search of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backups_app import configuration
from backups_app.backup_files.store import Store
from backups_app.browsing import backups, collections, documents, fields, opening, query, search, tree
from backups_app.browsing.backups import BackupSummary, State
from backups_app.browsing.collection_file import open_collection
from backups_app.browsing.collections import CollectionSummary
from backups_app.browsing.fields import FieldSummary
from backups_app.browsing.search import SearchPage
from backups_app.browsing.tree import Node, Shape
from backups_app.errors import CollectionPreparing, InvalidInput, SearchBusy
from backups_app.pages import document_view
from backups_app.pages.viewer_place import PER_PAGE, Place
from backups_app.workflow import overview, prepare

TABLE_COLUMNS = 8
CELL_CHARACTERS = 40
MANY_BACKUPS = 100


@dataclass(frozen=True, kw_only=True)
class Card:
    """One closed document: its number from 0, the short form of its `_id`, a few telling fields, or what is wrong.
    `fields` are those of its first level, for a table."""

    number: int
    short_id: str
    preview: Sequence[Node]
    size_bytes: int
    problem: str = ""
    json: str = ""
    fields: Mapping[str, Node] = field(default_factory=dict)


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
    def list_template(self) -> str:
        return "backups/_table.html" if self.place.view == "table" else "backups/_cards.html"

    @property
    def field_names(self) -> list[str]:
        """The fields of the documents shown, in the order in which they appear, without `_id`."""
        return [name for name in dict.fromkeys(name for card in self.cards for name in card.fields) if name != "_id"]

    @property
    def columns(self) -> list[str]:
        return self.field_names[:TABLE_COLUMNS]

    @property
    def columns_left_out(self) -> int:
        return len(self.field_names) - len(self.columns)

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
    """Everything the card shows. `collection` is None until one is chosen. `before`: how many documents each
    collection held in the backup before this one, as far as somebody counted."""

    place: Place
    backups: Sequence[BackupSummary]
    backup: BackupSummary | None = None
    collections: Sequence[CollectionSummary] = ()
    collection: CollectionSummary | None = None
    documents: Documents | None = None
    before: Mapping[str, int] = field(default_factory=dict)

    @property
    def view_choices(self) -> list[tuple[str, str, str]]:
        """The ways to look at the documents: key, icon, word."""
        return [
            ("cards", "list", _("Cards")),
            ("json", "braces", "JSON"),
            ("table", "table", _("Table")),
            ("fields", "scroll-text", _("Fields")),
        ]

    @property
    def verified(self) -> list[BackupSummary]:
        return [entry for entry in self.backups if entry.state is State.VERIFIED]

    @property
    def verified_by_month(self) -> list[tuple[str, list[BackupSummary]]]:
        """Where there are very many, under the name of each month; else all under no name."""
        if len(self.backups) <= MANY_BACKUPS:
            return [("", self.verified)]
        by_month = groupby(self.verified, key=lambda entry: date_format(timezone.localtime(entry.timestamp), "F Y"))
        return [(month, list(entries)) for month, entries in by_month]

    @property
    def changes(self) -> dict[str, int]:
        """How many documents more, or fewer, each collection holds than in the backup before."""
        return {
            entry.name: entry.documents - self.before.get(entry.name, 0)
            for entry in self.collections
            if self.before and entry.documents is not None
        }

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
    def temple_first(self) -> list[CollectionSummary]:
        return [*self.temple_collections, *self.own_collections]

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
        before=_before(shelf, listed, chosen) if collection is None else {},
        backups=listed,
        backup=chosen,
        collections=inside,
        collection=collection,
        documents=documents_at(place) if collection is not None else None,
    )


def _before(shelf: Store, listed: Sequence[BackupSummary], chosen: BackupSummary) -> dict[str, int]:
    """The documents of each collection in the verified backup before `chosen`; empty without one."""
    older = [entry for entry in listed if entry.state is State.VERIFIED and entry.timestamp < chosen.timestamp]
    if not older:
        return {}
    manifest = opening.open_backup(store=shelf, backup_id=older[0].backup_id).manifest
    return {name: entry.documents for name, entry in manifest.collections.items()}


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
        fields=_first_level(frame) if place.view == "table" else {},
    )


def _first_level(frame: bytes) -> dict[str, Node]:
    shape = Shape(zone=timezone.get_current_timezone(), text_limit=CELL_CHARACTERS, depth=1)
    return {node.name: node for node in tree.document(frame, shape=shape).children}
