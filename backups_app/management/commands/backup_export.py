"""Write a backup as a plain mongodump folder: for stock mongorestore, whatever form the backup has."""

from __future__ import annotations

import getpass
import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import progress_bars
from backups_app.records import DUMPED_INTERNAL, Origin
from backups_app.restore.export import Exported
from backups_app.runs import preparation
from backups_app.use_cases import exporting
from backups_app.use_cases.readiness import readiness


class Command(TempleCommand):
    help = "Write a backup (an id, or latest) to a new folder, whole and uncompressed, as mongodump does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", metavar="ID", help="A backup id, or latest.")
        parser.add_argument("--out", metavar="DIR", required=True, help="A folder that does not exist yet.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        backup_id = self.backup_id(options["backup_id"])
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
            self.stdout.write(f"{backup_id}: {_held(exported)}, {formats.size(exported.bytes)} in {options['out']}.")
            folder = preparation.store(settings).folder(backup_id)
            self.stdout.write(
                "Restore it into a database of its own, and count after (docs/restore_runbook.md, chapter 7, "
                f"FOLDER={shlex.quote(str(folder))} and DUMP={shlex.quote(str(exported.path))}):"
            )
            self.stdout.write(f"  {restoring(exported)}")
        return 0


def _held(exported: Exported) -> str:
    """Name the temple's collections and documents as every list does, and our own records beside them."""
    collections = exported.collections - exported.own_collections
    documents = formats.grouped(exported.documents - exported.own_documents)
    held = f"{collections} collections, {documents} documents"
    own = f"{exported.own_collections} of our own records ({formats.grouped(exported.own_documents)} documents)"
    return f"{held}, and {own}" if exported.own_collections else held


def restoring(exported: Exported) -> str:
    """Return the command of the runbook: never over a database in use, and without our own records, which describe
    another one. `$URI` is the reader's: its password stands in no output."""
    database = exported.database
    left_out = [word for name in sorted(DUMPED_INTERNAL) for word in ("--nsExclude", f"{database}.{name}")]
    words = [
        "--nsInclude", f"{database}.*", "--nsFrom", f"{database}.*", "--nsTo", f"{database}_restored.*", *left_out,
        "--maintainInsertionOrder", str(exported.path),
    ]  # fmt: skip
    return 'mongorestore --uri "$URI" ' + " ".join(shlex.quote(word) for word in words)
