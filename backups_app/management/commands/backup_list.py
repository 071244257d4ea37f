"""Which backups are there, newest first."""

from __future__ import annotations

import io
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.utils import timezone
from rich.console import Console
from rich.table import Table

from backups_app import configuration, formats
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import InvalidInput
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import progress_bars
from backups_app.records import RunKind
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import readiness

FILES = {
    Files.GONE.value: ", files gone",
    Files.ELSEWHERE.value: ", on another host",
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
        parser.add_argument("--limit", type=int, default=0, help="At most so many.")
        parser.add_argument("--status", default="", help="all, success, partial, failed, in_progress or unverified.")
        parser.add_argument("--since", default="", help="A date: 2025-01-19.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        wanted, since = options["status"], _since(options["since"])
        found = [
            run
            for run in listing.list_runs(configuration=settings, every=bool(wanted))
            if wanted in ("", "all", run.status) and (since is None or run.created_at >= since)
        ][: options["limit"] or None]
        if options["json"]:
            self.print_json([listing.public(run) for run in found])
        else:
            self.show(found, lost=[] if wanted else self.lost(settings, since))
        return 0

    def lost(self, settings: Configuration, since: datetime | None) -> list[RunRecord]:
        """Return the backups that were made and are not here, newest first."""
        every = listing.list_runs(configuration=settings, every=True)
        lost = [run for run in every if run.files in (Files.GONE, Files.ELSEWHERE, Files.UNMOUNTED)]
        return [run for run in lost if since is None or run.created_at >= since]

    def show(self, found: list[RunRecord], *, lost: list[RunRecord]) -> None:
        if found:
            self.table(found)
        elif lost:
            self.stdout.write("No backup is here. Make one: manage.py backup_now")
        else:
            self.stdout.write("No backups yet. Make the first one: manage.py backup_now")
        for run in lost:
            self.stdout.write(f"{run.backup_id}  {progress_bars.moment(run)}  not here: {run.message}")

    def table(self, found: list[RunRecord]) -> None:
        table = Table(*COLUMNS, box=None, pad_edge=False)
        for run in found:
            table.add_row(*_row(run))
        page = Console(file=io.StringIO(), no_color=True, width=140)
        with page.capture() as drawn:
            page.print(table)
        self.stdout.write(drawn.get().rstrip())


def _row(run: RunRecord) -> tuple[str, ...]:
    saved = bool(run.collections_backed_up)
    return (
        run.backup_id,
        progress_bars.moment(run),
        f"{run.status}{FILES.get(run.files, '')}{', damaged' if run.damaged else ''}"
        f"{', dated in the future' if run.dated_in_future else ''}",
        run.sync_status,
        str(len(run.collections_backed_up)) if saved else "-",
        formats.grouped(run.documents) if saved and run.documents is not None else "-",
        formats.size(run.size_bytes) if saved and run.size_bytes is not None else "-",
        f"{run.created_by}{KINDS.get(run.kind, '')}",
    )


def _since(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(message="--since wants a date like 2025-01-19.") from error
    return at if at.tzinfo else timezone.make_aware(at)
