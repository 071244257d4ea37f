"""How well the data is protected. The status card in the terminal, with exit codes for monitoring."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.assurance.marks import duration_message
from backups_app.assurance.sentence import Assurance
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import moments, progress_bars
from backups_app.management.terminal.document_text import safe
from backups_app.messages.protection import assurance as wording
from backups_app.use_cases.readiness.reach import Reach
from backups_app.use_cases.status import status, status_json
from backups_app.use_cases.syncs.sync_overview import SyncOverview


class Command(TempleCommand):
    help = "Show how well the data is protected. Exit 0 protected, 6 needs attention, 1 not protected or off."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Has no effect; older scripts pass it.")

    def execute_command(self, **options: Any) -> int:
        found = status.status(configuration=configuration.current(), now=timezone.now())
        if options["json"]:
            self.print_json(status_json.public(found))
        else:
            self.show(found)
        return found.assurance.exit_code

    def show(self, found: status.SystemStatus) -> None:
        for line in assurance_lines(found.assurance):
            self.stdout.write(line)
        self.stdout.write(f"Primary database  {found.primary_database}")
        self.stdout.write(
            f"Backup            {'available' if found.backup_available else 'not available: ' + found.message}"
        )
        self.stdout.write(f"Sync              {'enabled' if found.sync_enabled else 'off'}")
        for line in sync_lines(found.sync):
            self.stdout.write(line)
        self.stdout.write(f"Engine            {found.engine or '-'}")
        if found.last_backup is not None:
            self.stdout.write(
                f"Last good backup  {found.last_backup['backup_id']}, {moments.moment(found.last_backup)}"
            )
        if found.last_proven is not None:
            proven = found.last_proven["restore"]["choices"]["backup_id"]
            self.stdout.write(f"Restore tested    {proven}, {moments.moment(found.last_proven)}")
        if found.disk_free_bytes is not None:
            self.stdout.write(f"Backup disk       {formats.size(found.disk_free_bytes)} free")
        self.stdout.write(f"Local MongoDB     {_reach(found.local)}")
        if found.remote is not None:
            self.stdout.write(f"Atlas             {_reach(found.remote)}")


def assurance_lines(concluded: Assurance) -> Iterator[str]:
    """Yield the sentence and what to do, what else needs attention, the four marks, and what would be lost."""
    yield safe(concluded.sentence)
    if concluded.hint:
        yield safe(concluded.hint)
    for step in concluded.steps[1:]:
        yield safe(" ".join(filter(None, [step.message.english, step.hint.english if step.hint else ""])))
    for finding in concluded.attention:
        parts = [f"Needs attention: {finding.message.english}", finding.hint.english if finding.hint else ""]
        yield safe(" ".join(filter(None, parts)))
    for mark in concluded.marks:
        yield f"{mark.name.capitalize():<17} {'yes' if mark.ok else 'NO '}  {safe(mark.evidence.english)}"
    for message in concluded.loss.messages:
        yield f"If this computer died now: {safe(message.english)}"
    if concluded.restore_seconds is not None:
        yield wording.RESTORE_TOOK(duration=duration_message(concluded.restore_seconds)).english


def sync_lines(known: SyncOverview | None) -> list[str]:
    """Return when the sides were last brought together, what the last proof stated, and what waits for a decision."""
    if known is None or known.synced_at is None:
        return []
    lines = [f"Last sync         {timezone.localtime(known.synced_at):%d %b %Y %H:%M}"]
    if known.proof is not None:
        lines.append(f"Last proof        {progress_bars.proof_line(known.proof)}")
        lines += [
            f"                  {safe(one['collection'])} {safe(str(one['id']))}" for one in known.proof.differing
        ]
    lines += [f"Blocked           {safe(name)}: {reason}" for name, reason in known.blocked.items()]
    others = {name: reason for name, reason in known.left_over.items() if name not in known.blocked}
    return lines + [f"Left over         {safe(name)}: {reason}" for name, reason in others.items()]


def _reach(reach: Reach) -> str:
    problem = "" if reach.problem is None else reach.problem.detail
    if not reach.reachable:
        return problem or "cannot be reached"
    return f"reachable, {reach.latency_ms:.0f} ms, MongoDB {reach.version}{'. ' if problem else ''}{problem}"
