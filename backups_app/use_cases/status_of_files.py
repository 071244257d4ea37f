"""Which runs and backups count as evidence. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.records import is_ahead


def dated(runs: Sequence[RunRecord], *, now: datetime) -> list[RunRecord]:
    """Return the runs whose time can be trusted: those that are not dated in the future."""
    return [run for run in runs if not is_ahead(run.created_at, now=now)]


def newest_good(dated_runs: Sequence[RunRecord], *, database: str) -> RunRecord | None:
    """Return the newest verified backup of this database that is here, or that the host which has it found good a
    moment ago; None without one."""
    return next(good(dated_runs, database=database), None)


def good(dated_runs: Sequence[RunRecord], *, database: str) -> Iterator[RunRecord]:
    """Yield those that `newest_good` may be, in their order."""
    for run in dated_runs:
        if run.verified and (run.published or run.files == Files.ELSEWHERE) and (run.database or database) == database:
            yield run
