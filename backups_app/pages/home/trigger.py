"""The two buttons: what they will do, in numbers; the confirmation; the start."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backups_app import configuration
from backups_app.access.signing_in import sessions
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import ConfirmationMissing, LoginRefused, RateLimited, RunActive, TempleOpsError
from backups_app.pages import requests
from backups_app.pages.guards import admin_page
from backups_app.pages.home import live_counts, status_card
from backups_app.pages.requests import AdminRequest, go_to, is_htmx, show
from backups_app.pages.runs import run_wording, views
from backups_app.pages.shared import step_up
from backups_app.records import CONFIRMATION_PHRASE, Origin
from backups_app.use_cases import confirmation
from backups_app.use_cases.backups import backups
from backups_app.use_cases.readiness import readiness


def card_context(request: AdminRequest, *, active: RunRecord | None) -> dict[str, Any]:
    """Return what the trigger card needs. The counts come afterwards, unless there is no script to fetch them. While a
    run goes on, that is why none may start."""
    return {
        "active": active,
        "blocked_because": "" if active else _blocked_because(),
        "sync_enabled": configuration.current().sync_enabled,
        "key": requests.new_key(),
        "last": status_card.last_backup(now=timezone.now()),
        "counts": None if request.GET.get("counts") is None else live_counts.now(),
    }


def _blocked_because() -> str:
    """Why no run may start at this moment, in one sentence; empty when one may. What to do stands in the card above."""
    refusal = readiness.first_refusal(configuration=configuration.current())
    return run_wording.in_two(refusal.detail)[0] if refusal else ""


@require_GET
@admin_page(polled=True)
def counts(request: AdminRequest) -> HttpResponse:
    """Both choices with the numbers of this moment."""
    counted = {"counts": live_counts.now()}  # first: what it finds lost nobody asks again
    return render(request, "home/confirm/_choices.html", card_context(request, active=views.active_run()) | counted)


@require_GET
@admin_page
def confirm_deletion(request: AdminRequest) -> HttpResponse:
    """What the red button would delete, on both sides, and the words to type.

    A dialog opens at once, asks for this with `counted`, and puts the answer in its place; a page counts first.
    """
    if is_htmx(request) and "counted" not in request.GET:
        context = _question(request) | {"rows": live_counts.uncounted()}
        return render(request, "home/confirm/_confirm_dialog.html", context)
    return _confirmation(request)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def collection(request: AdminRequest) -> HttpResponse:
    """GET: lead to the list of backups. POST: start a run."""
    return start(request) if request.method == "POST" else go_to(request, reverse("pages:backups"))


@sensitive_post_parameters("password")
@require_POST
@admin_page
def start(request: AdminRequest) -> HttpResponse:
    """Start a run. With deletion the typed phrase is checked here, and the password when the login is not fresh."""
    deletes = request.POST.get("delete_bookings") == "yes"
    try:
        if deletes:
            require_confirmation(request)
        run = backups.start_backup(
            created_by=request.user.get_username(),
            delete_bookings=deletes,
            origin=Origin.WEB,
            now=timezone.now(),
            idempotency_key=request.POST.get("key") or None,
        )
    except (ConfirmationMissing, LoginRefused, RateLimited) as refusal:
        return _confirmation(request, refusal=refusal)
    except RunActive as active:
        return views.watch(request, active)
    return views.started(request, run.backup_id)


def require_confirmation(request: AdminRequest) -> None:
    """Raise ConfirmationMissing unless the phrase was typed, LoginRefused for a wrong password where one is needed."""
    confirmation.require_deletion(request.POST.get("confirm", ""))
    step_up.require_fresh_password(request)


def _confirmation(request: AdminRequest, *, refusal: TempleOpsError | None = None) -> HttpResponse:
    counts = live_counts.now()
    context = _question(request) | {"counts": counts, "rows": counts.rows, "refusal": refusal}
    context["deletes"] = counts.deletes_bookings
    fragment = "home/confirm/_confirm_form.html" if refusal is None else "home/confirm/_confirm_dialog.html"
    status = HTTPStatus.OK if refusal is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return show(request, page="home/confirm/confirm.html", fragment=fragment, context=context, status=status)


def _question(request: AdminRequest) -> dict[str, Any]:
    return {
        "place": "backups",
        "sync_enabled": configuration.current().sync_enabled,
        "backs_up_without_atlas": configuration.current().backs_up_without_atlas,
        "key": request.POST.get("key") or requests.new_key(),
        "database": configuration.current().database_name,
        "phrase": CONFIRMATION_PHRASE,
        "typed": request.POST.get("confirm", ""),
        "ask_password": not sessions.is_fresh(request.login_session, timezone.now()),
        "dialog": is_htmx(request),
        "deletes": True,
    }
