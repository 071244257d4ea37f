"""The status as `GET /api/backup/status` and `backup_status --json` show it."""

from __future__ import annotations

from typing import Any

from backups_app import formats
from backups_app.catalog.run_record import RunRecord
from backups_app.use_cases.readiness import reach
from backups_app.use_cases.status import assurance_json
from backups_app.use_cases.status.status import SystemStatus
from backups_app.use_cases.syncs import SyncOverview


def public(told: SystemStatus) -> dict[str, Any]:
    """Return what `GET /api/backup/status` answers: the specification's four fields first, then ours."""
    return {
        "primary_database": told.primary_database,
        "backup_available": told.backup_available,
        "sync_enabled": told.sync_enabled,
        "message": told.message,
        "verdict": told.verdict.value,
        "sentence": told.sentence,
        "hint": told.hint,
        "assurance": assurance_json.public(told.assurance),
        "engine": told.engine,
        "problems": [refusal.as_json() for refusal in told.refusals],
        "last_backup": _short(told.last_backup),
        "last_proven_restorable": _proven(told.last_proven),
        "active_run": _short(told.active_run),
        "next_run": formats.plain(told.next_run_at),
        "backups_count": told.backups_count,
        "disk": {"total_bytes": told.disk_total_bytes, "free_bytes": told.disk_free_bytes},
        "local": reach.public(told.local),
        "remote": None if told.remote is None else reach.public(told.remote),
        "sync": None if told.sync is None else _synced(told.sync),
        "plain_http_allowed": told.plain_http,
        "checked_at": formats.utc_seconds(told.checked_at),
    }


def _short(run: RunRecord | None) -> dict[str, Any] | None:
    names = ("backup_id", "created_at", "created_by", "status", "sync_status", "phase", "finished_at")
    return None if run is None else formats.plain(run.stored_fields(*names))


def _proven(rehearsal: RunRecord | None) -> dict[str, Any] | None:
    """Return which backup was last proven restorable, when, and what was compared."""
    if rehearsal is None:
        return None
    step = rehearsal.step("rehearse")
    proven = {"backup_id": rehearsal.restore.choices["backup_id"], "at": rehearsal.finished_at}
    plain: dict[str, Any] = formats.plain(proven | {"sentence": step.sentence if step else ""})
    return plain


def _synced(known: SyncOverview) -> dict[str, Any]:
    """Return when the sides were last brought together, what the last proof said, and what waits for a decision."""
    plain: dict[str, Any] = formats.plain(
        {
            "synced_at": known.synced_at,
            "proof": known.proof,
            "blocked": dict(known.blocked),
            "left_over": dict(known.left_over),
        }
    )
    return plain
