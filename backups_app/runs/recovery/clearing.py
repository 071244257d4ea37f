"""What earlier runs left is cleared away before a run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from pymongo.database import Database

from backups_app.backup_files.store import trash, unfinished_fetch
from backups_app.catalog import lease as stored_lease
from backups_app.catalog import purge_ledger, restored_ids
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.mongo import connections
from backups_app.records import CLOCK_TOLERANCE
from backups_app.runs import preparation
from backups_app.runs.recovery import conflict_expiry, kept_deletions


def clear_the_way(*, configuration: Configuration, database: Database[Any], spared: str) -> None:
    """Tidy up before a run, under its lease: open entries of a deletion that was given up, `.partial-*` of no live run,
    trash older than a day, entries of the purge ledger that were closed long ago, and old versions of a sync that two
    backups hold.

    What is decided by age rests while the clocks of this computer and of MongoDB differ. Raise
    `StoreOfAnotherDatabase`: what lies there is not ours to tidy up.
    """
    store = preparation.store(configuration)
    store.require_ours()
    kept_deletions.release_left_over(database)
    now = timezone.now()
    apart = timedelta(seconds=abs(connections.facts(database.client).clock_ahead_seconds))
    clocks_agree = apart <= CLOCK_TOLERANCE
    if clocks_agree:
        purge_ledger.expire(database, now=now, days=configuration.purge_ledger_days)
        restored_ids.expire(
            database, now=now, days=configuration.purge_ledger_days, still_open=runs.open_to_resume(database)
        )
    if store.store_id() is None or store.store_id() not in stored_lease.known_stores(database):
        return
    for backup_id in store.partials():
        document = runs.get(database, backup_id=backup_id)
        if backup_id == spared or unfinished_fetch.goes_on(store, backup_id, now=now):
            continue
        if document is None or not document.in_progress:
            store.discard_partial(backup_id, now=now)
    if clocks_agree:
        store.empty_trash(older_than=now - trash.KEPT)
        conflict_expiry.expire(database=database, store=store, now=now)
