"""The audit trail: who did what; and whether its past was changed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.access import audit
from backups_app.access.audit import AuditVerdict
from backups_app.errors import VerificationFailed
from backups_app.management.base import TempleCommand
from backups_app.models import AuditEvent
from backups_app.workflow import audit_check

HINT = "Rows after the newest backup are chained, but no backup vouches for them yet."


class Command(TempleCommand):
    help = "Show the audit trail, newest first; --verify compares it with every published backup (exit 5: changed)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--verify", action="store_true", help="Compare the trail with what the backups remember.")
        parser.add_argument("--limit", type=int, default=50, help="How many rows to show (50).")

    def execute_command(self, **options: Any) -> int:
        return self.verify() if options["verify"] else self.show(limit=max(1, options["limit"]))

    def show(self, *, limit: int) -> int:
        rows = audit.newest(limit=limit)
        if self.options["json"]:
            self.print_json([audit.public(row) for row in rows])
            return 0
        for row in rows:
            self.stdout.write(_line(row))
        return 0

    def verify(self) -> int:
        verdict = audit_check.verify(configuration=configuration.current())
        if self.options["json"]:
            self.print_json({
                "good": verdict.good, "rows": verdict.rows, "covered": verdict.covered,
                "broken_at": verdict.broken_at, "first_disagreeing": verdict.first_disagreeing,
            })  # fmt: skip
        else:
            self.stdout.write(_sentence(verdict))
        return 0 if verdict.good else VerificationFailed.exit_code


def _sentence(verdict: AuditVerdict) -> str:
    if verdict.first_disagreeing is not None:
        return (
            f"CHANGED: backup {verdict.first_disagreeing} remembers another past. Audit rows written before it were "
            "edited, deleted, inserted or moved."
        )
    if verdict.broken_at is not None:
        return f"CHANGED: row {verdict.broken_at} does not follow from the rows before it."
    return f"Good: {verdict.rows} rows, {verdict.covered} of them vouched for by a backup. {HINT}"


def _line(row: AuditEvent) -> str:
    at = timezone.localtime(row.at).strftime("%d %b %Y, %H:%M:%S %Z")
    facts = " ".join(part for part in (row.actor, row.action, row.target, row.result) if part)
    return f"{row.n:>6}  {at}  {row.origin:<8} {row.address or '-':<15}  {facts}"
