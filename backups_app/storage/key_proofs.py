"""When a private key last opened a copy made to these recipients. A key is trusted only then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pyrage.x25519 import Identity

from backups_app.models import OpenedCopy
from backups_app.storage import copy_manifest
from backups_app.storage.copy_manifest import Contents, CopyManifest

KEPT = 100
"""So many rows stay: the newest of each set of recipients is asked for, and older ones are history."""


def record(*, recipients: Iterable[str], target: str, backup_id: str, by: str, now: datetime) -> None:
    """Note that a copy made to these recipients (`recipients_proven`) was opened. `by` is `test`, `fetch` or
    `rehearse`. A copy that is not encrypted proves nothing and is not noted."""
    joined = _joined(recipients)
    if not joined:
        return
    OpenedCopy.objects.create(recipients=joined, opened_at=now, target=target[:64], backup_id=backup_id, by=by)
    old = OpenedCopy.objects.filter(recipients=joined).values_list("pk", flat=True)[KEPT:]
    OpenedCopy.objects.filter(pk__in=list(old)).delete()


def recipients_proven(manifest: CopyManifest, contents: Contents, *, identities: Sequence[Identity]) -> tuple[str, ...]:
    """Return the recipients of a copy where one of them is the key that opened it. None of any other copy: what
    recipients it claims, anybody with access to the target may have written."""
    opened = copy_manifest.opened_by(manifest, identities=identities)
    return contents.recipients if set(opened) & set(contents.recipients) else ()


def opened_at(recipients: Iterable[str]) -> datetime | None:
    """Return when a copy made to exactly these recipients was last opened; None where none ever was."""
    row = OpenedCopy.objects.filter(recipients=_joined(recipients)).first()
    return None if row is None else row.opened_at


def _joined(recipients: Iterable[str]) -> str:
    return " ".join(sorted(set(recipients)))
