"""Prove that a backup can be restored: into a scratch database, compared document by document, then removed."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import progress_bars, restore_text
from backups_app.records import Origin
from backups_app.runs.copies import copy_source
from backups_app.use_cases import copy_access, copy_rehearsals
from backups_app.use_cases.backups import backups
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.restores import newest, restores


class Command(TempleCommand):
    help = (
        "Test the restore of a backup (the newest verified one by default). For cron: exit 0 means that it is "
        "restorable."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", metavar="ID", nargs="?", help="A backup id, or latest (the default).")
        parser.add_argument(
            "--from", dest="target", metavar="NAME", default="", help=("Restore from the copy at this target.")
        )
        parser.add_argument("--identity", metavar="FILE", action="append", default=[], help="The private key's file.")

    def execute_command(self, **options: Any) -> int:
        readiness.require_local(configuration.current())
        keys = copy_access.identities(configuration.current(), options["identity"]) if options["target"] else ()
        with copy_source.using(keys):
            return self.rehearse(**options)

    def rehearse(self, **options: Any) -> int:
        """Start the restore test, carry it out here, and say how it ended."""
        wanted = None if options["backup_id"] == newest.LATEST else options["backup_id"]
        who: dict[str, Any] = {"created_by": getpass.getuser(), "origin": Origin.COMMAND, "now": timezone.now()}
        if options["target"]:
            run = copy_rehearsals.start(target=options["target"], backup_id=wanted, enqueue=False, **who)
        else:
            run = restores.rehearse(backup_id=self.backup_id(wanted or newest.LATEST), enqueue=False, **who)
        with progress_bars.Bars(self.console) as bars, progress_bars.stop_on_interrupt(run.backup_id):
            run = backups.execute(backup_id=run.backup_id, listener=bars)
        if options["json"]:
            self.print_json(listing.public(run))
            return progress_bars.exit_code(run)
        for line in restore_text.outcome_lines(run):
            self.stdout.write(line)
        return progress_bars.exit_code(run)
