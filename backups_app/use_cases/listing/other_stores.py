"""Backups in the folders of other hosts: what the worker that has such a folder found in it a moment ago.

Nobody decides about a folder that they do not have. The worker of each store writes once a minute which of its backups
are verified; on other hosts a backup counts as long as that report is younger than ten minutes.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.models import StoreReport
from backups_app.records import recent

TRUSTED_FOR = timedelta(minutes=10)
KEPT = timedelta(days=90)


def report(*, store_id: str, runs: Iterable[RunRecord], now: datetime) -> None:
    """Write which backups of this host's store are here and verified, and forget stores that were silent for long."""
    good = sorted(run.id for run in runs if run.published and run.verified)
    fields = {"host": socket.gethostname()[:255], "at": now, "good_backups": good}
    StoreReport.objects.update_or_create(store=store_id, defaults=fields)
    StoreReport.objects.filter(at__lt=now - KEPT).delete()


def with_confirmations(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Return the runs; those whose backup another host's worker confirmed a moment ago are marked as verified."""
    if not any(run.files == Files.ELSEWHERE for run in runs):
        return list(runs)
    fresh = StoreReport.objects.filter(**recent(within=TRUSTED_FOR, now=timezone.now()))
    good = {(row.store, backup_id) for row in fresh for backup_id in row.good_backups}
    return [run | {"verified": True} if _is_confirmed(run, good) else run for run in runs]


def _is_confirmed(run: RunRecord, good: set[tuple[str, str]]) -> bool:
    return run.files == Files.ELSEWHERE and (run.store_id, run.id) in good
