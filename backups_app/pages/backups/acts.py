"""An admin's word about one backup: pin, remove, release, accept, each on a page that asks first; and undo a removal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from backups_app import configuration
from backups_app.access.signing_in import sessions
from backups_app.backup_files import layout
from backups_app.browsing import chains
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import (
    BackupHeld,
    BackupNeeded,
    BackupNotFound,
    BackupPinned,
    HistoryShrunk,
    HolderDamaged,
    InvalidInput,
    LoginRefused,
    NothingToAccept,
    NothingToRelease,
    RateLimited,
    RemovalDuringPurge,
    RemovalNotConfirmed,
    RemovalRefused,
)
from backups_app.pages.account.login import problems_of
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to
from backups_app.pages.shared import step_up
from backups_app.pages.shared.translation import translated
from backups_app.records import Origin, Side
from backups_app.runs import preparation
from backups_app.use_cases import confirmation
from backups_app.use_cases.listing import listing, lost_backups
from backups_app.use_cases.retention import bringing_back, kept, pins, removal
from backups_app.use_cases.retention.kept import KeptBackups

Problems = Mapping[str, str]
NONE: Problems = {}


@dataclass(frozen=True, kw_only=True)
class WhyItStays:
    """One refusal of a removal: the sentence, and the page where that can be changed (empty where there is none)."""

    sentence: str
    address: str
    deed: str


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def pin(request: AdminRequest, backup_id: str) -> HttpResponse:
    """GET: ask for the note. POST: pin the backup or replace the note; with `act` = `unpin` take the pin away."""
    if request.method != "POST":
        return _ask(request, "pin", backup_id)
    if request.POST.get("act") == "unpin":
        pins.unpin(backup_id=backup_id, **_who(request))
        return _done("unpinned", request, backup_id)
    try:
        pins.pin(backup_id=backup_id, note=request.POST.get("note", ""), **_who(request))
    except InvalidInput as refused:
        return _ask(request, "pin", backup_id, problems={"note": translated(refused.detail)})
    return _done("pinned", request, backup_id)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@sensitive_post_parameters("password")
def remove(request: AdminRequest, backup_id: str) -> HttpResponse:
    """GET: ask, or say why it stays. POST: move it into the trash, by its id typed again and a fresh password."""
    try:
        return _carry_out(request, backup_id, act=removal.remove, ask=_ask_to_remove, done="removed")
    except RemovalRefused as refused:
        return _ask(request, "remove", backup_id, {"reasons": [_why(refused, backup_id)]}, status=refused.status)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@sensitive_post_parameters("password")
def release(request: AdminRequest, backup_id: str) -> HttpResponse:
    """GET: say what the backup holds, and ask. POST: release it, by its id typed again and a fresh password."""
    return _carry_out(request, backup_id, act=pins.release, ask=_ask_to_release, done="released")


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@sensitive_post_parameters("password")
def accept(request: AdminRequest, backup_id: str) -> HttpResponse:
    """GET: say what shrank in the backup, and ask. POST: accept it, by its id typed again and a fresh password."""
    return _carry_out(request, backup_id, act=pins.accept, ask=_ask_to_accept, done="accepted")


@require_POST
@admin_page
def bring_back(request: AdminRequest, backup_id: str) -> HttpResponse:
    """Undo a removal: bring the backup back from the trash."""
    pinned = bringing_back.bring_back(backup_id=backup_id, **_who(request))
    return _done("back_pinned" if pinned else "back", request, backup_id)


# ── inside ──────────────────────────────────────────────────────────────────────


def _carry_out(
    request: AdminRequest, backup_id: str, *, act: Callable[..., object], ask: Callable[..., HttpResponse], done: str
) -> HttpResponse:
    """GET: ask. POST: take the typed id and the password, act, and lead back to the list."""
    if request.method != "POST":
        return ask(request, backup_id)
    typed = request.POST.get("confirm", "")
    try:
        confirmation.require(backup_id, typed=typed, refusal=RemovalNotConfirmed())
        step_up.require_fresh_password(request)
        act(backup_id=backup_id, typed=typed, **_who(request))
    except (RemovalNotConfirmed, LoginRefused, RateLimited) as refused:
        return ask(request, backup_id, problems=_problems(refused))
    return _done(done, request, backup_id)


def _ask_to_remove(request: AdminRequest, backup_id: str, *, problems: Problems = NONE) -> HttpResponse:
    layout.check_id(backup_id)
    found = removal.refusals(configuration=configuration.current(), backup_id=backup_id, now=timezone.now())
    run = listing.get_run(configuration=configuration.current(), backup_id=backup_id)
    context = {
        "reasons": [_why(one, backup_id) for one in found],
        "dependants": _dependants(backup_id) if any(isinstance(one, BackupNeeded) for one in found) else (),
        "activities": _activities(run),
    }
    return _ask(request, "remove", backup_id, context, problems=problems, run=run)


def _ask_to_release(request: AdminRequest, backup_id: str, *, problems: Problems = NONE) -> HttpResponse:
    looked, run = _looked(backup_id)
    here, is_gone = looked.backups.get(backup_id), backup_id in looked.lost_holders
    if not is_gone and here is None:
        lost_backups.require_not_elsewhere(configuration=configuration.current(), backup_id=backup_id)
    if not is_gone and (here is None or not here.backup.is_holder):
        raise NothingToRelease()
    context = {"holds": here.backup.holds if here else None, "is_gone": is_gone}
    return _ask(request, "release", backup_id, context, problems=problems, run=run)


def _ask_to_accept(request: AdminRequest, backup_id: str, *, problems: Problems = NONE) -> HttpResponse:
    looked, run = _looked(backup_id)
    here = looked.backups.get(backup_id)
    if here is None:
        raise BackupNotFound()
    if not here.shrinkages:
        raise NothingToAccept()
    context = {"shrinkages": here.shrinkages, "before": _one_before(looked, backup_id)}
    return _ask(request, "accept", backup_id, context, problems=problems, run=run)


def _problems(refused: RemovalNotConfirmed | LoginRefused | RateLimited) -> Problems:
    if isinstance(refused, RemovalNotConfirmed):
        return {"confirm": _("Type the id exactly as it stands above. Nothing was changed.")}
    return problems_of(refused, field="password")


def _ask(
    request: AdminRequest,
    what: str,
    backup_id: str,
    more: Mapping[str, Any] | None = None,
    *,
    problems: Problems = NONE,
    status: int = HTTPStatus.OK,
    run: RunRecord | None = None,
) -> HttpResponse:
    """Show the page `backups/acts/<what>.html`, about `run` where it was fetched already. Raise `BackupNotFound`."""
    run = run or listing.get_run(configuration=configuration.current(), backup_id=backup_id)
    if not run.published and what != "release":
        raise BackupNotFound()
    context = {
        "place": "list",
        "run": run,
        "backup_id": backup_id,
        "typed": request.POST.get("confirm", ""),
        "note": request.POST.get("note"),
        "ask_password": not sessions.is_fresh(request.login_session, timezone.now()),
        "problems": problems,
        **(more or {}),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else status
    return render(request, f"backups/acts/{what}.html", context, status=status)


def _looked(backup_id: str) -> tuple[KeptBackups, RunRecord]:
    """Return why each backup is kept, and the run of this one. Raise `InvalidBackupId`, and `BackupNotFound` where
    neither the folder nor a record knows of it."""
    settings = configuration.current()
    layout.check_id(backup_id)
    looked = kept.kept_backups(configuration=settings, now=timezone.now())
    known = next((run for run in looked.runs if run.id == backup_id), None)
    return looked, known or listing.get_run(configuration=settings, backup_id=backup_id)


def _why(refused: RemovalRefused, backup_id: str) -> WhyItStays:
    """Return a refusal with the way out of it: about another backup where the refusal names one."""
    ways: dict[type[RemovalRefused], tuple[str, str]] = {
        BackupPinned: ("pin", _("Unpin…")),
        BackupHeld: ("release", _("Release it…")),
        HolderDamaged: ("release", _("Release that backup…")),
        HistoryShrunk: ("accept", _("Look at the loss…")),
        RemovalDuringPurge: ("run", _("Open its run")),
    }
    route, deed = ways.get(type(refused), ("", ""))
    address = reverse(f"pages:{route}", args=[refused.facts.get("backup_id", backup_id)]) if route else ""
    return WhyItStays(sentence=translated(refused.detail), address=address, deed=deed)


def _dependants(backup_id: str) -> tuple[str, ...]:
    """Return the incrementals that begin from a backup, newest first."""
    chain = chains.chain_of(store=preparation.store(configuration.current()), backup_id=backup_id)
    return chain.incrementals if chain is not None and chain.base == backup_id else ()


def _activities(run: RunRecord) -> int:
    """Return how many activities the run of a backup deleted: they live as long as their backup."""
    return max(run.purge.collection(side, "activities").deleted or 0 for side in Side)


def _one_before(looked: KeptBackups, backup_id: str) -> str:
    """Return the newest published backup before this one, to compare with; empty where there is none."""
    ids = [run.id for run in looked.runs if run.published]
    older = ids[ids.index(backup_id) + 1 :] if backup_id in ids else []
    return older[0] if older else ""


def _who(request: AdminRequest) -> dict[str, Any]:
    return {
        "configuration": configuration.current(),
        "requested_by": request.user.get_username(),
        "origin": Origin.WEB,
        "now": timezone.now(),
    }


def _done(what: str, request: AdminRequest, backup_id: str) -> HttpResponse:
    """Lead back to the list, which says what was done."""
    return go_to(request, f"{reverse('pages:backups')}?{urlencode({'done': what, 'backup': backup_id})}")
