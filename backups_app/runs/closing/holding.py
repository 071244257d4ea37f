"""How many documents a backup alone may hold, because the run or the restore that it was made for took them away. Pure.

Activities are not held: they live as long as the backup that has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backups_app.catalog.run.restore_record import RestoreRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.records import PURGEABLE_WHEN_CONFIRMED, RunKind
from backups_app.runs.closing import outcome


def holds_alone(document: RunRecord) -> dict[str, int] | None:
    """Given a run's document, return the counts by collection: the bookings that the run deleted, or what the restore
    deleted or replaced. None where a count is not known: retention holds such a backup."""
    if document.kind == RunKind.RESTORE:
        return _taken_away_by_restore(document.restore)
    if not document.purge.recorded or outcome.resume_available(document):
        return None
    if not document.purge.allowed:
        return {}
    names = [name for name in document.purge.collections if name in PURGEABLE_WHEN_CONFIRMED]
    return _all_known({name: _deleted(document, name) for name in names})


def _deleted(document: RunRecord, name: str) -> int | None:
    """A side that was not finished may have deleted more than it lived to say."""
    purge = document.purge
    seen = [purge.collection(side, name) for side in purge.sides]
    counts = [entry.deleted for entry in seen if entry.done and entry.deleted is not None]
    return max(counts) if len(counts) == len(seen) else None


def _taken_away_by_restore(restored: RestoreRecord) -> dict[str, int] | None:
    if not restored.measured or restored.at_work or restored.unfinished:
        return None
    return _all_known({entry["name"]: _taken_away(entry) for entry in restored.collections})


def _taken_away(entry: Mapping[str, Any]) -> int | None:
    if "deleted" not in entry or "replaced" not in entry:
        return None
    return int(entry["deleted"]) + int(entry["replaced"])


def _all_known(counts: Mapping[str, int | None]) -> dict[str, int] | None:
    known = {name: count for name, count in counts.items() if count is not None}
    return known if len(known) == len(counts) else None
