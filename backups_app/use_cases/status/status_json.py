"""The status as `GET /api/backup/status` and `backup_status --json` show it."""

from __future__ import annotations

from typing import Any

from backups_app import formats
from backups_app.catalog.run.run_record import RunRecord
from backups_app.use_cases.readiness import reach
from backups_app.use_cases.status import assurance_json
from backups_app.use_cases.status.status import SystemStatus
from backups_app.use_cases.syncs.sync_overview import SyncOverview


def public(status: SystemStatus) -> dict[str, Any]:
    """Return what `GET /api/backup/status` answers: the specification's four fields first, then ours."""
    return {
        "primary_database": status.primary_database,
        "backup_available": status.backup_available,
        "sync_enabled": status.sync_enabled,
        "message": status.message,
        "verdict": status.verdict.value,
        "sentence": status.sentence,
        "hint": status.hint,
        "assurance": assurance_json.public(status.assurance),
        "engine": status.engine,
        "problems": [refusal.as_json() for refusal in status.refusals],
        "last_backup": _short(status.last_backup),
        "last_proven_restorable": _proven(status.last_proven),
        "active_run": _short(status.active_run),
        "next_run": formats.plain(status.next_run_at),
        "backups_count": status.backups_count,
        "backups_on_other_hosts": status.backups_on_other_hosts,
        "disk": {"total_bytes": status.disk_total_bytes, "free_bytes": status.disk_free_bytes},
        "local": reach.public(status.local),
        "remote": None if status.remote is None else reach.public(status.remote),
        "sync": None if status.sync is None else _synced(status.sync),
        "plain_http_allowed": status.plain_http,
        "checked_at": formats.utc_seconds(status.checked_at),
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
    """Return when the sides were last brought together, what the last proof stated, and what waits for a decision."""
    plain: dict[str, Any] = formats.plain(
        {
            "synced_at": known.synced_at,
            "proof": known.proof,
            "blocked": dict(known.blocked),
            "left_over": dict(known.left_over),
        }
    )
    return plain
