"""When a private key last opened a copy made to these recipients. A key is believed only then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backups_app.models import OpenedCopy

KEPT = 100
"""So many rows stay: the newest of each set of recipients is asked for, and older ones are history."""


def record(*, recipients: Iterable[str], target: str, backup_id: str, by: str, now: datetime) -> None:
    """Note that a copy made to these recipients was opened. `by` is `test`, `fetch` or `rehearse`. A copy that is not
    encrypted proves nothing and is not noted."""
    joined = _joined(recipients)
    if not joined:
        return
    OpenedCopy.objects.create(recipients=joined, opened_at=now, target=target[:64], backup_id=backup_id, by=by)
    old = OpenedCopy.objects.filter(recipients=joined).values_list("pk", flat=True)[KEPT:]
    OpenedCopy.objects.filter(pk__in=list(old)).delete()


def opened_at(recipients: Iterable[str]) -> datetime | None:
    """Return when a copy made to exactly these recipients was last opened; None where none ever was."""
    row = OpenedCopy.objects.filter(recipients=_joined(recipients)).first()
    return None if row is None else row.opened_at


def _joined(recipients: Iterable[str]) -> str:
    return " ".join(sorted(set(recipients)))
