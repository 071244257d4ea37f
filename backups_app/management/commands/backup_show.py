"""One run: its steps, its collections, what was deleted, what went wrong."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from backups_app import configuration
from backups_app.catalog.run.run_record import RunRecord
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import moments, progress_bars
from backups_app.records import RunKind
from backups_app.use_cases.copies import fetchable
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import readiness

KINDS = {
    RunKind.RESTORE.value: "A restore; the backup of this id is its safety backup.",
    RunKind.TEST_COPY.value: "A test copy; it makes no backup.",
    RunKind.REHEARSAL.value: (
        "A restore test: a backup was restored into a scratch database and compared; it makes no backup."
    ),
    "foreign": "Made by somebody else's mongodump.",
}


class Command(TempleCommand):
    help = "Show one run (an id, or latest): steps, collections, deletions, errors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", metavar="ID", help="A backup id, or latest.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        run = listing.get_run(configuration=settings, backup_id=listing.resolve(settings, options["backup_id"]))
        copies = [copy.target for copy in fetchable.copies_of(run, configuration=settings)]
        if options["json"]:
            self.print_json(listing.public(run) | {"copies_to_fetch": copies})
        else:
            self.show(run, copies)
        return 0

    def show(self, run: RunRecord, copies: Sequence[str]) -> None:
        by = f"by {run.created_by}" if run.created_by else ""
        self.stdout.write(f"{run.backup_id}  {moments.moment(run)}  {by}  {run.status}, sync {run.sync_status}")
        if run.dated_in_future:
            self.stdout.write(
                "It is dated in the future because a clock was wrong, so it does not count as a recent backup."
            )
        if run.kind != RunKind.BACKUP:
            self.stdout.write(KINDS.get(run.kind, ""))
        for step in run.steps:
            self.stdout.write(f"  {step.name:<14} {step.state:<10} {step.sentence}")
        for line in progress_bars.outcome_lines(run):
            self.stdout.write(line)
        for copy in copies:
            self.stdout.write(f"A copy can be fetched: manage.py backup_fetch {run.backup_id} --from {copy}")
        if run.collections_backed_up:
            self.stdout.write("Collections: " + ", ".join(run.collections_backed_up))
