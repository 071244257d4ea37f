"""What every command shares: `--json`, `--no-color`, `--quiet`, exit codes, refusals.

A command implements `execute_command(**options) -> int` (the exit code) and speaks by `self.say` (people, to
stderr unless it is the data itself), `self.print_json` (one JSON value to stdout, nothing else there).
"""

from __future__ import annotations

import json
import logging
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.utils import timezone
from pymongo.errors import PyMongoError
from rich.console import Console

from backups_app import configuration, formats
from backups_app.access import records
from backups_app.access.secrecy import redaction
from backups_app.backup_files import layout
from backups_app.errors import BackupNotFound, TempleOpsError
from backups_app.mongo import availability
from backups_app.mongo.refusals import refusals
from backups_app.records import Side
from backups_app.use_cases.listing import lost_backups
from backups_app.use_cases.restores import newest


class TempleCommand(BaseCommand):
    """Base of the product's commands. Refusals end with their exit code and, under --json, a JSON object."""

    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own form)
    options: dict[str, Any]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        self.add_shared(parser)
        return parser

    def add_shared(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON value to stdout and nothing else.")
        parser.add_argument("--quiet", action="store_true", help="Print only the result.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.options = options
        if options["verbosity"] < 2:
            # The worker's log is for operators; who types a command reads its own words.
            logging.getLogger("backups_app").setLevel(logging.WARNING)
        self.name_a_closed_database()
        try:
            with availability.early_probe():
                code = self.execute_command(**options)
        except TempleOpsError as error:
            code = self.refuse(error)
        except DatabaseError as error:
            if not records.is_unavailable(error):
                raise
            code = self.refuse(records.failure(error))
        except PyMongoError as error:
            named = refusals.named(error, side=Side.LOCAL)  # asked by nobody's name: it was the local server
            if named is None:
                raise
            code = self.refuse(named)
        except KeyboardInterrupt:
            code = 130
        if code:
            sys.exit(code)

    def name_a_closed_database(self) -> None:
        """Name Django's own database where it cannot be opened. Backups can be looked at and brought back all the
        same: what needs the database is refused by itself."""
        if (why := records.why_closed()) is not None:
            sentence = f"The database of users and audit rows cannot be opened: check DATABASE_URL ({why})."
            self.stderr.write(self.style.WARNING(redaction.scrub(sentence)))

    def execute_command(self, **options: Any) -> int:
        """Do the work: read the input, one call, shape the answer. Return the exit code."""
        raise NotImplementedError

    def refuse(self, error: TempleOpsError) -> int:
        """Say why nothing was done. Return the exit code of the named failure."""
        error = self.named(error)
        if self.options.get("json"):
            self.print_json(error.as_json())
        else:
            self.stderr.write(self.style.ERROR(error.detail))
            if error.hint:
                self.stderr.write(error.hint)
        return error.exit_code

    def named(self, error: TempleOpsError) -> TempleOpsError:
        """Say of a backup that is not here whether there was such a one."""
        if not isinstance(error, BackupNotFound):
            return error
        for wanted in (self.options.get(name) for name in ("backup_id", "a", "b")):
            if isinstance(wanted, str):
                found = lost_backups.named(error, configuration=configuration.current(), backup_id=wanted)
                if found is not error:
                    return found
        return error

    def backup_id(self, wanted: str) -> str:
        """Return the backup that a person means by an id or `latest`: the newest that can be restored. Name the newer
        ones that cannot. Raise as `newest.find`, and `InvalidBackupId`."""
        if wanted != newest.LATEST:
            return layout.check_id(wanted)
        found = newest.find(configuration=configuration.current(), now=timezone.now())
        for passed in found.passed_over:
            self.stderr.write(f"{passed} is damaged or not verified and was left out.")
        if found.passed_over:
            self.stderr.write(f"{found.backup_id} is used: the newest that can be restored.")
        return found.backup_id

    def print_json(self, value: Any) -> None:
        """Print the one JSON value of this command to stdout."""
        self.stdout.write(json.dumps(formats.plain(value), ensure_ascii=False, indent=2))

    def say(self, sentence: str) -> None:
        """Say one line to the person at the terminal; it never mixes with the data on stdout."""
        if not self.options.get("quiet") and not self.options.get("json"):
            self.stderr.write(sentence)

    @property
    def console(self) -> Console:
        """A rich console on stderr that obeys --no-color, NO_COLOR, --quiet and --json."""
        silent = bool(self.options.get("quiet") or self.options.get("json"))
        no_color = bool(self.options.get("no_color") or os.environ.get("NO_COLOR"))
        return Console(stderr=True, quiet=silent, no_color=no_color, highlight=False)

    def typed(self, phrase: str, *, to: str = "go on") -> str:
        """Return what --confirm says; without it, and where somebody can answer, what a person types when asked."""
        given: str = self.options["confirm"]
        return given or (input(f"Type {phrase} to {to}: ") if self.someone_is_there else "")

    @property
    def someone_is_there(self) -> bool:
        """Whether a prompt can be answered: only when stdin is a terminal."""
        return sys.stdin is not None and sys.stdin.isatty()
