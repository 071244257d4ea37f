"""Bring backups back from a target, on a machine that may know nothing of them."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.errors import CopyOfAnotherDatabase, CopyOfAnotherSite, CopySiteUnknown
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import copies_text, progress_bars
from backups_app.records import Origin
from backups_app.use_cases import copy_access, copy_choices
from backups_app.use_cases.fetching import fetch, rows, trail
from backups_app.use_cases.fetching.fetch import Fetch, Fetched
from backups_app.use_cases.fetching.site import Site

OF_OTHERS = (CopyOfAnotherDatabase, CopyOfAnotherSite, CopySiteUnknown)


class Command(TempleCommand):
    help = (
        "Fetch backups from a target: an id, latest (with its base), holders (the only backups with deleted "
        "documents) or all. Each is verified before it is listed. An interrupted fetch goes on when it is started "
        "again. Exit 14: wrong or no key."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("wanted", metavar="ID", help="A backup id, latest, holders, or all.")
        parser.add_argument("--from", dest="target", metavar="NAME", required=True, help="The target.")
        parser.add_argument(
            "--identity", metavar="FILE", action="append", default=[], help="The file with a private key; repeatable."
        )
        parser.add_argument(
            "--accept-unencrypted",
            action="store_true",
            help="Also fetch copies that are not encrypted, although the target holds encrypted ones.",
        )
        parser.add_argument(
            "--of-site",
            default="",
            metavar="ID",
            help="The site whose copies are meant, where copies of several lie there: its id, or the first digits.",
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
                accept_unencrypted=options["accept_unencrypted"],
                of_site=options["of_site"],
            )
            results = fetch.fetch(options["wanted"], asked=asked)
            site = fetch.bring_site(asked=asked, fetched=results) if options["site"] else None
        if options["json"]:
            self.print_json([row.as_json() for row in rows.fetched(target, results)])
        else:
            for result in results:
                self.stdout.write(copies_text.fetched(result))
            if not results:
                self.say("There is nothing to fetch.")
            for line in copies_text.site(site, recipients=settings.copy_recipients) if options["site"] else ():
                self.say(line)
        if results and trail.is_empty():
            self.say(
                "The audit trail here is still empty and does not record this fetch. Fetch latest: the trail then "
                "goes on from the fetched one."
            )
        for line in copies_text.unusable_sites(results, site):
            self.stderr.write(self.style.WARNING(line))
        return _exit_code(results, site, latest=options["wanted"] == copy_choices.LATEST)


def _exit_code(results: Sequence[Fetched], site: Site | None, *, latest: bool) -> int:
    """The first thing that went wrong names it: a backup, or with `--site` that no site.json could be used. That the
    latest one is older than those of another database or site is none."""
    errors = [one.error for one in results if one.error is not None]
    if latest and any(one.error is None for one in results):
        errors = [one for one in errors if not isinstance(one, OF_OTHERS)]
    if site is not None and site.backup_id is None:
        errors += site.problems.values()
    return next((one.exit_code for one in errors), 0)
