"""Read a backup again from the disk and compare it with its manifest; a foreign mongodump folder gets one."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.errors import InvalidInput
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import progress_bars
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.use_cases import verification
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import readiness


class Command(TempleCommand):
    help = (
        "Verify a backup (an id, or latest), or all of them: checksums, documents, counts. Exit 5 when one is damaged."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", metavar="ID", nargs="?", default="", help="A backup id, or latest.")
        parser.add_argument("--all", action="store_true", help="Every published backup.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        results = [self.verify(settings, backup_id) for backup_id in self.wanted(settings, options)]
        if options["json"]:
            self.print_json(results if options["all"] else results[0])
        else:
            for result in results:
                self.stdout.write(_line(result))
                for warning in result["warnings"]:
                    self.stdout.write(f"  Note: {warning}")
        return 0 if all(result["verified"] for result in results) else 5

    def wanted(self, settings: configuration.Configuration, options: dict[str, Any]) -> list[str]:
        if options["all"]:
            return list(preparation.store(settings).backups().ids)
        if not options["backup_id"]:
            raise InvalidInput(message="Name a backup id, or latest, or use --all.")
        return [listing.resolve(settings, options["backup_id"], with_backup=True)]

    def verify(self, settings: configuration.Configuration, backup_id: str) -> dict[str, Any]:
        with progress_bars.Bars(self.console) as bars:
            return verification.verify_backup(
                configuration=settings,
                backup_id=backup_id,
                requested_by=getpass.getuser(),
                origin=Origin.COMMAND,
                now=timezone.now(),
                progress=bars,
            )


def _line(result: dict[str, Any]) -> str:
    if not result["verified"]:
        return f"{result['backup_id']}: DAMAGED. {result['problem']}"
    documents, own = formats.grouped(result["documents"]), result["own_collections"]
    held = f"{result['collections']} collections of the temple, {own} of our own records"
    return f"{result['backup_id']}: good, {held}; {documents} documents."
