"""What copies there are: by our own records, or with --from as a target tells itself. `init` prepares a directory."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from backups_app import configuration
from backups_app.configuration import Configuration
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import copies_text
from backups_app.records import Origin
from backups_app.use_cases import copy_access
from backups_app.use_cases.copies import acts, overview
from backups_app.use_cases.copies.acts import Asked
from backups_app.use_cases.fetching import rows


class Command(TempleCommand):
    help = (
        "List the copies that were made, the newest backup first. --from NAME asks the target itself, without any "
        "local record: id, size, when they were copied, and with a key what they hold. init NAME prepares a directory."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", nargs="?", choices=["init"], help="Prepare a directory as a target.")
        parser.add_argument("name", nargs="?", default="", metavar="NAME", help="The target to prepare.")
        parser.add_argument("--from", dest="target", default="", metavar="NAME", help="Ask this target itself.")
        parser.add_argument(
            "--identity", metavar="FILE", action="append", default=[], help="The file with a private key; repeatable."
        )

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        if options["act"]:
            return self._prepare(settings, options["name"])
        if options["target"]:
            return self._at_target(settings, options["target"], options["identity"])
        copies = overview.copies(configuration=settings)
        if options["json"]:
            self.print_json([copy.as_json() for copy in copies])
            return 0
        for copy in copies:
            self.stdout.write(copies_text.made(copy))
        if not copies:
            self.say("There is no copy." if settings.targets else "BACKUP_TARGETS names no target.")
        return 0

    def _prepare(self, settings: Configuration, name: str) -> int:
        if not name:
            raise CommandError("Name the target: manage.py backup_copies init NAME")
        acts.prepare(
            Asked(configuration=settings, requested_by=getpass.getuser(), origin=Origin.COMMAND, now=timezone.now()),
            target=name,
        )
        if self.options["json"]:
            self.print_json({"target": name, "prepared": True})
        else:
            self.stdout.write(f"{name} can be used.")
        return 0

    def _at_target(self, settings: Configuration, name: str, identities: list[str]) -> int:
        found = rows.at_target(
            configuration=settings,
            target=copy_access.target(settings, name),
            identities=copy_access.identities(settings, identities),
        )
        if self.options["json"]:
            self.print_json([row.as_json() for row in found])
            return 0
        for row in found:
            self.stdout.write(copies_text.at_target(row))
        if not found:
            self.say("There is no copy.")
        return 0
