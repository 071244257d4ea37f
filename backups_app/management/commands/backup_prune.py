"""Apply the policy of retention now, or with --dry-run only say what it would do."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import retention_text
from backups_app.records import Origin
from backups_app.use_cases.retention import prune, simulation


class Command(TempleCommand):
    help = (
        "Move the backups that the retention rules do not keep into the trash for a day. Does nothing while "
        "retention is off."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only show what would be kept and removed, and why.")

    def execute_command(self, **options: Any) -> int:
        done = prune.prune(
            configuration=configuration.current(),
            requested_by=getpass.getuser(),
            origin=Origin.COMMAND,
            now=timezone.now(),
            dry_run=bool(options["dry_run"]),
        )
        if options["json"]:
            self.print_json(simulation.as_json(done.decision) if done.decision else {"kept": [], "removed": []})
            return 0
        if done.decision is None:
            self.stdout.write("Retention is off: nothing was removed. Turn it on: manage.py backup_retention set …")
            return 0
        for line in retention_text.decision_lines(done.decision, dry_run=bool(options["dry_run"])):
            self.stdout.write(line)
        for backup_id in done.left:
            self.stdout.write(f"{backup_id}  kept: somebody pinned it or began to read it just now")
        return 0
