"""Sync: the state of the pair, Sync now, decisions that wait, and the logs of the last syncs."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from backups_app import configuration
from backups_app.access.signing_in import sessions
from backups_app.errors import (
    InvalidInput,
    LoginRefused,
    OtherWorkActive,
    PairMismatch,
    RateLimited,
    RunActive,
    SyncConfirmationMissing,
    TempleOpsError,
)
from backups_app.pages.form_fields import from_field
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to, show
from backups_app.pages.shared import step_up
from backups_app.pages.shared.translation import translated
from backups_app.records import Origin
from backups_app.use_cases import confirmation
from backups_app.use_cases.lanes import syncs as lane_syncs
from backups_app.use_cases.syncs import conflicts, sync_overview
from backups_app.use_cases.syncs.syncs import ADOPT_PHRASE, DELETE_PHRASE, SyncWish

WAIT_SECONDS = 2.0
"""How long the page itself waits for a sync; one that takes longer is asked for once a second."""
DECISIONS = ("delete", "keep")


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@sensitive_post_parameters("password")
def sync(request: AdminRequest) -> HttpResponse:
    """GET: the state of the pair and the last logs. POST: sync now."""
    return _start(request) if request.method == "POST" else _answer(request)


def _start(request: AdminRequest) -> HttpResponse:
    """Let the worker sync, or join the sync that runs. What deletes or pairs is confirmed by a typed word."""
    try:
        wish = _wish(request)
    except (SyncConfirmationMissing, LoginRefused, RateLimited, InvalidInput) as refusal:
        return _answer(request, refusal=refusal)
    try:
        making = lane_syncs.begin(
            configuration=configuration.current(), wish=wish, by=request.user.get_username(), origin=Origin.WEB,
            now=timezone.now(), wait_seconds=WAIT_SECONDS,
        )  # fmt: skip
        if making.error is not None:
            lane_syncs.forget(configuration=configuration.current())
            raise making.error
    except OtherWorkActive as refusal:
        return _answer(request, refusal=refusal)
    except RunActive as active:
        return go_to(request, f"{reverse('pages:run', args=[active.facts['backup_id']])}?already=1")
    except TempleOpsError as refusal:
        return _answer(request, refusal=refusal)
    return go_to(request, reverse("pages:sync"))


def _wish(request: AdminRequest) -> SyncWish:
    """Read what is asked for. Raise `SyncConfirmationMissing`, `LoginRefused`, `RateLimited`."""
    adopt = request.POST.get("adopt") == "1"
    asked = {from_field(name): request.POST.get(f"decide-{name}", "") for name in request.POST.getlist("blocked")}
    decided = {name: decision for name, decision in asked.items() if decision in DECISIONS}
    phrase = ADOPT_PHRASE if adopt else DELETE_PHRASE if "delete" in decided.values() else ""
    if phrase:
        typed = request.POST.get("confirm", "")
        confirmation.require(phrase, typed=typed, refusal=SyncConfirmationMissing(phrase=phrase))
        step_up.require_fresh_password(request)
    only = frozenset(decided) if decided else None
    return SyncWish(exact=request.POST.get("exact") == "1", adopt=adopt, decided=decided, only=only)


def _answer(request: AdminRequest, *, refusal: TempleOpsError | None = None) -> HttpResponse:
    settings = configuration.current()
    making = lane_syncs.known(configuration=settings, now=timezone.now())
    running = making is not None and not making.ended
    report, failed = (making.result, making.error) if making is not None and not running else (None, None)
    refusal = refusal or failed
    overview = sync_overview.overview(configuration=settings)
    context = {
        "place": "sync",
        "sync_enabled": settings.sync_enabled,
        "overview": overview,
        "latest_conflicts": len(conflicts.newest(configuration=settings, only_conflicts=True, limit=100)),
        "making": making if running else None,
        "report": report,
        "mismatch": isinstance(refusal, PairMismatch) or "adopt" in request.POST,
        "adopt_phrase": ADOPT_PHRASE,
        "delete_phrase": DELETE_PHRASE,
        "ask_password": not sessions.is_fresh(request.login_session, timezone.now()),
        "problems": _problems(refusal),
    }
    status = refusal.status if refusal is not None and request.method == "POST" else HTTPStatus.OK
    return show(request, page="sync/sync.html", fragment="sync/_state.html", context=context, status=status)


def _problems(refusal: TempleOpsError | None) -> Mapping[str, Any]:
    """What is wrong, by field; under "" what belongs to none."""
    if refusal is None:
        return {}
    if isinstance(refusal, SyncConfirmationMissing):
        sentence = _("Type the word exactly: %(phrase)s. Nothing was started.")
        return {"confirm": sentence % {"phrase": refusal.facts["phrase"]}}
    if isinstance(refusal, LoginRefused):
        return {"password": _("Wrong password. Nothing was started.")}
    return {"": translated(refusal.detail)}
