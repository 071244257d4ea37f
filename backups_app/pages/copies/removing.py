"""Removing one copy from a target: a page that asks first, with the id typed again and a fresh password."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from backups_app import configuration
from backups_app.access.signing_in import sessions
from backups_app.errors import LoginRefused, ObjectsMayBelong, RateLimited, RemovalNotConfirmed, RemovalRefused
from backups_app.pages.account.login import problems_of
from backups_app.pages.copies.views import asked
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to
from backups_app.pages.shared import step_up
from backups_app.pages.shared.translation import translated
from backups_app.use_cases import confirmation
from backups_app.use_cases.copies import overview, removing

Problems = Mapping[str, str]
NONE: Problems = {}


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@sensitive_post_parameters("password")
def remove(request: AdminRequest, name: str, backup_id: str) -> HttpResponse:
    """GET: say what goes and what remains, and ask. POST: remove the copy. `copy` names the manifest of one that no row
    knows."""
    if request.method != "POST":
        return _ask(request, name, backup_id)
    typed = request.POST.get("confirm", "")
    try:
        confirmation.require(backup_id, typed=typed, refusal=RemovalNotConfirmed())
        step_up.require_fresh_password(request)
        copy = request.POST.get("copy", "")
        removed = removing.remove(asked(request), backup_id=backup_id, target=name, typed=typed, copy=copy)
    except (RemovalNotConfirmed, LoginRefused, RateLimited) as refused:
        return _ask(request, name, backup_id, problems=problems(refused))
    except (RemovalRefused, ObjectsMayBelong) as refused:
        return _ask(request, name, backup_id, reasons=[refused], status=refused.status)
    query = {"removed": backup_id} | ({"kept": str(removed.kept.facts["n"]), "at": name} if removed.kept else {})
    return go_to(request, f"{reverse('pages:copies')}?{urlencode(query)}")


def problems(refused: RemovalNotConfirmed | LoginRefused | RateLimited) -> Problems:
    """Return what a form says at its fields."""
    if isinstance(refused, RemovalNotConfirmed):
        return {"confirm": _("Type it exactly as it stands above. Nothing was changed.")}
    return problems_of(refused, field="password")


def _ask(
    request: AdminRequest,
    name: str,
    backup_id: str,
    *,
    problems: Problems = NONE,
    reasons: list[RemovalRefused | ObjectsMayBelong] | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    settings = configuration.current()
    unknown = request.POST.get("copy", "") or request.GET.get("copy", "")
    outlook = removing.outlook(configuration=settings, backup_id=backup_id, target=name, copy=unknown)
    mine = [one for one in overview.copies(configuration=settings, backup_id=backup_id) if one.target == name]
    refused = reasons or list(outlook.refusals)
    context: dict[str, Any] = {
        "place": "copies",
        "target": name,
        "backup_id": backup_id,
        "unknown": unknown,
        "copy": next(iter(mine), None) if not unknown else None,
        "outlook": outlook,
        "is_here": "" in outlook.other_places,
        "others": [one for one in outlook.other_places if one],
        "reasons": [(translated(one.detail), translated(one.hint)) for one in refused],
        "typed": request.POST.get("confirm", ""),
        "ask_password": not sessions.is_fresh(request.login_session, timezone.now()),
        "problems": problems,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else status
    return render(request, "copies/remove.html", context, status=status)
