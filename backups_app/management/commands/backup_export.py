"""Write a backup as a plain mongodump folder: for stock mongorestore, whatever form the backup has."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import progress_bars
from backups_app.records import Origin
from backups_app.use_cases import exporting
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import readiness


class Command(TempleCommand):
    help = "Write a backup (an id, or latest) to a new folder, whole and uncompressed, as mongodump would have."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", metavar="ID", help="A backup id, or latest.")
        parser.add_argument("--out", metavar="DIR", required=True, help="A folder that does not exist yet.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        backup_id = listing.resolve(settings, options["backup_id"], with_backup=True)
        with progress_bars.Bars(self.console) as bars:
            exported = exporting.export_backup(
                configuration=settings,
                backup_id=backup_id,
                out=Path(options["out"]).absolute(),
                requested_by=getpass.getuser(),
                origin=Origin.COMMAND,
                now=timezone.now(),
                progress=bars,
            )
        if options["json"]:
            self.print_json(
                {
                    "backup_id": backup_id,
                    "path": str(exported.path),
                    "collections": exported.collections,
                    "documents": exported.documents,
                    "bytes": exported.bytes,
                }
            )
        else:
            held = f"{exported.collections} collections, {formats.grouped(exported.documents)} documents"
            self.stdout.write(f"{backup_id}: {held}, {formats.size(exported.bytes)} in {options['out']}.")
            self.stdout.write(f"Restore it with: mongorestore {options['out']}")
        return 0
