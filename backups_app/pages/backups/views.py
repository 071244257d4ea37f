"""The list of backups: filter, marks, and what can be done with each."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups_app import configuration
from backups_app.browsing import chains
from backups_app.configuration import Configuration
from backups_app.pages.backups import filters, keeping, rows, size_chart
from backups_app.pages.backups.rows import BackupRow
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest
from backups_app.runs import preparation
from backups_app.use_cases.copies import overview
from backups_app.use_cases.retention import kept

PER_PAGE = 50


@require_safe
@admin_page
def backups(request: AdminRequest) -> HttpResponse:
    """Every backup and every run that made none, newest first."""
    settings = configuration.current()
    looked = kept.kept_backups(configuration=settings, now=timezone.now())
    every = rows.rows_of(looked.runs, kept=keeping.shown(looked))
    asked = filters.filter_of(request.GET)
    chosen = asked.chosen(every)
    first = (asked.page - 1) * PER_PAGE
    shown = chosen[first : first + PER_PAGE]
    trash = kept.in_trash(configuration=settings)
    ids = [*(row.id for row in shown), *(one.backup_id for one in trash)]
    copies = overview.by_backup(configuration=settings, backup_ids=ids)
    context = {
        "place": "list",
        "asked": asked,
        "every": every,
        "chosen": chosen,
        "rows": [replace(row, copies=copies.get(row.id, ()), own_bytes=_own_bytes(settings, row)) for row in shown],
        "copied": bool(settings.targets),
        "pages": max(1, -(-len(chosen) // PER_PAGE)),
        "choices": [(key, name, count, asked.url(show=key)) for key, name, count in filters.choices(every)],
        "months": filters.months(every),
        "previous": asked.url(page=asked.page - 1) if asked.page > 1 else "",
        "next": asked.url(page=asked.page + 1) if first + PER_PAGE < len(chosen) else "",
        "newest_good": next((row.id for row in every if row.good), ""),
        "chart": size_chart.chart_of(every),
        "retention_on": looked.on,
        "lost_holders": looked.lost_holders,
        "trash": [(one, copies.get(one.backup_id, ())) for one in trash],
        "done": request.GET.get("done", ""),
        "done_to": request.GET.get("backup", ""),
    }
    return render(request, "backups/list.html", context)


def _own_bytes(settings: Configuration, row: BackupRow) -> int | None:
    """Return what an incremental takes of the disk; None for a full backup, and where its folder is not here."""
    if row.run.incremental.base is None or not row.run.published:
        return None
    return chains.own_bytes(store=preparation.store(settings), backup_id=row.id)
