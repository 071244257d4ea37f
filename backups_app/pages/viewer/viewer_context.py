"""What the viewer shows for an address: the backups, one backup's collections, and a page or a search of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backups_app import configuration
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import backups, collections, opening
from backups_app.browsing.reading.backups import BackupState, BackupSummary
from backups_app.browsing.reading.collections import CollectionSummary
from backups_app.errors import BackupNotFound
from backups_app.pages.viewer import search_everywhere, verification
from backups_app.pages.viewer.search_everywhere import Everywhere
from backups_app.pages.viewer.verification import Verification
from backups_app.pages.viewer.viewer_documents import Documents, documents_at, store
from backups_app.pages.viewer.viewer_place import Place
from backups_app.use_cases.listing import listing

MANY_BACKUPS = 100


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Everything the card shows. `collection` is None until one is chosen. `before`: how many documents each
    collection held in the backup before this one, as far as somebody counted. `not_there`: a collection that was asked
    for and is not in this backup."""

    place: Place
    backups: Sequence[BackupSummary]
    backup: BackupSummary | None = None
    collections: Sequence[CollectionSummary] = ()
    collection: CollectionSummary | None = None
    documents: Documents | None = None
    everywhere: Everywhere | None = None
    verification: Verification | None = None
    before: Mapping[str, int] = field(default_factory=dict)
    not_there: str = ""

    @property
    def gone(self) -> bool:
        """Whether a backup is asked for whose files are not here, although there is a record of it."""
        return self.backup is not None and not self.backup.readable

    @property
    def elsewhere(self) -> bool:
        """Whether its files are in the folder of another host."""
        return self.backup is not None and self.backup.state is BackupState.ELSEWHERE

    @property
    def average_bytes(self) -> int | None:
        """How large a document of the collection is, on average."""
        entry = self.collection
        return entry.size_bytes // entry.documents if entry and entry.documents else None

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
        return [entry for entry in self.backups if entry.state is BackupState.VERIFIED]

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
        return [entry for entry in self.backups if entry.state in (BackupState.UNVERIFIED, BackupState.DAMAGED)]

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


def viewer_at(place: Place) -> Viewer:
    """Return what stands at `place`. Raise `InvalidBackupId`, `BackupNotFound`, `CollectionNotFound`, …"""
    shelf = store()
    runs = listing.list_runs(configuration=configuration.current(), every=True)
    listed = backups.summaries(store=shelf, runs=runs)
    if not place.backup:
        return Viewer(place=place, backups=listed)
    chosen = next((entry for entry in listed if entry.backup_id == place.backup), None)
    if chosen is not None and not chosen.readable:
        return Viewer(place=place.begun(collection="", q="", page=1), backups=listed, backup=chosen)
    opening.open_backup(store=shelf, backup_id=place.backup)
    if chosen is None:  # it came after the list was made
        raise BackupNotFound
    return _inside(shelf, place, listed, chosen)


def everywhere_at(place: Place) -> Everywhere:
    """Return one more part of the search in all collections of the backup at `place`."""
    inside = collections.of_backup(store=store(), backup_id=place.backup)
    return search_everywhere.search_backup(place, Viewer(place=place, backups=(), collections=inside).temple_first)


def _inside(shelf: Store, place: Place, listed: Sequence[BackupSummary], chosen: BackupSummary) -> Viewer:
    """A backup that can be read: its collections, and what of them is asked for."""
    inside = collections.of_backup(store=shelf, backup_id=place.backup)
    collection = next((entry for entry in inside if entry.name == place.collection), None)
    known = Viewer(
        place=place if collection is not None else place.at(collection="", page=1),
        backups=listed,
        backup=chosen,
        collections=inside,
        collection=collection,
        verification=verification.last_verification(chosen.backup_id),
        not_there=place.collection if collection is None else "",
    )
    if collection is not None:
        return replace(known, documents=documents_at(place))
    if known.place.q:
        return replace(known, everywhere=search_everywhere.search_backup(known.place, known.temple_first))
    return replace(known, before=_before(shelf, listed, chosen))


def _before(shelf: Store, listed: Sequence[BackupSummary], chosen: BackupSummary) -> dict[str, int]:
    """The documents of each collection in the verified backup before `chosen`; empty without one."""
    older = [entry for entry in listed if entry.state is BackupState.VERIFIED and entry.timestamp < chosen.timestamp]
    if not older:
        return {}
    manifest = opening.open_backup(store=shelf, backup_id=older[0].backup_id).manifest
    return {name: entry.documents for name, entry in manifest.collections.items()}
