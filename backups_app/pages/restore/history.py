"""What was restored: the list of restores, the test copies, the test of a restore, and the way back."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups_app import configuration
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import BackupNotFound, NotATestCopy, RunActive
from backups_app.pages.guards import admin_page
from backups_app.pages.home import status_card
from backups_app.pages.requests import AdminRequest, go_to, show
from backups_app.pages.restore import restore_address
from backups_app.pages.shared import wording
from backups_app.records import Origin
from backups_app.use_cases import copy_rehearsals
from backups_app.use_cases.listing import listing as overview
from backups_app.use_cases.restores import restores


@require_safe
@admin_page
def listing(request: AdminRequest) -> HttpResponse:
    """Restores, test copies and tests of a restore, newest first; and the test copies that are there."""
    settings = configuration.current()
    runs = restores.history(configuration=settings)
    context = {
        "place": "restores",
        "rows": [_row(run) for run in runs if run.restore.recorded],
        "copies": restores.list_copies(configuration=settings),
        "proven": status_card.current(now=timezone.now(), at_most=status_card.KNOWN_FOR).last_proven,
        "newest": _newest(),
        "copy_targets": copy_rehearsals.offered(settings),
        "key_is_away": copy_rehearsals.needs_key_by_hand(settings),
        "removed": request.GET.get("removed", ""),
    }
    return render(request, "restore/restores.html", context)


@require_POST
@admin_page
def rehearse(request: AdminRequest) -> HttpResponse:
    """Restore the newest verified backup into a scratch database and compare every document."""
    who: dict[str, Any] = {
        "created_by": request.user.get_username(), "origin": Origin.WEB, "now": timezone.now(),
    }  # fmt: skip
    target = request.POST.get("target", "")
    try:
        if target:
            run = copy_rehearsals.start(target=target, **who)
        else:
            run = restores.rehearse(backup_id=request.POST.get("backup_id") or None, **who)
    except RunActive as active:
        return go_to(request, f"{reverse('pages:run', args=[active.facts['backup_id']])}?already=1")
    return go_to(request, reverse("pages:run", args=[run.backup_id]))


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def remove_copy(request: AdminRequest) -> HttpResponse:
    """GET: ask. POST: remove a test copy, and nothing that is not one."""
    settings = configuration.current()
    if request.method == "POST":
        name = request.POST.get("name", "")
        restores.remove_copy(
            configuration=settings,
            name=name,
            removed_by=request.user.get_username(),
            origin=Origin.WEB,
            now=timezone.now(),
        )
        return go_to(request, f"{reverse('pages:restores')}?removed=1")
    name = request.GET.get("name", "")
    copy = next((copy for copy in restores.list_copies(configuration=settings) if copy.database == name), None)
    if copy is None:
        raise NotATestCopy(database=name)
    context = {"place": "restores", "copy": copy}
    return show(request, page="restore/remove.html", fragment="restore/_remove_dialog.html", context=context)


@require_safe
@admin_page
def undo(request: AdminRequest, backup_id: str) -> HttpResponse:
    """Lead to the preview of the way back: the safety backup of this restore, exactly as it was."""
    settings = configuration.current()
    run = overview.get_run(configuration=settings, backup_id=backup_id)
    choices = restores.undo(configuration=settings, run=run)
    return go_to(request, restore_address.of_choices(choices, step=restore_address.PREVIEW).url)


def _row(run: RunRecord) -> dict[str, Any]:
    chosen = run.restore.choices
    return {
        "run": run,
        "sums": run.restore.sums,
        "backup_id": chosen["backup_id"],
        "backup_at": wording.moment_of(chosen["backup_id"]),
        "target": chosen["target"],
        "in_place": chosen["in_place"],
    }


def _newest() -> str:
    """The backup that a test would take; empty when there is none."""
    try:
        return restores.newest_verified(configuration=configuration.current())
    except BackupNotFound:
        return ""
