"""Sync: the state of the pair, Sync now, decisions that wait, and the logs of the last syncs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from backups_app import configuration
from backups_app.access import sessions
from backups_app.errors import (
    InvalidInput,
    LoginRefused,
    PairMismatch,
    RateLimited,
    RunActive,
    SyncConfirmationMissing,
    TempleOpsError,
)
from backups_app.pages.form_fields import from_field
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to, show
from backups_app.pages.shared import background_work, known_status, step_up
from backups_app.pages.shared.translation import translated
from backups_app.records import Origin
from backups_app.sync.engine import SyncReport
from backups_app.use_cases import confirmation, conflicts, syncs
from backups_app.use_cases.syncs import ADOPT_PHRASE, DELETE_PHRASE, SyncWish

WAIT_SECONDS = 2.0
"""How long the page itself waits for a sync; one that takes longer is asked for once a second."""
KEY = "sync"
DECISIONS = ("delete", "keep")

_syncs: background_work.BackgroundWork[SyncReport] = background_work.BackgroundWork("sync", at_once=1, to_the_end=True)


def forget_all() -> None:
    """Forget the sync of this process: for tests, which begin without memories."""
    _syncs.forget_all()


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@sensitive_post_parameters("password")
def sync(request: AdminRequest) -> HttpResponse:
    """GET: the state of the pair and the last logs. POST: sync now."""
    return _start(request) if request.method == "POST" else _answer(request)


def _start(request: AdminRequest) -> HttpResponse:
    """Sync in the background, or join the sync that runs. What deletes or pairs is confirmed by a typed word."""
    try:
        wish = _wish(request)
    except (SyncConfirmationMissing, LoginRefused, RateLimited, InvalidInput) as refusal:
        return _answer(request, refusal=refusal)
    making = _syncs.known(KEY)
    if making is not None and making.ended.is_set():
        _syncs.forget(KEY)
    making = _syncs.of(KEY, partial(_sync, wish, request.user.get_username()), wait_seconds=WAIT_SECONDS)
    if making.error is not None:
        _syncs.forget(KEY)
        if isinstance(making.error, RunActive):
            return go_to(request, f"{reverse('pages:run', args=[making.error.facts['backup_id']])}?already=1")
        return _answer(request, refusal=making.error)
    known_status.forget()
    return go_to(request, reverse("pages:sync"))


def _sync(wish: SyncWish, requested_by: str, making: background_work.BackgroundTask[SyncReport]) -> SyncReport:
    return syncs.sync_now(wish=wish, requested_by=requested_by, origin=Origin.WEB, now=timezone.now(), listener=making)


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
    making = _syncs.known(KEY)
    running = making is not None and not making.ended.is_set()
    report, failed = (making.result, making.error) if making is not None and not running else (None, None)
    refusal = refusal or failed
    overview = syncs.overview(configuration=settings)
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
