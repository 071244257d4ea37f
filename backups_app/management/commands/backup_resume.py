"""Finish the deletion of a partial run, with all its checks passed again; or give it up."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import progress_bars
from backups_app.records import Origin
from backups_app.use_cases.backups import backups
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import readiness


class Command(TempleCommand):
    help = "Finish the unfinished deletion of a run. --keep ends it instead: the remaining documents stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", metavar="ID", help="A backup id, or latest.")
        parser.add_argument("--keep", action="store_true", help="Keep after all: nothing more is deleted.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        run = backups.resume(
            backup_id=listing.resolve(settings, options["backup_id"], with_backup=True),
            requested_by=getpass.getuser(),
            origin=Origin.COMMAND,
            now=timezone.now(),
            keep=bool(options["keep"]),
            enqueue=False,
        )
        if options["json"]:
            self.print_json(listing.public(run))
        else:
            for line in progress_bars.outcome_lines(run):
                self.stdout.write(line)
        return 0 if options["keep"] else progress_bars.exit_code(run)
