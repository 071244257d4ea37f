"""Runs and backups as figures: how many, how old, how large, how long they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily

from backups_app.catalog.run.run_parts import StepRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.metrics.families import gauge, labelled
from backups_app.records import Status


def families(
    runs: Sequence[RunRecord], *, now: datetime, steps: Sequence[StepRecord] = ()
) -> Iterator[GaugeMetricFamily]:
    """Yield the figures of all runs and backups, given newest first, and of the steps of the last backup run."""
    counted = Counter((run.kind, run.status) for run in runs)
    yield labelled("runs", "Runs on record.", label=("kind", "status"), values=sorted(counted.items()))
    last = last_of_each_kind(runs)
    yield labelled(
        "last_run_timestamp_seconds", "When the last run of a kind ended.", label="kind",
        values=[(kind, _seconds(run.finished_at)) for kind, run in last.items()],
    )  # fmt: skip
    yield labelled(
        "last_run_duration_seconds", "How long the last run of a kind took.", label="kind",
        values=[(kind, _between(run.created_at, run.finished_at)) for kind, run in last.items()],
    )  # fmt: skip
    yield labelled(
        "last_step_duration_seconds", "How long each step of the last backup run took.", label="step",
        values=[(step.name, _between(step.started_at, step.finished_at)) for step in steps],
    )  # fmt: skip
    yield from _folder([run for run in runs if run.published], now=now)
    active = next((run for run in runs if run.status == Status.IN_PROGRESS), None)
    yield gauge(
        "active_run_age_seconds", "Since when a run is active.", _between(active.created_at, now) if active else None
    )


def _folder(backups: Sequence[RunRecord], *, now: datetime) -> Iterator[GaugeMetricFamily]:
    good = [run.created_at for run in backups if run.verified and not run.dated_in_future]
    yield gauge("backups_bytes", "Size of all backups in the folder.", sum(run.size_bytes or 0 for run in backups))
    yield gauge(
        "oldest_backup_timestamp_seconds", "When the oldest good backup began.", _seconds(min(good, default=None))
    )
    yield gauge("newest_backup_age_seconds", "Age of the newest good backup.", _between(max(good, default=None), now))
    damaged = sum(1 for run in backups if run.damaged)
    yield gauge("damaged_backups", "Backups in the folder that were found damaged.", damaged)


def last_of_each_kind(runs: Sequence[RunRecord]) -> dict[str, RunRecord]:
    """Return the newest run of each kind that has ended."""
    found: dict[str, RunRecord] = {}
    for run in runs:
        if run.finished_at is not None:
            found.setdefault(run.kind, run)
    return dict(sorted(found.items()))


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else max((end - begin).total_seconds(), 0.0)
