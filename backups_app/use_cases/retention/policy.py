"""The one policy of retention: a row of the Django database. Off until somebody turns it on."""

from __future__ import annotations

from datetime import datetime

from django.db import Error as DatabaseError

from backups_app.access import records
from backups_app.access.trail import audit
from backups_app.configuration import Configuration
from backups_app.models import RetentionPolicy
from backups_app.records import Origin
from backups_app.retention.policy import Policy
from backups_app.use_cases.readiness import readiness

ACTION = "retention.changed"


def current() -> Policy | None:
    """Return the policy in force, None while retention is off. Raise `RecordsUnavailable`."""
    row = _row()
    return _policy(row) if row is not None and row.enabled else None


def last_set() -> Policy | None:
    """Return the numbers that were set last, also while retention is off; None where nobody ever set any."""
    row = _row()
    return None if row is None else _policy(row)


def change(
    *, configuration: Configuration, policy: Policy | None, changed_by: str, origin: Origin, now: datetime
) -> None:
    """Put this policy in force, or with None turn retention off; the numbers stay for the next time. It removes
    nothing: the next good run does. Raise `ModeNotLocal`, `RecordsUnavailable`."""
    readiness.require_local(configuration)
    before = current()
    audit.record(
        actor=changed_by, origin=origin, action=ACTION, result="off" if policy is None else "on", now=now,
        details={"before": before and before.as_json(), "after": policy and policy.as_json()},
    )  # fmt: skip
    fields = {"enabled": False} if policy is None else {"enabled": True, **policy.as_json()}
    try:
        RetentionPolicy.objects.update_or_create(
            pk=RetentionPolicy.ONLY, defaults={**fields, "changed_at": now, "changed_by": changed_by[:150]}
        )
    except DatabaseError as error:
        raise records.failure(error) from error


def _row() -> RetentionPolicy | None:
    try:
        return RetentionPolicy.objects.filter(pk=RetentionPolicy.ONLY).first()
    except DatabaseError as error:
        raise records.failure(error) from error


def _policy(row: RetentionPolicy) -> Policy | None:
    """A row that was turned off before any number was set holds none."""
    numbers = {name: getattr(row, name) for name in ("last", "daily", "weekly", "monthly", "yearly")}
    return Policy(**numbers) if any(numbers.values()) else None
