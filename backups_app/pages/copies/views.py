"""Copies elsewhere: each target, what it has, how far a copy is, and what can be done: copy now, test the connection,
prepare a disk. Removing a copy: `removing.py`; what no row knows: `unknown.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST, require_safe

from backups_app import configuration, errors
from backups_app.configuration import Configuration
from backups_app.messages.message import Message
from backups_app.messages.protection import assurance as wording
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to, is_htmx
from backups_app.pages.viewer.viewer_place import whole_number
from backups_app.records import Origin
from backups_app.use_cases.copies import acts, fetchable, overview, removing
from backups_app.use_cases.copies.acts import CopyRequest
from backups_app.use_cases.copies.fetchable import Places
from backups_app.use_cases.copies.overview import Copy

PER_PAGE = 25
SHOWN_WAITING = 5
SILENT = timedelta(minutes=1)
CHANGED = "copies-changed"
"""The event by which cards and list on the page learn that a copy ended or began."""


@dataclass(frozen=True, kw_only=True)
class ShownPlace:
    """What one target has of a backup: its copy, several where keys were changed, or none."""

    target: str
    copies: Sequence[Copy]


@dataclass(frozen=True, kw_only=True)
class ShownBackup:
    """A row of the list: a backup, and its copies at each target of the settings, in their order. `others` are copies
    at places that no setting names any more. `here`: it is in this folder; `has_page`: it can be opened; `to_fetch`:
    the copies that it can be fetched from, where it is not here."""

    backup_id: str
    taken_at: datetime | None
    places: Sequence[ShownPlace]
    others: Sequence[Copy]
    here: bool
    has_page: bool
    to_fetch: Sequence[Copy]


@require_safe
@admin_page
def copies(request: AdminRequest) -> HttpResponse:
    """Every target, and every copy, the newest backup first."""
    settings = configuration.current()
    targets = overview.targets(configuration=settings)
    every = overview.copies(configuration=settings)
    by_backup = _by_backup(every)
    page = max(1, whole_number(request.GET.get("page"), 1))
    pages = max(1, -(-len(by_backup) // PER_PAGE))
    tested, removed = request.GET.get("tested", ""), request.GET.get("removed", "")
    context = {
        "place": "copies",
        "targets": targets,
        "shown": _shown(by_backup[(page - 1) * PER_PAGE : page * PER_PAGE], settings),
        "has_others": any(copy.target not in {one.name for one in targets} for copy in every),
        "former_places": acts.former_places(copy.target for copy in every),
        "forgotten": whole_number(request.GET.get("forgotten"), 0),
        "page": page,
        "pages": pages,
        "removed": removed,
        "only_here": removing.only_here(configuration=settings, backup_id=removed) if removed else None,
        "kept": _kept(request),
        **_making(settings),
        "tested": next((one for one in targets if one.name == tested), None),
        "test_failure": _failure(request.GET.get("code", ""), tested),
        "prepared": request.GET.get("prepared", ""),
        "asked": "asked" in request.GET,
        "recipients": settings.copy_recipients,
        "key_is_proven": any(one.key_opened_at for one in targets),
        "some_elsewhere": any(one.elsewhere for one in targets),
    }
    return render(request, "copies/copies.html", context)


def _by_backup(every: Sequence[Copy]) -> list[list[Copy]]:
    """Return copies by their backup, the newest backup first, as they come."""
    return [list(mine) for _, mine in groupby(every, key=lambda copy: copy.backup_id)]


def _shown(chosen: Sequence[Sequence[Copy]], settings: Configuration) -> list[ShownBackup]:
    found = fetchable.places(configuration=settings, backup_ids=[copies[0].backup_id for copies in chosen])
    return [_shown_backup(copies, [one.name for one in settings.targets], found) for copies in chosen]


def _shown_backup(copies: Sequence[Copy], targets: Sequence[str], found: Places) -> ShownBackup:
    backup_id = copies[0].backup_id
    here = backup_id in found.here
    return ShownBackup(
        backup_id=backup_id,
        taken_at=next((copy.taken_at for copy in copies if copy.taken_at), None),
        places=[ShownPlace(target=name, copies=[copy for copy in copies if copy.target == name]) for name in targets],
        others=[copy for copy in copies if copy.target not in targets],
        here=here,
        has_page=backup_id in found.here | found.recorded,
        to_fetch=[copy for copy in copies if not here and copy.is_complete and copy.target in targets],
    )


@require_GET
@admin_page(polled=True)
def progress(request: AdminRequest) -> HttpResponse:
    """How far the copies in the making are. When one began or ended, the rest of the page is fetched again."""
    if not is_htmx(request):
        return go_to(request, reverse("pages:copies"))
    context = _making(configuration.current())
    response = render(request, "copies/_making.html", context)
    if request.GET.get("known", "") != context["known"]:
        response.headers["HX-Trigger"] = CHANGED
    return response


@require_POST
@admin_page
def copy(request: AdminRequest) -> HttpResponse:
    """Let the worker copy what is lacking, or one backup, to one target or to all."""
    acts.copy_soon(asked(request), backup_id=request.POST.get("backup_id", ""), target=request.POST.get("target", ""))
    return go_to(request, f"{reverse('pages:copies')}?asked=1")


@require_POST
@admin_page
def test(request: AdminRequest, name: str) -> HttpResponse:
    """Ask a target whether it can be used."""
    failure = acts.test(configuration=configuration.current(), target=name)
    code = f"&code={failure.code}" if failure is not None else ""
    return go_to(request, f"{reverse('pages:copies')}?tested={name}{code}")


@require_POST
@admin_page
def prepare(request: AdminRequest, name: str) -> HttpResponse:
    """Make a directory a target, once."""
    acts.prepare(asked(request), target=name)
    return go_to(request, f"{reverse('pages:copies')}?prepared={name}")


@require_POST
@admin_page
def forget(request: AdminRequest) -> HttpResponse:
    """Forget the copies at a former place of a target."""
    copies = acts.forget(asked(request), place=request.POST.get("place", ""))
    return go_to(request, f"{reverse('pages:copies')}?forgotten={copies}")


def _making(settings: Configuration) -> dict[str, Any]:
    """Return what the panel of copies in the making shows. `known` changes whenever a copy begins or ends."""
    making = overview.in_the_making(configuration=settings)
    waiting = [one for one in making if one.waits]
    return {
        "making": [one for one in making if not one.waits] + waiting[:SHOWN_WAITING],
        "more_waiting": len(waiting) - SHOWN_WAITING,
        "no_sign": _gives_no_sign(making),
        "known": overview.state_mark(),
    }


def _gives_no_sign(making: Sequence[Copy]) -> bool:
    """Whether copies are begun or wait, and no process has gone on with one for a minute."""
    signs = [one.heartbeat_at or one.asked_at for one in making]
    return bool(signs) and timezone.now() - max(signs) > SILENT


def asked(request: AdminRequest) -> CopyRequest:
    """Return who wants something at a target, from where, and when."""
    return CopyRequest(
        configuration=configuration.current(),
        requested_by=request.user.get_username(),
        origin=Origin.WEB,
        now=timezone.now(),
    )


def _kept(request: AdminRequest) -> Message | None:
    """Return what an address says of objects that a removal left; only of a target that is set up."""
    kept, target = whole_number(request.GET.get("kept"), 0), request.GET.get("at", "")
    names = {one.name for one in configuration.current().targets}
    return wording.OBJECTS_KEPT(n=kept, target=target) if kept and target in names else None


def _failure(code: str, target: str) -> errors.TempleOpsError | None:
    """Return the failure that an address names; only one of a target."""
    kind = errors.by_code().get(code)
    if kind is None or not issubclass(kind, errors.TargetFailed):
        return None
    return kind(target=target, setting=f"BACKUP_TARGET_{target.upper().replace('-', '_')}_…", backup_id="")
