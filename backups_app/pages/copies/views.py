"""Copies elsewhere: each target, what it has, and what can be done: copy now, test the connection, prepare a disk."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from backups_app import configuration, errors
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to
from backups_app.pages.viewer.viewer_place import whole_number
from backups_app.records import Origin
from backups_app.use_cases.copies import acts, overview
from backups_app.use_cases.copies.acts import Asked

PER_PAGE = 50


@require_safe
@admin_page
def copies(request: AdminRequest) -> HttpResponse:
    """Every target, and every copy, the newest backup first."""
    settings = configuration.current()
    targets = overview.targets(configuration=settings)
    every = overview.copies(configuration=settings)
    page = max(1, whole_number(request.GET.get("page"), 1))
    pages = max(1, -(-len(every) // PER_PAGE))
    tested = request.GET.get("tested", "")
    context = {
        "place": "copies",
        "targets": targets,
        "copies": every[(page - 1) * PER_PAGE : page * PER_PAGE],
        "count": len(every),
        "page": page,
        "pages": pages,
        "tested": next((one for one in targets if one.name == tested), None),
        "test_failure": _failure(request.GET.get("code", ""), tested),
        "prepared": request.GET.get("prepared", ""),
        "asked": "asked" in request.GET,
        "recipients": settings.copy_recipients,
        "key_is_proven": any(one.key_opened_at for one in targets),
        "some_elsewhere": any(one.elsewhere for one in targets),
    }
    return render(request, "copies/copies.html", context)


@require_POST
@admin_page
def copy(request: AdminRequest) -> HttpResponse:
    """Let the worker copy what is lacking, or one backup, to one target or to all."""
    acts.copy_soon(_asked(request), backup_id=request.POST.get("backup_id", ""), target=request.POST.get("target", ""))
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
    acts.prepare(_asked(request), target=name)
    return go_to(request, f"{reverse('pages:copies')}?prepared={name}")


def _asked(request: AdminRequest) -> Asked:
    return Asked(
        configuration=configuration.current(),
        requested_by=request.user.get_username(),
        origin=Origin.WEB,
        now=timezone.now(),
    )


def _failure(code: str, target: str) -> errors.TempleOpsError | None:
    """Return the failure that an address names; only one of a target."""
    kind = errors.by_code().get(code)
    if kind is None or not issubclass(kind, errors.TargetFailed):
        return None
    return kind(target=target, setting=f"BACKUP_TARGET_{target.upper().replace('-', '_')}_…", backup_id="")
