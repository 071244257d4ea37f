"""The viewer: Load Backups, a backup, a collection, its documents. Its whole state stands in the address."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups_app.access.trail import audit
from backups_app.backup_files.shown import shortened
from backups_app.browsing.reading import documents, raw_documents
from backups_app.browsing.values import tree
from backups_app.errors import InvalidInput
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, is_htmx, show
from backups_app.pages.viewer import document_view, viewer_context, viewer_documents, viewer_place
from backups_app.pages.viewer.viewer_place import Place
from backups_app.records import Origin

COPY_LIMIT_BYTES = 64 * 1024


@require_safe
@admin_page
def browse(request: AdminRequest) -> HttpResponse:
    """The viewer at an address; to htmx the card, its list of documents, or more matches of a search."""
    place = viewer_place.place_of(request.GET)
    target = getattr(request.htmx, "target", None) if is_htmx(request) else None
    if target == "more" and place.goes_on:
        return _more_matches(request, place)
    looked = viewer_context.viewer_at(place)
    _record_view(request, looked)
    context = {"place": "list", "viewer": looked, "documents": looked.documents, "everywhere": looked.everywhere}
    context |= {"focus_on": _focus_on(request)}
    fragment = "viewer/documents/_docs.html" if target == "docs" and looked.documents else "viewer/_viewer.html"
    status = HTTPStatus.GONE if looked.gone else HTTPStatus.OK
    if looked.elsewhere:
        status = HTTPStatus.CONFLICT
    if looked.not_there and not is_htmx(request):  # to htmx it is the choice of another backup, which may lack it
        status = HTTPStatus.NOT_FOUND
    return show(request, page="viewer/browse.html", fragment=fragment, context=context, status=status, titled=True)


def _more_matches(request: AdminRequest, place: Place) -> HttpResponse:
    """The next part of a search that goes on, or where it was stopped."""
    if place.collection:
        context = {"documents": viewer_documents.documents_at(place), "more": True}
        return render(request, "viewer/search/_matches.html", context)
    context = {"everywhere": viewer_context.everywhere_at(place), "more": True}
    return render(request, "viewer/search/_everywhere_part.html", context)


def _focus_on(request: AdminRequest) -> str:
    """What takes the focus, when what the person pressed is replaced: the list after turning its pages, the choice of a
    backup after loading them. Elsewhere the focus stays where it is."""
    pressed = request.htmx.trigger if is_htmx(request) else None
    return {"load-backups": "backup", "next-page": "list", "previous-page": "list", "pager-form": "list"}.get(
        pressed or "", ""
    )


@require_safe
@admin_page
def document(request: AdminRequest, backup_id: str) -> HttpResponse:
    """One document, as a tree or as JSON; damaged, its raw bytes."""
    context = _asked(request, backup_id) | {"place": "list", "mark": request.GET.get("mark", "")}
    found = documents.document_at(store=viewer_documents.store(), **_key(context))
    context |= {"problem": found.problem, "view": "json" if request.GET.get("view") == "json" else "tree"}
    if found.problem:
        context |= _raw(found, context)
    else:
        context |= _shown(found.frame)
    page, fragment = "viewer/document/document.html", "viewer/document/_document.html"
    return show(request, page=page, fragment=fragment, context=context)


@require_safe
@admin_page
def items(request: AdminRequest, backup_id: str) -> HttpResponse:
    """More items of an array, or what lies deeper in a document."""
    context = _asked(request, backup_id) | {"place": "list", "mark": request.GET.get("mark", "")}
    frame = documents.sound(store=viewer_documents.store(), **_key(context))
    start = viewer_place.whole_number(request.GET.get("from"), 0)
    context["focus_first"] = is_htmx(request) and start > 0
    context["node"] = tree.items(frame, path=request.GET.get("path", ""), start=start, shape=_shape())
    return show(request, page="viewer/document/items.html", fragment="viewer/document/_items.html", context=context)


@require_safe
@admin_page
def value(request: AdminRequest, backup_id: str) -> HttpResponse:
    """One value, whole: "Show all"."""
    context = _asked(request, backup_id) | {"place": "list", "mark": ""}
    frame = documents.sound(store=viewer_documents.store(), **_key(context))
    context["focus_first"] = is_htmx(request)
    start = viewer_place.whole_number(request.GET.get("from"), 0)
    zone = timezone.get_current_timezone()
    context["node"] = tree.whole(frame, path=request.GET.get("path", ""), zone=zone, start=start)
    return show(request, page="viewer/document/value.html", fragment="viewer/document/_value.html", context=context)


def _asked(request: AdminRequest, backup_id: str) -> dict[str, Any]:
    """The document an address names. Raise InvalidInput for a number that is none."""
    number = request.GET.get("number", "")
    if not (number.isascii() and number.isdigit() and len(number) < 13):
        raise InvalidInput(message="A document is named by its number.")
    return {"backup_id": backup_id, "collection": request.GET.get("collection", ""), "number": int(number)}


def _key(context: dict[str, Any]) -> dict[str, Any]:
    return {name: context[name] for name in ("backup_id", "collection", "number")}


def _shape() -> tree.Shape:
    return tree.Shape(zone=timezone.get_current_timezone())


def _raw(found: documents.PageDocument, context: dict[str, Any]) -> dict[str, Any]:
    """What there is to show of a document that may not be decoded."""
    place = {name: context[name] for name in ("backup_id", "collection")}
    document = raw_documents.undecodable_document(found, store=viewer_documents.store(), **place)
    return {
        "raw": raw_documents.hex_dump(document.raw),
        "whole": document.restorable,
        "identity": document.identity,
        "size_bytes": len(found.frame),
    }


def _shown(frame: bytes) -> dict[str, Any]:
    text = document_view.json_text(frame)
    return {
        "root": tree.document(frame, shape=_shape()),
        "json": text,
        "size_bytes": len(frame),
        "identity": document_view.identity_of(frame),
        "copyable": len(text) <= COPY_LIMIT_BYTES and not shortened.is_needed(frame),
        "shortened": shortened.is_needed(frame),
    }


def _record_view(request: AdminRequest, looked: viewer_context.Viewer) -> None:
    """Who opened which collection, or searched in all of them. Turning pages and searching in one are the same look."""
    place = looked.place
    opened = looked.collection is not None and not place.q and place.page == 1
    everywhere = looked.everywhere is not None and not looked.everywhere.problem and not place.goes_on
    if not opened and not everywhere:
        return
    audit.record(
        actor=request.user.get_username(),
        origin=Origin.WEB,
        session=request.login_session.sid,
        address=request.META.get("REMOTE_ADDR", ""),
        action="collection.view",
        target=f"{place.backup}/{place.collection or '*'}",
        result="success",
        request_id=request.request_id,
        now=timezone.now(),
    )
