"""Backups as retention sees them, for tests: plain ones, and whole histories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from backups_app.retention.decision import RetentionDecision, decide
from backups_app.retention.facts import Backup
from backups_app.retention.policy import Policy

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
KOLKATA: tzinfo = ZoneInfo("Asia/Kolkata")
ONE = Policy(last=1)


def a_backup(*, days: float = 0.0, at: datetime | None = None, **facts: Any) -> Backup:
    """A verified full backup that a person asked for, `days` before NOW."""
    taken_at = at or NOW - timedelta(days=days)
    backup_id = facts.pop("backup_id", f"{taken_at:%Y%m%d_%H%M%S}")
    return Backup(backup_id=backup_id, taken_at=taken_at, arrived_at=facts.pop("arrived_at", taken_at), **facts)


def decided(*backups: Backup, policy: Policy = ONE, min_keep: int = 1, **options: Any) -> RetentionDecision:
    return decide(backups=backups, policy=policy, min_keep=min_keep, now=NOW, zone=KOLKATA, **options)


def reasons(decision: RetentionDecision, backup: Backup) -> tuple[str, ...]:
    """The reasons that keep a backup; none where it is removed."""
    return next((one.reasons for one in decision.kept if one.backup == backup), ())


def removed_ids(decision: RetentionDecision) -> set[str]:
    return {one.backup.backup_id for one in decision.removed}
