"""Remove one backup by name, for a day into the trash; or bring it back from there."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.records import Origin
from backups_app.use_cases.copies import overview, removing
from backups_app.use_cases.copies.acts import CopyRequest
from backups_app.use_cases.retention import bringing_back, removal


class Command(TempleCommand):
    help = (
        "Remove one backup from this computer; --confirm repeats its id. For a day --undo brings it back. --from "
        "removes the copy at a target instead, for good."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", metavar="ID")
        parser.add_argument(
            "--from", dest="target", default="", metavar="NAME", help="Remove the copy at this target instead."
        )
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--confirm", default="", metavar="ID", help="The id, typed again.")
        what.add_argument("--undo", action="store_true", help="Bring it back from the trash.")

    def execute_command(self, **options: Any) -> int:
        backup_id: str = options["backup_id"]
        if options["target"]:
            return self._remove_copy(backup_id, options["target"])
        who: dict[str, Any] = {
            "configuration": configuration.current(), "backup_id": backup_id, "requested_by": getpass.getuser(),
            "origin": Origin.COMMAND, "now": timezone.now(),
        }  # fmt: skip
        if options["undo"]:
            pinned = bringing_back.bring_back(**who)
            answer: dict[str, Any] = {"backup_id": backup_id, "brought_back": True, "pinned": pinned}
            sentences = f"{backup_id} is back." + (" It is pinned: the rules would remove it again." if pinned else "")
        else:
            typed = self.typed(backup_id, to="remove this backup")
            thrown = removal.remove(typed=typed, **who)
            answer = {"backup_id": backup_id, "removed_at": thrown.at, "until": thrown.until}
            sentences = f"{backup_id} is in the trash for a day: backup_remove {backup_id} --undo brings it back."
            copies = sorted(
                {
                    copy.target
                    for copy in overview.copies(configuration=who["configuration"], backup_id=backup_id)
                    if copy.is_complete
                }
            )
            if copies:
                answer["copies"] = copies
                sentences += f" Copies remain at: {', '.join(copies)}."
        self.print_json(answer) if options["json"] else self.stdout.write(sentences)
        return 0

    def _remove_copy(self, backup_id: str, target: str) -> int:
        asked = CopyRequest(
            configuration=configuration.current(), requested_by=getpass.getuser(), origin=Origin.COMMAND,
            now=timezone.now(),
        )  # fmt: skip
        outlook = removing.outlook(configuration=asked.configuration, backup_id=backup_id, target=target)
        if outlook.only_here and not outlook.refusals:
            self.say(f"Once this copy is gone: {outlook.only_here}")
        typed = self.typed(backup_id, to=f"remove the copy at {target}")
        removed = removing.remove(asked, backup_id=backup_id, target=target, typed=typed)
        messages = {"only_here": removed.only_here, "kept": removed.kept}
        if self.options["json"]:
            sentences = {name: str(one) for name, one in messages.items() if one}
            self.print_json({"backup_id": backup_id, "target": target, "removed": True, **sentences})
        else:
            self.stdout.write(f"The copy of {backup_id} at {target} is gone. It is not made again by itself.")
            if removed.kept:
                self.stdout.write(str(removed.kept))
            if removed.only_here:
                self.stdout.write(f"From now on: {removed.only_here} To copy it: backup_copy {backup_id} --to {target}")
        return 0
