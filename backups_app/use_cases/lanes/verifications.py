"""Verifying a backup that somebody asked for. The verdict stands in the audit trail and in the backup's record."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.records import Origin
from backups_app.use_cases import verification
from backups_app.use_cases.lanes.kind import Call, JobKind


def _make(call: Call) -> dict[str, Any]:
    return verification.verify_backup(
        configuration=configuration.current(),
        backup_id=str(call.arguments["backup_id"]),
        requested_by=call.by,
        origin=Origin(call.origin),
        now=timezone.now(),
        progress=call.progress,
        again=call.again,
    )


KIND: JobKind[dict[str, Any]] = JobKind(
    name="verification",
    make=_make,
    keep=dict,
    recall=lambda _, kept: dict(kept),
    to_the_end=True,
)
