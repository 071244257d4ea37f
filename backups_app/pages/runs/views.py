"""A run's page and its panel: progress once a second, cancel, resume, keep after all. And the list of runs."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any, TypedDict

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from backups_app import configuration
from backups_app.browsing import chains
from backups_app.browsing.chains import Chain
from backups_app.browsing.reading import collections
from backups_app.browsing.reading.collections import CollectionSummary
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import (
    BackupElsewhere,
    BackupNotFound,
    BackupRemoved,
    DatabaseUnreachable,
    NotCancellable,
    NotResumable,
    RunActive,
    TempleOpsError,
)
from backups_app.pages import known_status, requests
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to, is_htmx, show
from backups_app.pages.runs import questions, restore_result, run_panel
from backups_app.pages.runs.questions import Question
from backups_app.pages.viewer import viewer_documents
from backups_app.records import Origin, Status
from backups_app.use_cases import status_of_files
from backups_app.use_cases.backups import backups
from backups_app.use_cases.copies import fetchable
from backups_app.use_cases.listing import listing, lost_backups
from backups_app.use_cases.listing.lost_backups import LostBackup

NOTES = ("already", "too_late", "nothing_left")
"""What a page says above a run to somebody who asked for something else."""
RUN_CHANGED = "run-changed"
"""The event by which status, buttons and list on the page learn that a run began or ended."""


def active_run() -> RunRecord | None:
    """Return the run in progress, or None."""
    return listing.active_run(configuration=configuration.current())


def panel_context(backup_id: str) -> dict[str, Any]:
    """Return what the panel of this run shows. Raise BackupNotFound, InvalidBackupId; a foreign folder is no run."""
    run = listing.get_run(configuration=configuration.current(), backup_id=backup_id)
    if run.status not in set(Status):
        raise BackupNotFound
    now = timezone.now()
    return {
        "place": "restores" if restore_result.is_restore(run) else "list",
        "panel": run_panel.make_panel(run, now=now, limit_seconds=configuration.current().mongodump_timeout_seconds),
        "last_good": last_good() if run.status in (Status.FAILED, Status.CANCELLED) else None,
        "active": run if run.status == Status.IN_PROGRESS else None,
        "sync_enabled": configuration.current().sync_enabled,
        "key": requests.new_key(),
        "blocked_because": "",
    }


def last_good() -> RunRecord | None:
    """Return the newest verified backup whose time can be trusted: what a failed run has left untouched."""
    settings = configuration.current()
    ours = [run for run in listing.list_runs(configuration=settings) if run.kind == "backup"]
    dated = status_of_files.dated(ours, now=timezone.now())
    return status_of_files.newest_good(dated, database=settings.database_name)


@require_safe
@admin_page
def run(request: AdminRequest, backup_id: str) -> HttpResponse:
    """One run: its progress while it runs, its result afterwards."""
    note = next((one for one in NOTES if one in request.GET), "")
    context = panel_context(backup_id) | {"note": note, "all_bars": "all" in request.GET.get("bars", "")}
    panel = context["panel"]
    return render(
        request,
        "runs/run.html",
        context
        | {
            "files": _files(panel),
            "lost": _lost_files(panel),
            "to_fetch": fetchable.copies_of(panel.run, configuration=configuration.current()),
            "chain": _chain(panel),
        },
    )


def _lost_files(panel: run_panel.RunPanel) -> LostBackup | None:
    """Return what is known of a backup whose files are gone: who removed it, when, and whether it can come back."""
    if panel.run.files != Files.GONE:
        return None
    return lost_backups.known_of(configuration=configuration.current(), backup_id=panel.id)


def _chain(panel: run_panel.RunPanel) -> Chain | None:
    """Return what a backup belongs to: its base, or the incrementals that begin from it."""
    if panel.running or not panel.run.published:
        return None
    return chains.chain_of(store=viewer_documents.store(), backup_id=panel.id)


def _files(panel: run_panel.RunPanel) -> tuple[CollectionSummary, ...]:
    """Return the collections of a run's backup, the temple's first; none while it runs or without its files."""
    if panel.running or not panel.browsable:
        return ()
    try:
        found = collections.of_backup(store=viewer_documents.store(), backup_id=panel.id)
    except TempleOpsError:
        return ()
    return tuple(sorted(found, key=lambda entry: (entry.internal, entry.name)))


@require_GET
@admin_page(polled=True)
def progress(request: AdminRequest, backup_id: str) -> HttpResponse:
    """The polled part of the panel. A run that has ended answers with the whole result, which polls no more.

    Its heading takes the focus that was inside the panel. A person elsewhere on the page hears of it, and reads it in
    the title.
    """
    try:
        context = panel_context(backup_id) | {"all_bars": request.GET.get("bars") == "all"}
    except DatabaseUnreachable as error:
        return _out_of_sight(request, error)
    fragment = "_progress_answer" if context["panel"].running else "_started"
    response = show(request, page="runs/run.html", fragment=f"runs/{fragment}.html", context=context, titled=True)
    if context["panel"].running:
        return response
    known_status.forget()
    return in_panel(request, response)


def _out_of_sight(request: AdminRequest, error: DatabaseUnreachable) -> HttpResponse:
    """Nobody can see how far the run is. The panel keeps what it shows, says so, and goes on asking."""
    if not is_htmx(request):
        raise error
    response = render(request, "runs/_out_of_sight.html", {"error": error}, status=error.status)
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#out-of-sight", "outerHTML"
    return response


def in_panel(request: AdminRequest, response: HttpResponse) -> HttpResponse:
    """Put an answer of htmx in the place of the panel, and notify the rest of the page that a run changed.

    A request that aimed at the panel keeps the aim: a form that was replaced meanwhile could not find it again.
    """
    if is_htmx(request):
        if request.htmx.target != "panel":
            response.headers["HX-Retarget"] = "#panel"
            response.headers["HX-Reswap"] = "outerHTML"
        response.headers["HX-Trigger-After-Settle"] = RUN_CHANGED
    return response


def started(request: AdminRequest, backup_id: str, *, note: str = "", status: int = 200) -> HttpResponse:
    """Show the run: in the place of the panel to htmx, by its own page otherwise."""
    if not is_htmx(request):
        return go_to(request, reverse("pages:run", args=[backup_id]) + (f"?{note}=1" if note else ""))
    context = panel_context(backup_id) | {"note": note}
    response = show(
        request,
        page="runs/run.html",
        fragment="runs/_started.html",
        context=context,
        status=status,
        titled=True,
    )
    return in_panel(request, response)


def watch(request: AdminRequest, active: RunActive) -> HttpResponse:
    """Another run is in progress: show that one. Nothing was started."""
    if not is_htmx(request):
        address = reverse("pages:run", args=[active.facts["backup_id"]])
        return go_to(request, f"{address}?already=1")
    return started(request, active.facts["backup_id"], note="already", status=HTTPStatus.CONFLICT)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def cancel(request: AdminRequest, backup_id: str) -> HttpResponse:
    """GET: ask. POST: stop the run, which ends within seconds, or say that it has gone too far."""
    if request.method != "POST":
        return _ask_to_stop(request, backup_id)
    try:
        backups.cancel(backup_id=backup_id, **_asked(request))
    except NotCancellable:
        return started(request, backup_id, note="too_late", status=NotCancellable.status)
    return started(request, backup_id)


@require_POST
@admin_page
def resume(request: AdminRequest, backup_id: str) -> HttpResponse:
    """Finish the deletion that a partial run left unfinished."""
    return _resume(request, backup_id, keep=False)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def keep(request: AdminRequest, backup_id: str) -> HttpResponse:
    """GET: ask. POST: give the rest of the deletion up, so that what is left stays and sync carries it again."""
    return _resume(request, backup_id, keep=True) if request.method == "POST" else _ask_to_keep(request, backup_id)


def _ask_to_stop(request: AdminRequest, backup_id: str) -> HttpResponse:
    """An old page may ask about a run that has ended: then the page shows how it stands now."""
    context = panel_context(backup_id)
    if not context["panel"].running:
        return started(request, backup_id, note="too_late", status=NotCancellable.status)
    return _ask(request, questions.stop(context["panel"]), context)


def _ask_to_keep(request: AdminRequest, backup_id: str) -> HttpResponse:
    """An old page may ask about a deletion that is done: then the page shows how it stands now."""
    context = panel_context(backup_id)
    if not context["panel"].keepable:
        return started(request, backup_id, note="nothing_left", status=NotResumable.status)
    return _ask(request, questions.KEEP_THE_REST, context)


def _ask(request: AdminRequest, question: Question, context: dict[str, Any]) -> HttpResponse:
    """Show the question: a dialog to htmx, a page otherwise."""
    page, fragment = "runs/questions/question.html", "runs/questions/_question_dialog.html"
    return show(request, page=page, fragment=fragment, context=context | {"question": question})


def _resume(request: AdminRequest, backup_id: str, *, keep: bool) -> HttpResponse:
    try:
        backups.resume(backup_id=backup_id, keep=keep, **_asked(request))
    except RunActive as active:
        return watch(request, active)
    except (BackupRemoved, BackupElsewhere) as lost:
        return started(request, backup_id, status=lost.status)
    except NotResumable:
        return started(request, backup_id, note="nothing_left", status=NotResumable.status)
    return started(request, backup_id)


def _asked(request: AdminRequest) -> _Asked:
    """Who asks, from where, when."""
    return {"requested_by": request.user.get_username(), "origin": Origin.WEB, "now": timezone.now()}


class _Asked(TypedDict):
    requested_by: str
    origin: Origin
    now: datetime
