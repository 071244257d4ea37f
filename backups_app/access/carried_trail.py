"""The audit trail on its way to another machine: its rows as plain JSON, and back into an empty trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction

from backups_app.errors import RecordsUnavailable
from backups_app.models import AuditEvent

FIELDS = (
    "n", "at", "actor", "role_id", "session", "origin", "address", "action", "target", "result", "request_id",
    "details", "chain", "key_id",
)  # fmt: skip
_BATCH = 2_000


def rows() -> Iterator[dict[str, Any]]:
    """Yield every row, oldest first, as plain JSON: the chain needs each of them. Raise `RecordsUnavailable`."""
    try:
        for event in AuditEvent.objects.order_by("n").values(*FIELDS).iterator(chunk_size=_BATCH):
            yield {**event, "at": event["at"].isoformat()}
    except DatabaseError as error:
        raise RecordsUnavailable() from error


def is_empty() -> bool:
    """Return whether there is no row yet. Raise `RecordsUnavailable`."""
    try:
        return not AuditEvent.objects.exists()
    except DatabaseError as error:
        raise RecordsUnavailable() from error


def go_on_from(carried: Sequence[Mapping[str, Any]]) -> int:
    """Put carried rows into an empty trail, as they were: what is recorded next is chained to them. Return how many
    there are; 0 where the trail here has rows of its own, which stays as it is.

    Whether they agree with one another and with the backups is for `backup_audit --verify` to say. Raise ValueError for
    what is no row, `RecordsUnavailable`.
    """
    try:
        events = [AuditEvent(**_fields(row)) for row in carried]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not rows of an audit trail") from error
    try:
        with transaction.atomic():
            if AuditEvent.objects.exists():
                return 0
            AuditEvent.objects.bulk_create(events, batch_size=_BATCH)
    except DatabaseError as error:
        raise RecordsUnavailable() from error
    return len(events)


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in FIELDS} | {"at": datetime.fromisoformat(row["at"])}
