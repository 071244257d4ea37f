"""The restore flow: what, how and where, preview, confirm. Each step is an address; only the last one is a POST."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from backups_app import configuration
from backups_app.access.signing_in import sessions
from backups_app.errors import (
    InvalidInput,
    LoginRefused,
    PreviewOutdated,
    RateLimited,
    RestoreNotConfirmed,
    RunActive,
    TempleOpsError,
)
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to, is_htmx, show
from backups_app.pages.restore import preview_making, restore_address, restore_flow
from backups_app.pages.restore.preview_making import Making
from backups_app.pages.restore.restore_address import CONFIRM, HOW, PREVIEW, WHAT, RestoreQuery
from backups_app.pages.shared import step_up, wording
from backups_app.pages.shared.translation import translated
from backups_app.records import Origin
from backups_app.restore.choices import Choices
from backups_app.use_cases import confirmation
from backups_app.use_cases.lanes import asking, previews
from backups_app.use_cases.restores import restores

Problems = Mapping[str, str]
"""Sentences by the field where they stand; under "" what belongs to none."""
NONE: Problems = {}


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def restore(request: AdminRequest, backup_id: str) -> HttpResponse:
    """GET: one of the four steps. POST: restore what the preview showed."""
    if request.method == "POST":
        return _start(request, restore_address.read(request.POST, backup_id=backup_id))
    asked = restore_address.read(request.GET, backup_id=backup_id)
    if asked.step == WHAT:
        return _step_what(request, asked)
    if not asked.collections:
        return _step_what(request, asked.at(WHAT), problems={"collections": _("Choose at least one collection.")})
    if asked.step == HOW:
        return _step_how(request, asked)
    try:
        choices = asked.choices(configuration.current())
    except InvalidInput as refusal:
        return _step_how(request, asked.at(HOW), problems={"to": translated(refusal.detail)})
    return _step_preview(request, asked, choices) if asked.step == PREVIEW else _step_confirm(request, asked, choices)


@require_GET
@admin_page(polled=True)
def preview(request: AdminRequest, backup_id: str) -> HttpResponse:
    """How far the preview is, and the preview when it is made."""
    asked = restore_address.read(request.GET, backup_id=backup_id)
    making = preview_making.preview_of(request, asked.choices(configuration.current()))
    context = _context(asked) | _preview_context(making)
    return show(
        request, page="restore/wizard/restore.html", fragment="restore/wizard/preview/_preview.html", context=context
    )


# ── the steps ────────────────────────────────────────────────────────────────────


def _step_what(request: AdminRequest, asked: RestoreQuery, *, problems: Problems = NONE) -> HttpResponse:
    everything = request.GET.get("all") == "1"
    found = restore_flow.contents(asked, configuration=configuration.current(), everything=everything)
    return _answer(request, _context(asked) | {"contents": found, "everything": everything, "problems": problems})


def _step_how(request: AdminRequest, asked: RestoreQuery, *, problems: Problems = NONE) -> HttpResponse:
    settings = configuration.current()
    proposed = restores.copy_name(configuration=settings, backup_id=asked.backup_id)
    context = {"modes": restore_flow.modes(asked), "proposed": asked.to or proposed, "problems": problems}
    return _answer(request, _context(asked) | context)


def _step_preview(request: AdminRequest, asked: RestoreQuery, choices: Choices, *, refusal: str = "") -> HttpResponse:
    if refusal or "again" in request.GET:
        arguments = previews.arguments_of(choices)
        asking.forget(previews.KIND, configuration=configuration.current(), arguments=arguments)
    making = preview_making.preview_of(request, choices)
    status = HTTPStatus.CONFLICT if refusal else HTTPStatus.OK
    problems = {"": translated(refusal)} if refusal else NONE
    return _answer(request, _context(asked) | _preview_context(making) | {"problems": problems}, status=status)


def _step_confirm(
    request: AdminRequest, asked: RestoreQuery, choices: Choices, *, refusal: TempleOpsError | None = None
) -> HttpResponse:
    """The question, with the numbers of the preview. Without them there is nothing to confirm: back to the preview."""
    making = preview_making.preview_of(request, choices)
    if making.result is None:
        return go_to(request, asked.at(PREVIEW).url)
    stale_login = not sessions.is_fresh(request.login_session, timezone.now())
    context = _context(asked.at(CONFIRM)) | _preview_context(making)
    context |= {
        "phrase": restores.PHRASE if making.result.needs_the_phrase else "",
        "typed": request.POST.get("confirm", ""),
        "ask_password": choices.in_place and stale_login,
        "problems": _confirmation_problems(refusal),
    }
    return _answer(request, context)


def _confirmation_problems(refusal: TempleOpsError | None) -> Problems:
    """What is wrong with the confirmation, by field; nothing was started."""
    if refusal is None:
        return NONE
    if isinstance(refusal, RestoreNotConfirmed):
        sentence = _("Type the word exactly: %(phrase)s. Nothing was started.")
        return {"confirm": sentence % {"phrase": restores.PHRASE}}
    if isinstance(refusal, LoginRefused):
        return {"password": _("Wrong password. Nothing was started.")}
    return {"": translated(refusal.detail)}


@sensitive_post_parameters("password")
def _start(request: AdminRequest, asked: RestoreQuery) -> HttpResponse:
    """Start what was previewed. The phrase and the password are checked here, whatever the page allowed."""
    choices = asked.choices(configuration.current())
    try:
        _require_confirmation(request, choices)
        run = restores.start(
            choices=choices,
            confirmation=request.POST.get("confirmation"),
            created_by=request.user.get_username(),
            origin=Origin.WEB,
            now=timezone.now(),
        )
    except (RestoreNotConfirmed, LoginRefused, RateLimited) as refusal:
        return _step_confirm(request, asked, choices, refusal=refusal)
    except PreviewOutdated as outdated:
        return _step_preview(request, asked.at(PREVIEW), choices, refusal=outdated.detail)
    except RunActive as active:
        return go_to(request, f"{reverse('pages:run', args=[active.facts['backup_id']])}?already=1")
    previews.forget_all()
    return go_to(request, reverse("pages:run", args=[run.backup_id]))


def _require_confirmation(request: AdminRequest, choices: Choices) -> None:
    if choices.needs_the_phrase:
        confirmation.require(restores.PHRASE, typed=request.POST.get("confirm", ""), refusal=RestoreNotConfirmed())
    if choices.in_place:
        step_up.require_fresh_password(request)


# ── inside ──────────────────────────────────────────────────────────────────────


def _preview_context(making: Making) -> dict[str, Any]:
    shown = restore_flow.preview_of(making.result) if making.result is not None else None
    return {"making": making, "shown": shown, "sync_enabled": configuration.current().sync_enabled}


def _context(asked: RestoreQuery) -> dict[str, Any]:
    settings = configuration.current()
    titles = [_("What"), _("How and where"), _("Preview"), _("Confirm")]
    return {
        "place": "restores",
        "asked": asked,
        "backup_at": wording.moment_of(asked.backup_id),
        "undoing": restore_flow.undoes(asked),
        "database": settings.database_name,
        "step_title": titles[asked.step - 1],
        "steps": [
            {"number": number, "title": title, "url": asked.at(number).url if number < asked.step else ""}
            for number, title in enumerate(titles, start=1)
        ],
    }


def _answer(request: AdminRequest, context: dict[str, Any], *, status: int = HTTPStatus.OK) -> HttpResponse:
    if context["problems"] and status == HTTPStatus.OK:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    context |= {"from_htmx": is_htmx(request)}
    return show(
        request,
        page="restore/wizard/restore.html",
        fragment="restore/wizard/_answer.html",
        context=context,
        status=status,
        titled=True,
    )
