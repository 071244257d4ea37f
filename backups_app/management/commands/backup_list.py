"""Which backups are there, newest first."""

from __future__ import annotations

import io
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from rich.console import Console
from rich.table import Table

from backups_app import configuration, formats
from backups_app.backup_files.store.store import Store
from backups_app.browsing import chains
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import InvalidInput, StoreMissing
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import moments
from backups_app.records import LISTED_STATUSES, RunKind
from backups_app.runs import preparation
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import mode

FILES = {
    Files.GONE.value: ", files gone",
    Files.ELSEWHERE.value: ", on host {host}",
    Files.UNMOUNTED.value: ", folder not here",
}
KINDS = {
    RunKind.RESTORE.value: " (safety backup)",
    RunKind.TEST_COPY.value: " (test copy)",
    RunKind.REHEARSAL.value: " (rehearsal)",
}
COLUMNS = ("ID", "WHEN", "STATUS", "SYNC", "COLLECTIONS", "DOCS", "SIZE", "BY")


class Command(TempleCommand):
    help = "List the published backups, newest first (--status all: every run)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, default=0, help="List at most this many.")
        parser.add_argument(
            "--status", choices=["all", *LISTED_STATUSES], default="", help="Runs that ended so, or all runs."
        )
        parser.add_argument("--since", default="", help="A date: 2025-01-19.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        mode.require_local(settings)
        wanted, since, limit = options["status"], _since(options["since"]), max(options["limit"], 0)
        is_all = wanted in ("", "all") and since is None
        found = [
            run
            for run in listing.list_runs(configuration=settings, every=bool(wanted), limit=limit if is_all else 0)
            if wanted in ("", "all", run.status) and (since is None or run.created_at >= since)
        ][: limit or None]
        if options["json"]:
            self.print_json([listing.public(run) for run in listing.whole(found, configuration=settings)])
        else:
            self.show(preparation.store(settings), found, lost=[] if wanted else self.lost(settings, since))
        return 0

    def lost(self, settings: Configuration, since: datetime | None) -> list[RunRecord]:
        """Return the backups that were made and are not here, newest first."""
        others = listing.not_here(configuration=settings)
        lost = [run for run in others if run.files in (Files.GONE, Files.ELSEWHERE, Files.UNMOUNTED)]
        return [run for run in lost if since is None or run.created_at >= since]

    def show(self, store: Store, found: list[RunRecord], *, lost: list[RunRecord]) -> None:
        if found:
            self.table(store, found)
        elif lost:
            unmounted = any(run.files == Files.UNMOUNTED for run in lost)
            self.stdout.write("No backup is here." + ("" if unmounted else " Make one: manage.py backup_now"))
        elif self.options["status"] not in ("", "all") or self.options["since"]:
            self.stdout.write("No backup matches.")
        else:
            self.stdout.write("No backups yet. Make the first one: manage.py backup_now")
        for sentence in _why_not_here(lost):
            self.stdout.write(sentence)

    def table(self, store: Store, found: list[RunRecord]) -> None:
        table = Table(*COLUMNS, box=None, pad_edge=False)
        for run in found:
            table.add_row(*_row(store, run))
        page = Console(file=io.StringIO(), no_color=True, width=160)
        with page.capture() as drawn:
            page.print(table)
        self.stdout.write(drawn.get().rstrip())


def _why_not_here(lost: list[RunRecord]) -> Iterator[str]:
    """Yield one line for each backup; that their folder is not here, once for all of them."""
    missing = StoreMissing()
    if any(run.files == Files.UNMOUNTED for run in lost):
        yield f"{missing.detail} ({missing.hint})"
    for run in lost:
        why = "" if run.files == Files.UNMOUNTED else f": {run.message}"
        yield f"{run.backup_id}  {moments.moment(run)}  not here{why}"


def _row(store: Store, run: RunRecord) -> tuple[str, ...]:
    saved = bool(run.collections_backed_up)
    return (
        run.backup_id,
        moments.moment(run),
        f"{run.status}{FILES.get(run.files, '').format(host=run.host or '?')}{', damaged' if run.damaged else ''}"
        f"{', dated in the future' if run.dated_in_future else ''}",
        run.sync_status,
        str(len(run.collections_backed_up)) if saved else "-",
        formats.grouped(run.documents) if saved and run.documents is not None else "-",
        _size(store, run) if saved else "-",
        f"{run.created_by}{' (incremental)' if run.incremental.base else KINDS.get(run.kind, '')}",
    )


def _size(store: Store, run: RunRecord) -> str:
    """An incremental takes little of the disk, and cannot be read without its base."""
    base = run.incremental.base
    size_bytes = chains.own_bytes(store=store, backup_id=run.backup_id) if base and run.published else run.size_bytes
    size = "-" if size_bytes is None else formats.size(size_bytes)
    return f"{size}, needs {base}" if base else size


def _since(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(message="--since wants a date like 2025-01-19.") from error
    return at if at.tzinfo else timezone.make_aware(at)
