"""Sync, back up, verify, then delete what was asked for: the whole run in this process, no worker needed."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.catalog.run.run_record import RunRecord
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import progress_bars
from backups_app.records import (
    CONFIRMATION_PHRASE,
    PURGEABLE,
    PURGEABLE_ALWAYS,
    Origin,
    purgeable,
)
from backups_app.use_cases import confirmation
from backups_app.use_cases.backups import backups
from backups_app.use_cases.listing import listing, present_counts
from backups_app.use_cases.listing.present_counts import LiveCounts
from backups_app.use_cases.readiness import readiness


class Command(TempleCommand):
    help = "Sync, back up and verify; then delete activities, and bookings if confirmed, on both sides."

    def add_arguments(self, parser: ArgumentParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--keep-bookings", action="store_true", help="Bookings stay (the default).")
        choice.add_argument(
            "--incremental", action="store_true", help="Write what changed since a full backup; delete nothing."
        )
        choice.add_argument("--delete-bookings", action="store_true", help="Delete bookings after the backup.")
        parser.add_argument("--confirm", default="", help=f'"{CONFIRMATION_PHRASE}", where nobody is there to type it.')
        waiting = parser.add_mutually_exclusive_group()
        waiting.add_argument("--wait", action="store_true", help="Wait for the end (the default).")
        waiting.add_argument("--detach", action="store_true", help="Do not wait: a worker runs it.")
        parser.add_argument("--note", default="", help="A note for the record.")
        parser.add_argument("--dry-run", action="store_true", help="Only show what would be deleted, with counts.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        delete_bookings = bool(options["delete_bookings"])
        if options["dry_run"]:
            return self.rehearse(settings, delete_bookings)
        if delete_bookings:
            self.require_confirmation(settings)
        document = backups.start_backup(
            created_by=getpass.getuser(),
            delete_bookings=delete_bookings,
            origin=Origin.COMMAND,
            now=timezone.now(),
            note=options["note"],
            enqueue=bool(options["detach"]),
            incremental=bool(options["incremental"]),
        )
        return self.report(document if options["detach"] else self.carry_out(document), options)

    def rehearse(self, settings: configuration.Configuration, delete_bookings: bool) -> int:
        """Refuse what a real run would refuse, then say what it would delete."""
        incremental_at = timezone.now() if self.options["incremental"] else None
        readiness.require_ready(configuration=settings, incremental_at=incremental_at)
        names = () if self.options["incremental"] else purgeable(delete_bookings=delete_bookings)
        live = present_counts.purgeable_counts(configuration=settings)
        if self.options["json"]:
            counted = {
                name: {"local": (live.local or {}).get(name), "remote": (live.remote or {}).get(name)} for name in names
            }
            self.print_json({"dry_run": True, "would_delete": counted})
        else:
            self.show_counts(live, names, out=self.stdout.write)
        return 0

    def require_confirmation(self, settings: configuration.Configuration) -> None:
        """Show what would be deleted to the person who is asked. Raise `ConfirmationMissing`."""
        if not self.options["confirm"] and self.someone_is_there:
            readiness.require_ready(configuration=settings)
            self.show_counts(present_counts.purgeable_counts(configuration=settings), PURGEABLE, out=self.stderr.write)
        confirmation.require_deletion(self.typed(CONFIRMATION_PHRASE))

    def show_counts(self, live: LiveCounts, names: tuple[str, ...], *, out: Any) -> None:
        out("After the backup these documents will be DELETED:")
        out(f"  {'collection':<20} {'local':>10} {'atlas':>10}")
        for name in names:
            always = "   (always)" if name in PURGEABLE_ALWAYS else ""
            out(f"  {name:<20} {_counted(live.local, name):>10} {_counted(live.remote, name):>10}{always}")

    def carry_out(self, document: RunRecord) -> RunRecord:
        """Run it here, with bars. Ctrl-C asks it to stop: before the purge it does, during the purge it finishes."""
        with (
            progress_bars.Bars(self.console, verbose=self.options["verbosity"] > 1) as bars,
            progress_bars.stop_on_interrupt(document.backup_id),
        ):
            return backups.execute(backup_id=document.backup_id, listener=bars)

    def report(self, document: RunRecord, options: dict[str, Any]) -> int:
        if options["json"]:
            self.print_json(listing.public(document))
        else:
            for line in progress_bars.outcome_lines(document):
                self.stdout.write(line)
        return 0 if options["detach"] else progress_bars.exit_code(document)


def _counted(side: Any, name: str) -> str:
    return "unknown" if side is None else formats.grouped(side.get(name, 0))
