"""What copies a target holds, as it tells itself: no local record is needed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import copies_text
from backups_app.use_cases import copy_access
from backups_app.use_cases.fetching import rows


class Command(TempleCommand):
    help = "List the backups at a target, newest first: id, size, when they were copied, and with a key what they hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="target", metavar="NAME", required=True, help="The target.")
        parser.add_argument(
            "--identity", metavar="FILE", action="append", default=[], help="The file with a private key; repeatable."
        )

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        found = rows.at_target(
            configuration=settings,
            target=copy_access.target(settings, options["target"]),
            identities=copy_access.identities(settings, options["identity"]),
        )
        if options["json"]:
            self.print_json([row.as_json() for row in found])
            return 0
        for row in found:
            self.stdout.write(copies_text.at_target(row))
        if not found:
            self.say("There is no copy.")
        return 0
