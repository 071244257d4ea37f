"""Pin a backup with a note, so that nothing removes it; or take the pin away."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.management.base import TempleCommand
from backups_app.records import Origin
from backups_app.use_cases.listing import listing
from backups_app.use_cases.retention import pins


class Command(TempleCommand):
    help = "Pin a backup (an id, or latest), so that neither a rule nor a person removes it. --unpin ends that."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", metavar="ID", help="A backup id, or latest.")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--note", default="", metavar="TEXT", help="Why, in a few words.")
        what.add_argument("--unpin", action="store_true", help="Unpin it.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        backup_id = listing.resolve(settings, options["backup_id"], with_backup=True)
        who: dict[str, Any] = {
            "configuration": settings, "backup_id": backup_id, "requested_by": getpass.getuser(),
            "origin": Origin.COMMAND, "now": timezone.now(),
        }  # fmt: skip
        pin = None
        if options["unpin"]:
            pins.unpin(**who)
        else:
            pin = pins.pin(note=options["note"], **who)
        if options["json"]:
            self.print_json({"backup_id": backup_id, "pinned": formats.plain(pin)})
        else:
            self.stdout.write(f"{backup_id}: {'pinned' if pin else 'not pinned any more'}.")
        return 0
