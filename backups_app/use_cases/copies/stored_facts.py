"""What retention knows of a backup, as its copy's row holds it: it must still be known when the backup is gone here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backups_app import formats
from backups_app.models import BackupCopy
from backups_app.retention.facts import Backup, Maker

FLAGS = ("success", "chained", "pinned", "released", "accepted")


def as_stored(backup: Backup) -> dict[str, Any]:
    """Return the facts of a backup as plain JSON values."""
    return {
        "taken_at": formats.utc_seconds(backup.taken_at),
        "arrived_at": formats.utc_seconds(backup.arrived_at),
        "maker": backup.maker.value,
        "base": backup.base,
        "holds": dict(backup.holds) if backup.holds is not None else None,
        "documents": dict(backup.documents),
        "limited": sorted(backup.limited),
        **{name: getattr(backup, name) for name in FLAGS},
    }


def _flags(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: bool(stored[name]) for name in FLAGS}


def of_row(row: BackupCopy) -> Backup | None:
    """Return the facts of a copy's backup; None where they are not known: such a copy is kept."""
    stored: Mapping[str, Any] = row.backup
    try:
        return Backup(
            backup_id=row.backup_id,
            taken_at=datetime.fromisoformat(stored["taken_at"]),
            arrived_at=datetime.fromisoformat(stored["arrived_at"]),
            maker=Maker(stored["maker"]),
            base=stored["base"],
            holds=stored["holds"],
            documents=stored["documents"],
            limited=frozenset(stored["limited"]),
            **_flags(stored),
        )
    except (KeyError, ValueError, TypeError):
        return None
