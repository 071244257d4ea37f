"""What copies there are: by our own records, or with --from as a target says itself. `init` prepares a directory."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from pyrage.x25519 import Identity

from backups_app import configuration
from backups_app.configuration import Configuration
from backups_app.errors import (
    TempleOpsError,
)
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import copies_text
from backups_app.records import Origin
from backups_app.use_cases import copy_access
from backups_app.use_cases.copies import acts, overview, unknown
from backups_app.use_cases.copies.acts import CopyRequest
from backups_app.use_cases.fetching import rows


class Command(TempleCommand):
    help = (
        "List the copies on record, the newest backup first. --from NAME lists the target itself, without local "
        "records: id, size, time of the copy, and with a key the contents. init NAME prepares a directory; forget "
        "NAME@mark forgets the copies at a former place."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "act", nargs="?", choices=["init", "forget"],
            help="Prepare a directory as a target; forget the copies at a former place, NAME@mark.",
        )  # fmt: skip
        parser.add_argument("name", nargs="?", default="", metavar="NAME", help="The target, or its former place.")
        parser.add_argument("--from", dest="target", default="", metavar="NAME", help="List this target itself.")
        parser.add_argument(
            "--identity", metavar="FILE", action="append", default=[], help="The file with a private key; repeatable."
        )
        parser.add_argument(
            "--take-in",
            action="store_true",
            help=("Read the copies that are not on record here and record them: they count then."),
        )

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        if options["act"] == "forget":
            return self._forget(settings, options["name"])
        if options["act"]:
            return self._prepare(settings, options["name"])
        if options["take_in"]:
            return self._take_in(settings, options["target"], options["identity"])
        if options["target"]:
            return self._at_target(settings, options["target"], options["identity"])
        copies = overview.copies(configuration=settings)
        if options["json"]:
            self.print_json([copy.as_json() for copy in copies])
            return 0
        for copy in copies:
            self.stdout.write(copies_text.made(copy))
        for target in overview.targets(configuration=settings):
            self.say(copies_text.target(target))
        if not settings.targets:
            self.say("BACKUP_TARGETS names no target.")
        return 0

    def _prepare(self, settings: Configuration, name: str) -> int:
        if not name:
            raise CommandError("Name the target: manage.py backup_copies init NAME")
        acts.prepare(
            CopyRequest(
                configuration=settings, requested_by=getpass.getuser(), origin=Origin.COMMAND, now=timezone.now()
            ),
            target=name,
        )
        if self.options["json"]:
            self.print_json({"target": name, "prepared": True})
        else:
            self.stdout.write(f"{name} can be used. A server that runs since before it was set must be started again.")
        return 0

    def _forget(self, settings: Configuration, place: str) -> int:
        asked = CopyRequest(
            configuration=settings, requested_by=getpass.getuser(), origin=Origin.COMMAND, now=timezone.now()
        )
        copies = acts.forget(asked, place=place)
        if self.options["json"]:
            self.print_json({"place": place, "forgotten": copies})
        else:
            self.stdout.write(f"{copies} copies at {place} are forgotten. Nothing was changed there.")
        return 0

    def _take_in(self, settings: Configuration, name: str, files: list[str]) -> int:
        if not name:
            raise CommandError("Name the target: manage.py backup_copies --from NAME --take-in")
        asked = CopyRequest(
            configuration=settings, requested_by=getpass.getuser(), origin=Origin.COMMAND, now=timezone.now()
        )
        identities = copy_access.identities(settings, files)
        found = unknown.unknown_at(configuration=settings, target=name, now=asked.now)
        failures = [(one, self._take_one_in(asked, name, one.name, identities)) for one in found.copies]
        if self.options["json"]:
            self.print_json(
                [
                    {"backup_id": one.backup_id, "target": name, "error_code": error.code if error else None}
                    for one, error in failures
                ]
            )
        else:
            for one, error in failures:
                self.stdout.write(copies_text.taken_in(one.backup_id, error))
            if not failures:
                self.say("Every copy there is known here.")
        return next((error.exit_code for _, error in failures if error is not None), 0)

    def _take_one_in(
        self, asked: CopyRequest, target: str, copy: str, identities: Sequence[Identity]
    ) -> TempleOpsError | None:
        """What is wrong with one copy does not keep the others away."""
        try:
            unknown.take_in(asked, target=target, copy=copy, identities=identities)
        except unknown.OF_ONE_COPY as error:
            return error
        return None

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
