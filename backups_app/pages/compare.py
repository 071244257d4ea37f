"""Two backups side by side, and one document through all of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups_app import configuration
from backups_app.backup_files.store import Store
from backups_app.browsing import backups, compare, differences, document_ids, documents, versions
from backups_app.browsing.backups import BackupSummary
from backups_app.browsing.versions import NOW, Version
from backups_app.errors import DocumentNotFound
from backups_app.mongo import raw_ids
from backups_app.pages import document_view, viewer, viewer_tags
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, show
from backups_app.pages.viewer_place import whole_number
from backups_app.records import INTERNAL
from backups_app.workflow import kept_versions

KINDS = ("changed", "only_a", "only_b")
PER_PAGE = 25


@require_safe
@admin_page
def two_backups(request: AdminRequest) -> HttpResponse:
    """Choose two; then their collections; then the documents of one that differ."""
    store = viewer.store()
    readable = [entry for entry in backups.summaries(store=store) if entry.readable]
    a, b = _two(request, readable)
    context: dict[str, Any] = {"place": "compare", "backups": readable, "a": a, "b": b}
    if a and b and "a" in request.GET:
        zone = timezone.get_current_timezone()
        name = request.GET.get("collection", "")
        context["rows"] = [row for row in compare.of_backups(store=store, a=a, b=b) if row.name not in INTERNAL]
        if name:
            context |= _documents(request, store, a=a, b=b, name=name, zone=zone)
    return show(request, page="backups/compare.html", fragment="backups/_compare.html", context=context)


def _two(request: AdminRequest, readable: list[BackupSummary]) -> tuple[str, str]:
    """What was asked for, or else the newest backup and the one before it: a is the older one."""
    newest = [entry.backup_id for entry in readable[:2]]
    usual = (newest[-1], newest[0]) if len(newest) == 2 else ("", "")
    return request.GET.get("a") or usual[0], request.GET.get("b") or usual[1]


def _documents(request: AdminRequest, store: Store, *, a: str, b: str, name: str, zone: Any) -> dict[str, Any]:
    kind = request.GET.get("kind", KINDS[0])
    kind = kind if kind in KINDS else KINDS[0]
    page = max(1, whole_number(request.GET.get("page"), 1))
    found = compare.of_collection(store=store, a=a, b=b, collection=name)
    total = len(getattr(found, kind))
    shown = compare.documents_of(
        store=store, a=a, b=b, collection=name, comparison=found, kind=kind, start=(page - 1) * PER_PAGE,
        limit=PER_PAGE, zone=zone,
    )  # fmt: skip
    return {
        "collection": name,
        "kind": kind,
        "page": page,
        "pages": max(1, -(-total // PER_PAGE)),
        "total": total,
        "differing": shown,
    }


@require_safe
@admin_page
def document_versions(request: AdminRequest) -> HttpResponse:
    """One document in every backup and in the database now, with what changed from one to the next."""
    backup_id, collection = request.GET.get("backup", ""), request.GET.get("collection", "")
    raw_id = _raw_id(request, backup_id, collection)
    live = kept_versions.live_document(configuration=configuration.current(), collection=collection, raw_id=raw_id)
    found = versions.of_document(store=viewer.store(), collection=collection, raw_id=raw_id, live=live, with_live=True)
    known = {entry.backup_id: entry for entry in backups.summaries(store=viewer.store())}
    context = {
        "place": "backups",
        "backup_id": backup_id,
        "collection": collection,
        "number": request.GET.get("number", ""),
        "identity": document_ids.address(raw_id),
        "short_id": document_view.short_id(raw_id),
        "versions": _told(found.versions, known),
        "minutes": viewer_tags.crowded(list(known.values())),
        "unchecked": [known[backup] for backup in found.unchecked if backup in known],
    }
    return show(request, page="backups/versions.html", fragment="backups/_versions_dialog.html", context=context)


def _raw_id(request: AdminRequest, backup_id: str, collection: str) -> bytes:
    number = whole_number(request.GET.get("number"), -1)
    if number < 0:
        raise DocumentNotFound
    frame = documents.sound(store=viewer.store(), backup_id=backup_id, collection=collection, number=number)
    try:
        return raw_ids.of(frame)
    except ValueError:  # a foreign file may hold a document without an _id: it has no other versions
        raise DocumentNotFound from None


def _told(found: tuple[Version, ...], known: dict[str, BackupSummary]) -> list[dict[str, Any]]:
    """Each version with the backups that hold it, newest first, and what changed since the one before it."""
    zone = timezone.get_current_timezone()
    told = []
    for at, version in enumerate(found):
        before = found[at + 1].frame if at + 1 < len(found) else None
        changes = (
            differences.fields(before, version.frame, zone=zone)
            if before is not None and version.frame is not None
            else ()
        )
        told.append(
            {
                "now": NOW in version.backup_ids,
                "backups": [known[backup_id] for backup_id in version.backup_ids if backup_id in known],
                "there": version.frame is not None,
                "changes": changes,
                "oldest": at + 1 == len(found),
                "came": before is None and version.frame is not None and at + 1 < len(found),
            }
        )
    return told
