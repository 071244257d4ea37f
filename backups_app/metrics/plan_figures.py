"""What goes on beside runs, as figures: schedules and their workers, messages, replaced versions of sync."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily

from backups_app.configuration import Configuration
from backups_app.metrics.families import gauge, labelled
from backups_app.use_cases.notifications import notifications
from backups_app.use_cases.schedules import claims, overview
from backups_app.use_cases.syncs import conflicts


def families(*, configuration: Configuration, now: datetime) -> Iterator[GaugeMetricFamily]:
    """Yield the figures of what is planned, sent and kept. In cloud mode there is none."""
    if not configuration.is_local:
        return
    late = {name: lag.total_seconds() for name, lag in overview.lags(now=now).items()}
    yield labelled(
        "schedule_lag_seconds", "How late the next decision of a schedule is.", label="schedule", values=late.items()
    )
    looked = {host: at.timestamp() for host, at in claims.ticks().items()}
    yield labelled(
        "worker_tick_timestamp_seconds", "When a host's worker last looked at schedules.", label="host",
        values=looked.items(),
    )  # fmt: skip
    by_state, oldest = notifications.outbox_by_state()
    yield labelled("outbox_messages", "Messages in the outbox.", label="state", values=by_state.items())
    age = None if oldest is None else (now - oldest).total_seconds()
    yield gauge("outbox_oldest_age_seconds", "Since when the oldest undelivered message waits.", age)
    kept = conflicts.count(configuration=configuration)
    if kept is not None:
        yield gauge("sync_conflicts", "Edits on both sides whose older version sync keeps.", kept.get("conflict", 0))
        yield gauge("replaced_versions", "Versions that sync replaced or deleted and keeps.", sum(kept.values()))
