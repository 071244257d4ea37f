"""The audit trail: who did what; and whether its past was changed."""

from __future__ import annotations

import dataclasses
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.access.trail import audit
from backups_app.access.trail.audit_chain import AuditVerdict
from backups_app.errors import VerificationFailed
from backups_app.management.base import TempleCommand
from backups_app.models import AuditEvent
from backups_app.use_cases import audit_check

WRONG_KEY = 14
HINT = "Rows after the newest backup are chained, but no backup confirms them yet."

OTHER_KEY = (
    "After a fire the old key is on the paper of backup_keys new, or in .env or .audit_key of the old computer: check "
    "once with it (AUDIT_KEY=OLD manage.py backup_audit --verify), and set it in .env for good if nothing was recorded "
    "here yet. If it is lost, these rows stay readable and unchecked; new rows are chained with the present key. "
    "Several hosts of one temple need the same key."
)


class Command(TempleCommand):
    help = "Show the audit trail, newest first; --verify compares it with every backup and run (exit 5: changed)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--verify", action="store_true", help="Compare the trail with the digests in the backups.")
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
            self.print_json({"good": verdict.good, **dataclasses.asdict(verdict)})
        else:
            self.stdout.write(" ".join(_sentences(verdict)))
        if verdict.changed:
            return VerificationFailed.exit_code
        return WRONG_KEY if verdict.other_key else 0


def _sentences(verdict: AuditVerdict) -> Iterator[str]:
    """What is changed, then what the present key cannot check, then what is good, then what no change is."""
    yield from _changes(verdict)
    if verdict.other_key:
        yield (
            f"NOT CHECKED: {verdict.other_key_rows} rows and {len(verdict.other_key_backups)} backups have another key "
            f"than AUDIT_KEY (or .audit_key) now: it is not known whether they were changed. {OTHER_KEY}"
        )
    if verdict.good:
        yield f"Good: {verdict.rows} rows, {verdict.covered} of them confirmed by a backup."
        if verdict.rows > verdict.covered:
            yield HINT
    if verdict.unkeyed:
        yield f"The first {verdict.unkeyed} rows are from before the key."
    if verdict.began_later:
        yield f"This trail began later than {len(verdict.began_later)} backups that were fetched from elsewhere."


def _changes(verdict: AuditVerdict) -> Iterator[str]:
    if verdict.first_disagreeing is not None:
        yield (
            f"CHANGED: backup {verdict.first_disagreeing} has another digest of the trail. Audit rows written before "
            "it were edited, deleted, inserted or moved."
        )
    elif verdict.broken_at is not None:
        yield f"CHANGED: row {verdict.broken_at} does not follow from the rows before it."
    if verdict.unknown_runs:
        yield f"CHANGED: the trail has no row of the deletion by run {', '.join(verdict.unknown_runs)}."


def _line(row: AuditEvent) -> str:
    at = timezone.localtime(row.at).strftime("%d %b %Y, %H:%M:%S %Z")
    facts = " ".join(part for part in (row.actor, row.action, row.target, row.result) if part)
    return f"{row.n:>6}  {at}  {row.origin:<8} {row.address or '-':<15}  {facts}"
