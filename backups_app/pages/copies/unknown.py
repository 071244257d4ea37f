"""What lies at a target and no row here knows: looked for by the worker, shown, taken in or removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from backups_app.errors import LoginRefused, RateLimited, RemovalNotConfirmed
from backups_app.pages.copies.removing import NONE, Problems, problems
from backups_app.pages.copies.views import asked
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to, show
from backups_app.pages.shared import step_up
from backups_app.records import Origin
from backups_app.use_cases import confirmation
from backups_app.use_cases.copies import places, unknown
from backups_app.use_cases.copies.unknown import Unknown, UnknownCopy
from backups_app.use_cases.lanes import asking, unknown_copies
from backups_app.use_cases.lanes.asking import Answer
from backups_app.use_cases.lanes.kind import JobKind


@dataclass(frozen=True, kw_only=True)
class ShownUnknownCopy:
    """A copy that no row knows, and how far taking it in is, if somebody asked for that."""

    copy: UnknownCopy
    taking: Answer[str] | None


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def looked_at(request: AdminRequest, name: str) -> HttpResponse:
    """GET: what is known. POST: let the worker look at the target now."""
    places.settings_of(configuration.current(), name)
    if request.method != "POST":
        return _answer(request, name)
    asking.forget(unknown_copies.LOOK, configuration=configuration.current(), arguments={"target": name})
    _enqueue(request, unknown_copies.LOOK, {"target": name})
    return _back(request, name)


@require_GET
@admin_page(polled=True)
def progress(request: AdminRequest, name: str) -> HttpResponse:
    """How far the look, and what is taken in, are."""
    places.settings_of(configuration.current(), name)
    return _answer(request, name)


@require_POST
@admin_page
def take_in(request: AdminRequest, name: str) -> HttpResponse:
    """Let the worker read a copy and record it."""
    places.settings_of(configuration.current(), name)
    arguments = {"target": name, "copy": request.POST.get("copy", "")}
    asking.forget(unknown_copies.TAKE_IN, configuration=configuration.current(), arguments=arguments)
    _enqueue(request, unknown_copies.TAKE_IN, arguments)
    return _back(request, name)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@sensitive_post_parameters("password")
def clear(request: AdminRequest, name: str) -> HttpResponse:
    """GET: say what would go, and ask. POST: remove the objects of no copy, by the target's name typed again and a
    fresh password."""
    places.settings_of(configuration.current(), name)
    if request.method != "POST":
        return _ask(request, name)
    typed = request.POST.get("confirm", "")
    try:
        confirmation.require(name, typed=typed, refusal=RemovalNotConfirmed())
        step_up.require_fresh_password(request)
        unknown.remove_objects(asked(request), target=name, typed=typed)
    except (RemovalNotConfirmed, LoginRefused, RateLimited) as refused:
        return _ask(request, name, problems=problems(refused))
    asking.forget(unknown_copies.LOOK, configuration=configuration.current(), arguments={"target": name})
    _enqueue(request, unknown_copies.LOOK, {"target": name})
    return _back(request, name)


def _ask(request: AdminRequest, name: str, *, problems: Problems = NONE) -> HttpResponse:
    looked = _known(unknown_copies.LOOK, {"target": name})
    context = {
        "place": "copies",
        "target": name,
        "backup_id": name,
        "found": looked.result if looked is not None else None,
        "typed": request.POST.get("confirm", ""),
        "ask_password": not sessions.is_fresh(request.login_session, timezone.now()),
        "problems": problems,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return render(request, "copies/clear.html", context, status=status)


def _answer(request: AdminRequest, name: str) -> HttpResponse:
    looked = _known(unknown_copies.LOOK, {"target": name})
    shown = _shown_copies(name, looked.result) if looked is not None and looked.result is not None else []
    goes_on = looked is not None and not looked.ended
    context: dict[str, Any] = {
        "place": "copies",
        "target": name,
        "looked": looked,
        "found": looked.result if looked is not None else None,
        "shown": shown,
        "taken": any(one.taking and one.taking.result for one in shown),
        "polls": goes_on or any(one.taking and not one.taking.ended for one in shown),
    }
    return show(request, page="copies/unknown.html", fragment="copies/_unknown.html", context=context)


def _shown_copies(name: str, found: Unknown) -> list[ShownUnknownCopy]:
    def taking(copy: UnknownCopy) -> Answer[str] | None:
        return _known(unknown_copies.TAKE_IN, {"target": name, "copy": copy.name})

    return [ShownUnknownCopy(copy=copy, taking=taking(copy)) for copy in found.copies]


def _known(kind: JobKind[Any], arguments: Mapping[str, str]) -> Answer[Any] | None:
    return asking.known(kind, configuration=configuration.current(), arguments=arguments, now=timezone.now())


def _enqueue(request: AdminRequest, kind: JobKind[Any], arguments: Mapping[str, str]) -> None:
    asking.enqueue(
        kind, configuration=configuration.current(), arguments=arguments, by=request.user.get_username(),
        origin=Origin.WEB, now=timezone.now(),
    )  # fmt: skip


def _back(request: AdminRequest, name: str) -> HttpResponse:
    return go_to(request, reverse("pages:unknown_copies", args=[name]))
