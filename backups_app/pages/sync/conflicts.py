"""What a sync replaced or deleted, and putting it back."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from backups_app import configuration
from backups_app.backup_files import shortened
from backups_app.browsing import differences
from backups_app.errors import DocumentChanged, PutBackRefused, TempleOpsError
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to
from backups_app.pages.shared.told import tell
from backups_app.pages.viewer import document_view
from backups_app.pages.viewer.viewer_place import whole_number
from backups_app.records import Origin
from backups_app.use_cases import conflicts

PER_PAGE = 50


@require_safe
@admin_page
def listing(request: AdminRequest) -> HttpResponse:
    """The kept versions, newest first; real conflicts only, or all."""
    page = max(1, whole_number(request.GET.get("page"), 1))
    everything = "all" in request.GET
    found = conflicts.newest(
        configuration=configuration.current(),
        only_conflicts=not everything,
        limit=PER_PAGE + 1,
        offset=(page - 1) * PER_PAGE,
    )
    rows = [row | {"id": row["_id"], "short_id": document_view.short_id(bytes(row["key"]))} for row in found[:PER_PAGE]]
    context = {"place": "conflicts", "rows": rows, "page": page, "more": len(found) > PER_PAGE, "all": everything}
    return render(request, "sync/conflicts.html", context)


@require_safe
@admin_page
def conflict(request: AdminRequest, conflict_id: str) -> HttpResponse:
    """One kept version beside what is live: field by field."""
    return _page(request, conflict_id)


@require_POST
@admin_page
def put_back(request: AdminRequest, conflict_id: str) -> HttpResponse:
    """Put this version back, if what is live is still what the page showed; else the page as it is now, and why."""
    try:
        conflicts.put_back(
            configuration=configuration.current(),
            conflict_id=conflict_id,
            seen=request.POST.get("seen", ""),
            requested_by=request.user.get_username(),
            origin=Origin.WEB,
            now=timezone.now(),
        )
    except (DocumentChanged, PutBackRefused) as refusal:
        return _page(request, conflict_id, refusal=refusal)
    return go_to(request, f"{reverse('pages:conflict', args=[conflict_id])}?done=1")


def _page(request: AdminRequest, conflict_id: str, *, refusal: TempleOpsError | None = None) -> HttpResponse:
    version = conflicts.get(configuration=configuration.current(), conflict_id=conflict_id)
    zone = timezone.get_current_timezone()
    context = {
        "place": "conflicts",
        "version": version,
        "id": version.record["_id"],
        "json": document_view.json_text(version.frame),
        "shortened": shortened.is_needed(version.frame),
        "changes": differences.fields(version.live, version.frame, zone=zone) if version.live is not None else (),
        "same": version.live == version.frame,
        "problems": {"": tell(refusal.detail)} if refusal else {},
    }
    return render(request, "sync/conflict.html", context, status=refusal.status if refusal else HTTPStatus.OK)
