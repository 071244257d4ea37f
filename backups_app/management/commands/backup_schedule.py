"""List, add, change, pause, resume, remove and run schedules, and show when they run next."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.management.terminal.document_text import safe
from backups_app.models import Schedule
from backups_app.records import CONFIRMATION_PHRASE, Origin
from backups_app.schedule import slots
from backups_app.use_cases.schedules import changes, overview
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.schedules.overview import PlannedSchedule, ScheduleWish

ACTS = ("list", "next", "add", "change", "pause", "resume", "remove", "run")


class Command(TempleCommand):
    help = "Show and change schedules. A schedule that deletes bookings needs --confirm."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=ACTS, nargs="?", default="list")
        parser.add_argument(
            "schedule", nargs="?", metavar="NAME", help="Which schedule; `add` may take --name instead."
        )
        parser.add_argument("--name", help="For add: the name. For change: the new name.")
        parser.add_argument("--do", choices=Schedule.Do.values, help="What it does.")
        parser.add_argument("--cron", metavar="EXPR", help='Five fields: "0 2 * * 0" is each Sunday at 02:00.')
        parser.add_argument("--time-zone", metavar="Z", help="The zone of its times, such as Asia/Kolkata.")
        parser.add_argument("--if-missed", choices=Schedule.IfMissed.values, help="Run late, once, or skip.")
        parser.add_argument(
            "--from", dest="target", metavar="NAME", help="With rehearse: begin from the copy at a target."
        )
        parser.add_argument("--confirm", default="", help=f'"{CONFIRMATION_PHRASE}", where bookings will be deleted.')

    def execute_command(self, **options: Any) -> int:
        act: str = options["act"]
        name: str = options["schedule"] or ("" if act == "change" else options["name"]) or ""
        if act == "list":
            return self.show_all()
        if act == "next" and not name:
            return self.show_next()
        if act == "next":
            return self.show(overview.get(name, now=timezone.now()))
        if act == "remove":
            return self.remove(name)
        if act == "run":
            return self.run_now(name)
        if act in ("pause", "resume"):
            wish = replace(overview.get(name, now=timezone.now()).wish, enabled=act == "resume")
            return self.show(changes.switch(name, enabled=act == "resume", who=self.who(name, wish)))
        if act == "add":
            wish = self.wish(ScheduleWish(name=name))
            return self.show(changes.add(wish, who=self.who(None, wish)))
        wish = self.wish(overview.get(name, now=timezone.now()).wish)
        return self.show(changes.change(name, wish, who=self.who(name, wish)))

    def wish(self, before: ScheduleWish) -> ScheduleWish:
        """Return what is asked for: what is not named stays."""
        given: dict[str, Any] = {
            field: self.options[field]
            for field in ("name", "do", "cron", "time_zone", "if_missed", "target")
            if self.options[field] is not None
        }
        if given.get("do", before.do) != before.do:
            given.setdefault("if_missed", "")
        return replace(before, **given)

    def who(self, name: str | None, wish: ScheduleWish) -> Who:
        """Take the phrase from --confirm, or ask at a terminal where one is needed."""
        typed: str = self.options["confirm"]
        if not typed and self.someone_is_there and changes.needs_confirmation(name, wish):
            self.stderr.write("This schedule deletes bookings after each backup, without a question.")
            typed = self.typed(CONFIRMATION_PHRASE)
        return Who(by=getpass.getuser(), origin=Origin.COMMAND, now=timezone.now(), confirm=typed)

    def remove(self, name: str) -> int:
        changes.remove(name, who=self.who(None, ScheduleWish(name=name)))
        if self.options["json"]:
            self.print_json({"removed": name})
        else:
            self.stdout.write(f"Removed {safe(name)}. What it did stays in the audit trail.")
        return 0

    def run_now(self, name: str) -> int:
        row = overview.get(name, now=timezone.now()).row
        slot = changes.run_now(name, who=self.who(None, ScheduleWish(name=name, do=row.do)))
        if self.options["json"]:
            self.print_json(overview.public_slot(slot))
        else:
            self.stdout.write(f"Started {slot.run}." if slot.run else "Queued for the worker.")
        return 0

    def show_all(self) -> int:
        now = timezone.now()
        newest_at = overview.newest_backup_at(configuration=configuration.current(), now=now)
        found = overview.every(now=now, newest_at=newest_at)
        if self.options["json"]:
            self.print_json([overview.public(one) for one in found])
            return 0
        for one in found:
            self.write(one)
        if not found:
            self.stdout.write('No schedule yet. Example: backup_schedule add --name nightly --cron "0 2 * * *"')
        elif overview.worker_is_away(now=timezone.now()):
            self.say("No worker is running: planned runs will not happen. Start manage.py worker.")
        return 0

    def show(self, planned: PlannedSchedule) -> int:
        if self.options["json"]:
            self.print_json(overview.public(planned))
        else:
            self.write(planned)
        return 0

    def show_next(self) -> int:
        """Print the next runs of all schedules together, the first one first."""
        coming = sorted(
            ((at, one.row) for one in overview.every(now=timezone.now()) for at in one.next_runs),
            key=lambda one: one[0],
        )[: overview.NEXT_RUNS]
        if self.options["json"]:
            self.print_json([{"at": at, "name": row.name, "do": row.do} for at, row in coming])
        else:
            for at, row in coming:
                self.stdout.write(f"{_local(at, row.time_zone)}  {safe(row.name)} ({row.do})")
        return 0

    def write(self, planned: PlannedSchedule) -> None:
        row = planned.row
        marks = [mark for mark, holds in (("paused", not row.enabled), ("OVERDUE", planned.overdue)) if holds]
        ends = f"  [{', '.join(marks)}]" if marks else ""
        self.stdout.write(f"{safe(row.name)}: {row.do} at {row.cron} ({row.time_zone}){ends}")
        if planned.next_runs:
            self.stdout.write(f"    next: {', '.join(_local(at, row.time_zone) for at in planned.next_runs)}")
        if (last := planned.last) is not None:
            why = f", {last.reason}" if last.reason else ""
            run = f", {last.run}" if last.run else ""
            self.stdout.write(f"    last: {_local(last.slot, row.time_zone)} {last.state}{why}{run}")


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(slots.zone(zone)):%a %d %b %Y %H:%M %Z}"
