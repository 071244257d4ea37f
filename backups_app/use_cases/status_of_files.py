"""Which runs and backups count as evidence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backups_app.records import RunDocument, is_ahead


def dated(runs: Sequence[RunDocument], *, now: datetime) -> list[RunDocument]:
    """Return the runs whose time can be trusted: those that are not dated in the future."""
    return [run for run in runs if not is_ahead(run["created_at"], now=now)]


def newest_good(dated_runs: Sequence[RunDocument], *, database: str) -> RunDocument | None:
    """Return the newest verified backup of this database that is here; None without one."""
    good = (run for run in dated_runs if run["published"] and run["verified"])
    return next((run for run in good if (run.get("database") or database) == database), None)
