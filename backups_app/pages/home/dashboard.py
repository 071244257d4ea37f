"""The temple's dashboard, and the home of Backup Management."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from backups_app import configuration
from backups_app.access import roles
from backups_app.catalog.run.run_record import RunRecord
from backups_app.pages.guards import admin_page, signed_in_page
from backups_app.pages.home import status_card, trigger
from backups_app.pages.requests import AdminRequest
from backups_app.pages.runs import run_panel
from backups_app.pages.runs import views as run_pages
from backups_app.records import Status
from backups_app.use_cases.listing import listing


@require_safe
@signed_in_page
def dashboard(request: HttpRequest) -> HttpResponse:
    """Where everybody arrives. Who manages backups reads the verdict here."""
    shows_verdict = roles.may_manage_backups(request.user) and configuration.current().is_local
    card = status_card.current(now=timezone.now()) if shows_verdict else None
    return render(request, "home/dashboard.html", {"place": "dashboard", "card": card})


@require_safe
@admin_page(in_any_mode=True)
def home(request: AdminRequest) -> HttpResponse:
    """Backup Management; in cloud mode a page of information in its place, with 200, as the status of the API."""
    if not configuration.current().is_local:
        return render(request, "home/cloud.html", {"place": "backups", "configuration": configuration.current()})
    return render(request, "home/home.html", home_context(request))


def home_context(request: AdminRequest) -> dict[str, Any]:
    """Return what the home page shows: its panel, its status, its two buttons."""
    now = timezone.now()
    card = _card(request, now)
    runs = listing.list_runs(configuration=configuration.current(), every=True)
    shown = shown_run(runs)
    return {
        "place": "backups",
        "panel": run_panel.make_panel(shown, now=now) if shown else None,
        "last_good": run_pages.last_good() if shown and shown["status"] in (Status.FAILED, Status.CANCELLED) else None,
        "card": card,
        "count_now": "" if "counts" in request.GET else f"{reverse('pages:home')}?counts=1",
        **trigger.card_context(request, active=_active(runs)),
    }


def _card(request: AdminRequest, now: datetime) -> status_card.StatusCard:
    """What is known is shown at once: the card looks by itself. Without a script, the page looks where it is old."""
    if "check" in request.GET:
        return status_card.check_now(now=now)
    return status_card.current(now=now, at_most=status_card.KNOWN_FOR if "counts" in request.GET else None)


def shown_run(runs: list[RunRecord]) -> RunRecord | None:
    """Return the run whose panel stands on top: the one in progress, else the latest if it was not a success. One dated
    in the future is not the latest."""
    active = _active(runs)
    if active is not None:
        return active
    # A foreign folder is no run.
    ours = (run for run in runs if run.status in set(Status) and not run.dated_in_future)
    return next((run for run in list(ours)[:1] if run.status != Status.SUCCESS), None)


def _active(runs: list[RunRecord]) -> RunRecord | None:
    return next((run for run in runs if run.status == Status.IN_PROGRESS), None)


@require_GET
@admin_page(polled=True)
def dot(request: AdminRequest) -> HttpResponse:
    """The mark in the sidebar that says whether a backup runs. 204 where the page shows that already."""
    running = listing.active_run(configuration=configuration.current()) is not None
    if running == ("running" in request.GET):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    dot_id = "run-dot-phone" if request.GET.get("id") == "run-dot-phone" else "run-dot"
    return render(request, "shell/_dot.html", {"dot_id": dot_id, "dot_known": True, "dot_running": running})
