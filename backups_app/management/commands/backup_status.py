"""Am I protected? The status card in the terminal, with exit codes for monitoring."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import progress_bars
from backups_app.management.terminal.document_text import safe
from backups_app.use_cases import status, status_json
from backups_app.use_cases.reach import Reach
from backups_app.use_cases.status import StatusVerdict
from backups_app.use_cases.syncs import SyncOverview

EXITS = {
    StatusVerdict.PROTECTED: 0,
    StatusVerdict.RUNNING: 0,
    StatusVerdict.NEEDS_ATTENTION: 6,
    StatusVerdict.NOT_PROTECTED: 1,
    StatusVerdict.OFF: 4,
}


class Command(TempleCommand):
    help = "Say whether the data is protected. --check: exit 0 protected, 6 needs attention, 1 not protected."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Let the exit code tell the verdict.")

    def execute_command(self, **options: Any) -> int:
        told = status.status(configuration=configuration.current(), now=timezone.now())
        if options["json"]:
            self.print_json(status_json.public(told))
        else:
            self.show(told)
        return EXITS[told.verdict] if options["check"] else 0

    def show(self, told: status.SystemStatus) -> None:
        self.stdout.write(told.sentence)
        if told.hint:
            self.stdout.write(told.hint)
        self.stdout.write(f"Primary database  {told.primary_database}")
        self.stdout.write(
            f"Backup            {'available' if told.backup_available else 'not available: ' + told.message}"
        )
        self.stdout.write(f"Sync              {'enabled' if told.sync_enabled else 'off'}")
        for line in sync_lines(told.sync):
            self.stdout.write(line)
        self.stdout.write(f"Engine            {told.engine or '-'}")
        if told.last_backup is not None:
            self.stdout.write(
                f"Last good backup  {told.last_backup['backup_id']}, {progress_bars.moment(told.last_backup)}"
            )
        if told.last_proven is not None:
            proven = told.last_proven["restore"]["choices"]["backup_id"]
            self.stdout.write(f"Last proven       {proven}, restorable, {progress_bars.moment(told.last_proven)}")
        if told.disk_free_bytes is not None:
            self.stdout.write(f"Backup disk       {formats.size(told.disk_free_bytes)} free")
        self.stdout.write(f"Local MongoDB     {_reach(told.local)}")
        if told.remote is not None:
            self.stdout.write(f"Atlas             {_reach(told.remote)}")


def sync_lines(known: SyncOverview | None) -> list[str]:
    """Return when the sides were last brought together, what the last proof said, and what waits for a decision."""
    if known is None or known.synced_at is None:
        return []
    lines = [f"Last sync         {timezone.localtime(known.synced_at):%d %b %Y %H:%M}"]
    if known.proof is not None:
        lines.append(f"Last proof        {progress_bars.proof(known.proof)}")
        lines += [
            f"                  {safe(one['collection'])} {safe(str(one['id']))}" for one in known.proof["differing"]
        ]
    lines += [f"Blocked           {safe(name)}: {reason}" for name, reason in known.blocked.items()]
    others = {name: reason for name, reason in known.left_over.items() if name not in known.blocked}
    return lines + [f"Left over         {safe(name)}: {reason}" for name, reason in others.items()]


def _reach(reach: Reach) -> str:
    problem = "" if reach.problem is None else reach.problem.detail
    if not reach.reachable:
        return problem or "cannot be reached"
    return f"reachable, {reach.latency_ms:.0f} ms, MongoDB {reach.version}{'. ' if problem else ''}{problem}"
