"""Template tags of the viewer: the addresses of places, documents, items, and how a value's type is coloured."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from backups_app.browsing.reading.backups import BackupSummary, crowded_minutes, minute_of
from backups_app.pages.runs import panel_words
from backups_app.pages.shared.wording import moment_of as moment_of_id
from backups_app.pages.shared.wording import when_text
from backups_app.pages.viewer import document_view, viewer_documents
from backups_app.pages.viewer.viewer_place import Place

register = template.Library()
register.filter("crowded", crowded_minutes)

DEEP = 2
CLASSES = {
    "String": "t-str",
    "ObjectId": "t-oid",
    "UUID": "t-oid",
    "Date": "t-date",
    "Timestamp": "t-date",
    "Int32": "t-num",
    "Int64": "t-num",
    "Double": "t-num",
    "Decimal128": "t-num",
    "Boolean": "t-num",
    "null": "t-null",
    "Undefined": "t-null",
}


@register.simple_tag
def place_url(place: Place, **changes: Any) -> str:
    """The address of a place near this one, a search in it from its beginning; another collection from its own."""
    if "collection" in changes:
        changes = {"q": "", "page": 1, **changes}
    return place.begun(**changes).url


@register.simple_tag
def browse_link(backup_id: str, collection: str = "") -> str:
    """The viewer at a backup, or at a collection of it."""
    return Place(backup=backup_id, collection=collection).url


@register.simple_tag
def document_url(place: Place, number: int, mark: str = "") -> str:
    """One document of the collection that is shown."""
    return document_link(place.backup, place.collection, number, mark)


@register.simple_tag
def document_link(backup_id: str, collection: str, number: int, mark: str = "", view: str = "") -> str:
    """One document, as a tree or as JSON."""
    return _link("pages:document", backup_id, collection, number, mark=mark, view=view)


@register.simple_tag
def items_link(backup_id: str, collection: str, number: int, path: str, start: int) -> str:
    """The children of a container from one of them on."""
    return _link("pages:items", backup_id, collection, number, path=path, **{"from": start})


@register.simple_tag
def value_link(backup_id: str, collection: str, number: int, path: str, start: int | None = None) -> str:
    """One value, whole; a very long text from a character on."""
    return _link("pages:value", backup_id, collection, number, path=path, **{"from": start or ""})


@register.simple_tag
def versions_link(backup_id: str, collection: str, number: int) -> str:
    """The versions of a document that stands in this backup."""
    return f"{reverse('pages:versions')}?{urlencode({'backup': backup_id, 'collection': collection, 'number': number})}"


@register.simple_tag
def compare_link(a: str, b: str, collection: str, kind: str, page: int, start: int = 0) -> str:
    """The documents of a collection that differ between two backups; within a page, from one of them on."""
    message = {"a": a, "b": b, "collection": collection, "kind": kind, "page": page} | (
        {"from": start} if start else {}
    )
    return f"{reverse('pages:compare')}?{urlencode(message)}"


def _link(name: str, backup_id: str, collection: str, number: int, **more: Any) -> str:
    message = {"collection": collection, "number": number} | {key: value for key, value in more.items() if value != ""}
    return f"{reverse(name, args=[backup_id])}?{urlencode(message)}"


register.filter("plain_id", document_view.plain_id)
register.filter("node_text", document_view.node_text)
register.filter("readable", document_view.readable)


@register.simple_tag
def backups_here() -> int:
    """How many backups lie on this server."""
    return len(viewer_documents.store().backups().ids)


@register.simple_tag
def moment_of(entry: BackupSummary, crowded_minutes: frozenset[datetime]) -> str:
    """When a backup was made: `19 Jan 2025, 14:30 IST`, with seconds where another one was made in the same minute."""
    if minute_of(entry.timestamp) not in crowded_minutes:
        return when_text(entry.timestamp)
    local = timezone.localtime(entry.timestamp)
    return f"{date_format(local, 'j M Y, H:i:s')} {local.tzname()}"


@register.filter
def backup_when(backup_id: str) -> str:
    """Return `19 Jan 2025, 14:30 IST` for the id of a backup; an id that is no moment stands as it is."""
    return when_text(moment_of_id(backup_id)) or backup_id


@register.simple_tag
def status_word(status: str) -> str:
    """The word of a run's status; a folder that no run of ours wrote has none."""
    return panel_words.badge(status or "unverified")[0]


@register.filter
def type_class(name: str) -> str:
    """Return the class that colours a value of this type; the type's name stands beside it anyway."""
    return CLASSES.get(name, "")


@register.filter
def is_deep(path: str) -> bool:
    """Return whether a container lies so deep that it stays closed at first."""
    return path.count(".") >= DEEP
