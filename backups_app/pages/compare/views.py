"""Two backups side by side, and one document through all of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from backups_app import configuration
from backups_app.browsing.compare import compare, versions
from backups_app.browsing.compare.versions import NOW, Version
from backups_app.browsing.reading import backups, document_ids, documents
from backups_app.browsing.reading.backups import BackupSummary, crowded_minutes
from backups_app.errors import DocumentNotFound
from backups_app.mongo import raw_ids
from backups_app.pages.find import unsearched
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, show
from backups_app.pages.viewer import document_view, viewer_documents
from backups_app.pages.viewer.viewer_place import whole_number
from backups_app.records import Origin
from backups_app.use_cases.finding import not_searched
from backups_app.use_cases.lanes import asking, comparisons
from backups_app.use_cases.lanes.comparisons import Compared
from backups_app.use_cases.syncs import conflicts

KINDS = ("changed", "only_a", "only_b")
PER_PAGE = 25


@require_safe
@admin_page
def two_backups(request: AdminRequest) -> HttpResponse:
    """Choose two; then their collections; then the documents of one that differ."""
    return _answer(request)


@require_GET
@admin_page(polled=True)
def progress(request: AdminRequest) -> HttpResponse:
    """How far the comparison is, and its result when it is there."""
    return _answer(request)


def _answer(request: AdminRequest) -> HttpResponse:
    readable = [entry for entry in backups.summaries(store=viewer_documents.store()) if entry.readable]
    a, b = _two(request, readable)
    context: dict[str, Any] = {"place": "compare", "backups": readable, "a": a, "b": b}
    if a and b and "a" in request.GET:
        context |= _compared(request, a=a, b=b)
    return show(request, page="compare/compare.html", fragment="compare/_compare.html", context=context)


def _two(request: AdminRequest, readable: list[BackupSummary]) -> tuple[str, str]:
    """What was asked for, or else the newest backup and the one before it: a is the older one."""
    newest = [entry.backup_id for entry in readable[:2]]
    usual = (newest[-1], newest[0]) if len(newest) == 2 else ("", "")
    return request.GET.get("a") or usual[0], request.GET.get("b") or usual[1]


def _compared(request: AdminRequest, *, a: str, b: str) -> dict[str, Any]:
    """The collections of both, and the documents of one; or how far the comparison is."""
    name = request.GET.get("collection", "")
    making = asking.ask(
        comparisons.KIND,
        configuration=configuration.current(),
        arguments=comparisons.arguments_of(a=a, b=b, collection=name),
        by=request.user.get_username(),
        origin=Origin.WEB,
        now=timezone.now(),
    )
    if making.error is not None:
        raise making.error
    if making.result is None:
        asked = request.GET.urlencode()
        urls = {where: f"{reverse(f'pages:{where}')}?{asked}" for where in ("compare", "compare_progress")}
        return {"making": making, "refresh_url": urls["compare"], "progress_url": urls["compare_progress"]}
    rows, found = making.result.rows, making.result.found
    sums = {count: sum(getattr(row, count) for row in rows) for count in ("only_a", "only_b", "changed", "same")}
    differing = [row for row in rows if row.only_a or row.only_b or row.changed]
    alike = [row for row in rows if row not in differing]
    shown = {"rows": rows, "unlike": differing, "alike": alike, "sums": sums}
    return shown | (_documents(request, a=a, b=b, name=name, compared=making.result) if found else {})


def _documents(request: AdminRequest, *, a: str, b: str, name: str, compared: Compared) -> dict[str, Any]:
    found = compared.found
    assert found is not None
    kind = request.GET.get("kind", KINDS[0])
    kind = kind if kind in KINDS else KINDS[0]
    page = max(1, whole_number(request.GET.get("page"), 1))
    listed, first = len(getattr(found, kind)), (page - 1) * PER_PAGE
    start = min(max(first, whole_number(request.GET.get("from"), 0)), first + PER_PAGE - 1)
    shown = compare.documents_of(
        store=viewer_documents.store(), a=a, b=b, collection=name, comparison=found, kind=kind,
        start=start, limit=first + PER_PAGE - start, zone=timezone.get_current_timezone(),
    )  # fmt: skip
    end = start + len(shown)
    return {
        "collection": name,
        "kind": kind,
        "page": page,
        "pages": max(1, -(-listed // PER_PAGE)),
        "total": compared.totals[kind],
        "listed": listed,
        "differing": shown,
        "goes_on_at": end if end < min(listed, first + PER_PAGE) else None,
    }


@require_safe
@admin_page
def document_versions(request: AdminRequest) -> HttpResponse:
    """One document in every backup and in the database now, with what changed from one to the next."""
    backup_id, collection = request.GET.get("backup", ""), request.GET.get("collection", "")
    raw_id = _raw_id(request, backup_id, collection)
    live = conflicts.live_document(configuration=configuration.current(), collection=collection, raw_id=raw_id)
    found = versions.of_document(
        store=viewer_documents.store(),
        collection=collection,
        raw_id=raw_id,
        live=live,
        with_live=True,
        zone=timezone.get_current_timezone(),
    )
    known = {entry.backup_id: entry for entry in backups.summaries(store=viewer_documents.store())}
    missing = not_searched.known(configuration=configuration.current())
    context = {
        "place": "list",
        "backup_id": backup_id,
        "collection": collection,
        "number": request.GET.get("number", ""),
        "identity": document_ids.address(raw_id),
        "short_id": document_view.short_id(raw_id),
        "versions": _reported(found.versions, known),
        "minutes": crowded_minutes(list(known.values())),
        "unchecked": [known[backup] for backup in found.unchecked if backup in known],
        "found": {"not_searched": [unsearched.left_out(one) for one in missing]},
    }
    return show(request, page="compare/versions.html", fragment="compare/_versions_dialog.html", context=context)


def _raw_id(request: AdminRequest, backup_id: str, collection: str) -> bytes:
    number = whole_number(request.GET.get("number"), -1)
    if number < 0:
        raise DocumentNotFound
    frame = documents.sound(store=viewer_documents.store(), backup_id=backup_id, collection=collection, number=number)
    try:
        return raw_ids.id_of(frame)
    except ValueError:  # a foreign file may hold a document without an _id: it has no other versions
        raise DocumentNotFound from None


def _reported(found: tuple[Version, ...], known: dict[str, BackupSummary]) -> list[dict[str, Any]]:
    """Each version with the backups that hold it, newest first, and what changed since the one before it."""
    rows = []
    for at, version in enumerate(found):
        oldest = at + 1 == len(found)
        rows.append(
            {
                "now": NOW in version.backup_ids,
                "backups": [known[backup_id] for backup_id in version.backup_ids if backup_id in known],
                "there": version.there,
                "number": version.number,
                "changes": version.changes,
                "oldest": oldest,
                "came": version.there and not oldest and not found[at + 1].there,
            }
        )
    return rows
