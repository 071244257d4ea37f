"""Copy backups to the targets now, in this process."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import copies_text
from backups_app.records import Origin
from backups_app.use_cases.copies import acts
from backups_app.use_cases.copies.acts import CopyRequest

COPY_FAILED = 3


class Command(TempleCommand):
    help = (
        "Copy one backup (an id, or latest), or every backup that is missing at a target: holders of deleted "
        "documents first, then the newest."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", nargs="?", default="", metavar="ID", help="A backup id, or latest.")
        parser.add_argument("--to", dest="target", default="", metavar="NAME", help="Only to this target.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        backup_id = self.backup_id(options["backup_id"]) if options["backup_id"] else ""
        asked = CopyRequest(
            configuration=settings, requested_by=getpass.getuser(), origin=Origin.COMMAND, now=timezone.now()
        )
        copies = acts.copy_now(asked, backup_id=backup_id, target=options["target"])
        if options["json"]:
            self.print_json([copy.as_json() for copy in copies])
        else:
            for copy in copies:
                self.stdout.write(copies_text.made(copy))
                if not copy.is_complete and copy.error is None:
                    self.say(f"{copy.backup_id}: another process is copying it to {copy.target} now.")
            if not copies:
                self.say("No backup is missing.")
        failed = [copy.error for copy in copies if not copy.is_complete]
        codes = {error.exit_code for error in failed if error is not None}
        return 0 if not failed else codes.pop() if len(codes) == 1 else COPY_FAILED
