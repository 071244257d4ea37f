"""The audit trail on its way to another machine: its rows as plain JSON, and back into an empty trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db import Error as DatabaseError

from backups_app.access import records
from backups_app.models import AuditEvent

FIELDS = (
    "n", "at", "actor", "role_id", "session", "origin", "address", "action", "target", "result", "request_id",
    "details", "chain", "key_id",
)  # fmt: skip
TEXTS = tuple(name for name in FIELDS if name not in ("n", "at", "role_id", "details"))
_BATCH = 2_000
_LARGEST_NUMBER = 2**53
_YEARS = range(1970, 9999)


def rows() -> Iterator[dict[str, Any]]:
    """Yield every row, oldest first, as plain JSON: the chain needs each of them. Raise `RecordsUnavailable`."""
    try:
        for event in AuditEvent.objects.order_by("n").values(*FIELDS).iterator(chunk_size=_BATCH):
            yield {**event, "at": event["at"].isoformat()}
    except DatabaseError as error:
        raise records.failure(error) from error


def is_empty() -> bool:
    """Return whether there is no row yet. Raise `RecordsUnavailable`."""
    try:
        return not AuditEvent.objects.exists()
    except DatabaseError as error:
        raise records.failure(error) from error


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
    except (IntegrityError, DataError, OverflowError) as error:
        raise ValueError("not rows of an audit trail") from error
    except DatabaseError as error:
        raise records.failure(error) from error
    return len(events)


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's values. Raise ValueError for what no page could show and nothing could follow: somebody else may
    have written it."""
    at, texts = datetime.fromisoformat(row["at"]), [row[name] for name in TEXTS]
    sound = isinstance(row["details"], dict) and all(isinstance(one, str) for one in texts)
    if (
        not sound
        or type(row["n"]) is not int
        or row["n"] > _LARGEST_NUMBER
        or at.tzinfo is None
        or at.year not in _YEARS
    ):
        raise ValueError("no row of an audit trail")
    return {name: row[name] for name in FIELDS} | {"at": at}
