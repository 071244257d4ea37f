"""The log of one sync: what was carried over, by collection. The audit trail leads here."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from backups_app import configuration
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest
from backups_app.use_cases.syncs import sync_overview


@require_safe
@admin_page
def sync_log(request: AdminRequest, run_id: str) -> HttpResponse:
    """The newest document that `sync_logs` has of this run."""
    log = sync_overview.log_of(configuration=configuration.current(), run_id=run_id)
    if log is None:
        raise Http404
    return render(request, "sync/log.html", {"place": "sync", "log": log})
