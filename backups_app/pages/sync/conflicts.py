"""Versions that a sync replaced or deleted, and restoring them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from backups_app import configuration
from backups_app.backup_files.shown import shortened
from backups_app.browsing.compare import differences
from backups_app.errors import DocumentChanged, KeptVersionNotFound, PutBackRefused, TempleOpsError
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to
from backups_app.pages.shared.translation import translated
from backups_app.pages.sync import replaced_versions
from backups_app.pages.viewer import document_view
from backups_app.pages.viewer.viewer_place import whole_number
from backups_app.records import Origin
from backups_app.use_cases.syncs import conflicts

PER_PAGE = 25


@require_safe
@admin_page
def listing(request: AdminRequest) -> HttpResponse:
    """The replaced versions by sync, newest first; real conflicts only, or all."""
    restored = whole_number(request.GET.get("restored"), 0)
    return _listing(request, outcome={"restored": restored, "refused": []} if restored else None)


@require_POST
@admin_page
def restore_several(request: AdminRequest) -> HttpResponse:
    """Restore the chosen versions, each only where what is live is still what the page showed."""
    restored, refused = 0, []
    for conflict_id in request.POST.getlist("version"):
        try:
            conflicts.restore_version(
                configuration=configuration.current(),
                conflict_id=conflict_id,
                seen=request.POST.get(f"seen-{conflict_id}", ""),
                requested_by=request.user.get_username(),
                origin=Origin.WEB,
                now=timezone.now(),
            )
            restored += 1
        except (DocumentChanged, PutBackRefused, KeptVersionNotFound) as refusal:
            refused.append((conflict_id, translated(refusal.detail)))
    if restored and not refused:
        query = {name: request.POST[name] for name in ("all", "run") if request.POST.get(name)}
        return go_to(request, f"{reverse('pages:conflicts')}?{urlencode({**query, 'restored': restored})}")
    return _listing(request, outcome={"restored": restored, "refused": refused})


def _listing(request: AdminRequest, *, outcome: dict[str, Any] | None = None) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    page, everything = max(1, whole_number(asked.get("page"), 1)), bool(asked.get("all", "all" in request.GET))
    run_id, settings = asked.get("run", ""), configuration.current()
    found = conflicts.newest(
        configuration=settings,
        only_conflicts=not everything,
        limit=PER_PAGE + 1,
        offset=(page - 1) * PER_PAGE,
        run_id=run_id,
    )
    context = {
        "place": "sync",
        "groups": replaced_versions.groups_of(found[:PER_PAGE], configuration=settings),
        "page": page,
        "more": len(found) > PER_PAGE,
        "all": everything,
        "run": run_id,
        "outcome": outcome,
    }
    return render(request, "sync/conflicts.html", context)


@require_safe
@admin_page
def conflict(request: AdminRequest, conflict_id: str) -> HttpResponse:
    """One kept version beside what is live: field by field."""
    return _page(request, conflict_id)


@require_POST
@admin_page
def put_back(request: AdminRequest, conflict_id: str) -> HttpResponse:
    """Restore this version, if what is live is still what the page showed; else show the page as it is now, and why."""
    try:
        conflicts.restore_version(
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
        "place": "sync",
        "version": version,
        "id": version.record["_id"],
        "json": document_view.json_text(version.frame),
        "shortened": shortened.is_needed(version.frame),
        "changes": differences.fields(version.live, version.frame, zone=zone) if version.live is not None else (),
        "same": version.live == version.frame,
        "problems": {"": translated(refusal.detail)} if refusal else {},
    }
    return render(request, "sync/conflict.html", context, status=refusal.status if refusal else HTTPStatus.OK)
