"""Restore from a backup: preview, confirm, restore, verify. A safety backup of the target comes first."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.browsing.reading import opening
from backups_app.configuration import Configuration
from backups_app.errors import InvalidInput, RestoreNotConfirmed
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import named_collections, progress_bars, restore_text
from backups_app.records import Origin
from backups_app.restore.choices import Choices, Mode
from backups_app.restore.preview import RestorePreview
from backups_app.runs import preparation
from backups_app.use_cases import confirmation
from backups_app.use_cases.backups import backups
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.restores import preview_json, restores


class Command(TempleCommand):
    help = (
        "Restore everything, chosen collections or one document of a backup. By default it adds missing documents only."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "backup_id", metavar="ID", nargs="?", help="A backup id, or latest: the newest that can be restored."
        )
        parser.add_argument(
            "--collections",
            action="append",
            metavar="A,B",
            help="Only these collections, also own records and emptied ones. May be repeated, for names with commas.",
        )
        parser.add_argument("--id", metavar="ID", help="Only the document with this _id, of the one collection named.")
        parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.ADD.value)
        parser.add_argument(
            "--to", metavar="DB", help="Into a test copy of this name instead of the temple's database."
        )
        parser.add_argument(
            "--include-purged", action="store_true", help=("Also the collections that a run emptied on purpose.")
        )
        parser.add_argument("--dry-run", action="store_true", help="Only the preview: read and compare, write nothing.")
        parser.add_argument("--confirm", default="", help=f"{restores.PHRASE}, where nobody is there to type it.")
        parser.add_argument("--undo", metavar="RUN", help="Undo this restore: restore its safety backup.")
        parser.add_argument("--copies", action="store_true", help="List the test copies.")
        parser.add_argument("--remove-copy", metavar="DB", help="Remove a test copy.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        if options["copies"] or options["remove_copy"]:
            return self.copies(settings, options["remove_copy"])
        choices = self.choices(settings, options)
        with progress_bars.Bars(self.console) as bars:
            preview = restores.preview_restore(configuration=settings, choices=choices, progress=bars)
        if options["dry_run"]:
            return self.show(preview)
        self.confirm(preview)
        return self.carry_out(preview)

    def choices(self, settings: Configuration, options: dict[str, Any]) -> Choices:
        if options["undo"]:
            run = listing.get_run(configuration=settings, backup_id=options["undo"])
            return restores.undo(configuration=settings, run=run)
        if not options["backup_id"]:
            raise InvalidInput(message="Name the backup: backup_restore ID.")
        backup_id = self.backup_id(options["backup_id"])
        return restores.choose(
            configuration=settings,
            backup_id=backup_id,
            collections=self.collections(settings, backup_id, options["collections"]),
            mode=options["mode"],
            to=options["to"],
            include_purged=bool(options["include_purged"]),
            document=options["id"],
        )

    def collections(self, settings: Configuration, backup_id: str, named: list[str] | None) -> list[str] | None:
        if named is None:
            return None
        backup = opening.open_backup(store=preparation.store(settings), backup_id=backup_id)
        return named_collections.chosen(named, held=backup.manifest.collections)

    def show(self, preview: RestorePreview) -> int:
        if self.options["json"]:
            self.print_json(preview_json.as_json(preview))
        else:
            for line in restore_text.preview_lines(preview):
                self.stdout.write(line)
        return 0

    def confirm(self, preview: RestorePreview) -> None:
        """Where documents would be replaced or deleted, show the preview to the person who is asked. Raise
        `RestoreNotConfirmed`."""
        if not preview.needs_the_phrase:
            return
        if not self.options["confirm"] and self.someone_is_there:
            for line in restore_text.preview_lines(preview):
                self.stderr.write(line)
            self.stderr.write("A safety backup is made first.")
        confirmation.require(restores.PHRASE, typed=self.typed(restores.PHRASE), refusal=RestoreNotConfirmed())

    def carry_out(self, preview: RestorePreview) -> int:
        run = restores.start(
            choices=preview.choices,
            confirmation=preview.confirmation,
            created_by=getpass.getuser(),
            origin=Origin.COMMAND,
            now=timezone.now(),
            enqueue=False,
        )
        with progress_bars.Bars(self.console) as bars, progress_bars.stop_on_interrupt(run.backup_id):
            run = backups.execute(backup_id=run.backup_id, listener=bars)
        if self.options["json"]:
            self.print_json(listing.public(run))
        else:
            for line in restore_text.outcome_lines(run):
                self.stdout.write(line)
        return progress_bars.exit_code(run)

    def copies(self, settings: Configuration, remove: str | None) -> int:
        if remove:
            now = timezone.now()
            restores.remove_copy(
                configuration=settings, name=remove, removed_by=getpass.getuser(), origin=Origin.COMMAND, now=now
            )
        found = restores.list_copies(configuration=settings)
        if self.options["json"]:
            self.print_json([formats.plain(vars(copy)) for copy in found])
            return 0
        for copy in found:
            self.stdout.write(f"{copy.database:<48} {copy.backup_id}  {copy.purpose}  {formats.size(copy.size_bytes)}")
        return 0
