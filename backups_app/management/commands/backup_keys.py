"""The keys of encrypted copies: make a pair, or prove that a private key opens what is at the targets."""

from __future__ import annotations

import dataclasses
import getpass
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.errors import InvalidInput, NoCopyToTest, TempleOpsError
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import key_paper
from backups_app.records import Origin
from backups_app.storage import encryption
from backups_app.use_cases import copy_access, copy_keys
from backups_app.use_cases.copy_keys import Opened

PARTIAL = 3


class Command(TempleCommand):
    help = (
        "Keys of encrypted copies. new makes a pair and stores nothing; test opens a copy with a private key (exit "
        "14: it does not open)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        new = acts.add_parser(
            "new", help=("Make a pair: print the line for .env, the private key, and what to do with it.")
        )
        new.add_argument("--out", metavar="FILE", default="", help="Write the private key into a new file instead.")
        test = acts.add_parser("test", help="Open the newest copy with a private key. From then on copies count.")
        test.add_argument("--identity", metavar="FILE", required=True, help="The file with the private key.")
        test.add_argument(
            "--from", dest="target", metavar="NAME", default="", help=("One target; without it all of them.")
        )
        for act in (new, test):
            self.add_shared(act)

    def execute_command(self, **options: Any) -> int:
        return self.new(options["out"]) if options["act"] == "new" else self.test(options)

    def new(self, out: str) -> int:
        if self.options["json"] and not out:
            raise InvalidInput(message="With --json the private key goes into a file: --out FILE.")
        pair, path = encryption.new_key_pair(), Path(out) if out else None
        if path is not None:
            copy_keys.write_private_key(path, pair, now=timezone.now())
        recipients = copy_keys.recipients_with(configuration.current(), pair.public)
        if self.options["json"]:
            self.print_json({"public_key": pair.public, "recipients": recipients.split(","), "written_to": out})
            return 0
        for line in key_paper.lines(pair, recipients=recipients, written_to=path):
            self.stdout.write(line)
        return 0

    def test(self, options: dict[str, Any]) -> int:
        settings = configuration.current()
        identities = encryption.read_identities(Path(options["identity"]))
        who: dict[str, Any] = {"requested_by": getpass.getuser(), "origin": Origin.COMMAND, "now": timezone.now()}
        names = copy_keys.targets_to_test(configuration=settings, named=options["target"], identities=identities, **who)
        opened: list[Opened] = []
        failures: list[TempleOpsError] = []
        for name in names:
            try:
                opened.append(
                    copy_keys.test(
                        configuration=settings,
                        target=copy_access.target(settings, name),
                        identities=identities,
                        **who,
                    )
                )
            except TempleOpsError as error:
                failures.append(error)
        return self.show(opened, failures)

    def show(self, opened: Sequence[Opened], failures: Sequence[TempleOpsError]) -> int:
        """Say what was opened and what was not. One target that failed is a failure."""
        if self.options["json"]:
            self.print_json(
                {
                    "opened": [dataclasses.asdict(one) for one in opened],
                    "failed": [error.as_json() for error in failures],
                }
            )
        else:
            for one in opened:
                size = formats.size(one.size_bytes)
                self.stdout.write(f"{one.target}: the key opens {one.backup_id}: its manifest, and one file ({size}).")
            for error in failures:
                self.stderr.write(self.style.ERROR(error.detail))
                self.stderr.write(error.hint)
            if failures and opened:
                self.say(f"The key opens copies at {len(opened)} of {len(opened) + len(failures)} targets.")
        return _exit_code(opened, failures)


def _exit_code(opened: Sequence[Opened], failures: Sequence[TempleOpsError]) -> int:
    """A target without a copy to try says nothing of the key: partial, where it opens copies at others. Any other
    failure names the code."""
    others = [error for error in failures if not isinstance(error, NoCopyToTest)]
    if others:
        return others[0].exit_code
    return 0 if not failures else PARTIAL if opened else failures[0].exit_code
