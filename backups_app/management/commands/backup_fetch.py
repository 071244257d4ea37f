"""Bring backups back from a target, on a machine that may know nothing of them."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import copies_text, progress_bars
from backups_app.records import Origin
from backups_app.use_cases import copy_access
from backups_app.use_cases.fetching import fetch, rows
from backups_app.use_cases.fetching.fetch import Fetch, Fetched


class Command(TempleCommand):
    help = (
        "Fetch backups from a target: an id, latest (with its base), holders (those that alone hold deleted documents) "
        "or all. Each is verified before it is here; started again after a cut it goes on. Exit 14: wrong or no key."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("wanted", metavar="ID", help="A backup id, latest, holders, or all.")
        parser.add_argument("--from", dest="target", metavar="NAME", required=True, help="The target.")
        parser.add_argument(
            "--identity", metavar="FILE", action="append", default=[], help="The file with a private key; repeatable."
        )
        parser.add_argument(
            "--site", action="store_true", help="Bring in schedules (paused), retention (off), people (no password)."
        )

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        target = copy_access.target(settings, options["target"])
        with progress_bars.Bars(self.console) as bars:
            asked = Fetch(
                configuration=settings,
                target=target,
                identities=copy_access.identities(settings, options["identity"]),
                requested_by=getpass.getuser(),
                origin=Origin.COMMAND,
                now=timezone.now(),
                progress=bars,
            )
            results = fetch.fetch(options["wanted"], asked=asked)
            site = fetch.bring_site(asked=asked, choices=[one.choice for one in results]) if options["site"] else None
        if options["json"]:
            self.print_json([row.as_json() for row in rows.fetched(target, results)])
        else:
            for result in results:
                self.stdout.write(copies_text.fetched(result))
            if not results:
                self.say("There is nothing to fetch.")
            for line in copies_text.site(site) if options["site"] else ():
                self.say(line)
        return _exit_code(results)


def _exit_code(results: Sequence[Fetched]) -> int:
    """The first thing that went wrong names it."""
    return next((one.error.exit_code for one in results if one.error is not None), 0)
