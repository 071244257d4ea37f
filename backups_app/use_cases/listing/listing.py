"""What is there to see: runs and backups merged into one list, one run, live counts of what a purge would delete."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.errors import PyMongoError

from backups_app import formats
from backups_app.backup_files import layout
from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog import runs
from backups_app.catalog.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import AllDatedInFuture, BackupNotFound, TempleOpsError
from backups_app.messages import stored
from backups_app.mongo import availability
from backups_app.mongo.collections import collection_of
from backups_app.records import PURGEABLE, Side
from backups_app.runs import description, preparation
from backups_app.runs.description import get_run as get_run

logger = logging.getLogger(__name__)

COUNT_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class LiveCounts:
    """How many documents of each purgeable collection each side holds now; None where the side does not answer."""

    local: Mapping[str, int] | None
    remote: Mapping[str, int] | None
    sync_enabled: bool


def list_runs(*, configuration: Configuration, every: bool = False, limit: int = 0) -> list[RunRecord]:
    """Return the published backups, newest first; with `every`, all runs. The list comes from the folders.

    Where `backup_metadata` is lost or the server down, the folders' own `metadata.json` speaks. A folder that somebody
    else's mongodump wrote is listed as unverified.
    """
    store = preparation.store(configuration)
    records, ids, store_id = _records(configuration), store.backups().ids, store.store_id()
    published = {backup_id: description.merged(store, backup_id, records.pop(backup_id, None)) for backup_id in ids}
    unpublished = [description.unpublished(document, store_id) for document in records.values()] if every else []
    merged = newest_first([*published.values(), *unpublished])
    return merged[:limit] if limit else merged


def active_run(*, configuration: Configuration) -> RunRecord | None:
    """Return the run in progress, or None; None too where the server does not answer."""
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=description.LOOK_SECONDS):
            document = runs.active(preparation.local_database(configuration))
    except (PyMongoError, TempleOpsError):
        return None
    return None if document is None else description.described(document, files=Files.NONE)


def counts(*, configuration: Configuration) -> LiveCounts:
    """Count the purgeable collections on both sides now, both at the same time, each in at most two seconds."""
    sides = [Side.LOCAL, Side.REMOTE] if configuration.sync_enabled else [Side.LOCAL]
    with ThreadPoolExecutor(len(sides), thread_name_prefix="counts") as pool:
        found = dict(zip(sides, pool.map(lambda side: _counted(side, configuration), sides), strict=True))
    return LiveCounts(local=found[Side.LOCAL], remote=found.get(Side.REMOTE), sync_enabled=configuration.sync_enabled)


def _counted(side: Side, configuration: Configuration) -> dict[str, int] | None:
    try:
        database = preparation.side(configuration, side)
        with availability.asking(side, configuration=configuration, seconds=COUNT_SECONDS, fresh=True):
            return {name: collection_of(database, name).count_documents({}) for name in PURGEABLE}
    except (PyMongoError, TempleOpsError):
        return None


def _records(configuration: Configuration) -> dict[str, RunRecord]:
    """Return the records by id; none when the server does not answer."""
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=description.LOOK_SECONDS):
            return {document.id: document for document in runs.recent(preparation.local_database(configuration))}
    except (PyMongoError, TempleOpsError) as error:
        logger.warning("Listing from the folders alone", extra={"reason": type(error).__name__})
        return {}


def newest_first(documents: Iterable[RunRecord]) -> list[RunRecord]:
    """Return runs in the order of every list."""
    return sorted(documents, key=_age, reverse=True)


def _age(document: RunRecord) -> tuple[datetime, str]:
    """Order comes from the record, never from the name."""
    return document.created_at, document.id


def public(document: RunRecord) -> dict[str, Any]:
    """Return a run as `--json` and the API show it: plain JSON, without what only the machinery needs."""
    hidden = {"_id", "owner", "fence", "heartbeat_at", "idempotency_key", "child", "starter"}
    shown = stored.with_details({key: value for key, value in document.items() if key not in hidden})
    plain: dict[str, Any] = formats.plain(shown)
    return plain


def resolve(configuration: Configuration, wanted: str, *, with_backup: bool = False) -> str:
    """Return the id that a person means: an id, or `latest`, which is none that is dated in the future.
    `with_backup` passes over runs that made none: a rehearsal, a test copy, one that failed.

    Raise `BackupNotFound`, `InvalidBackupId`.
    """
    if wanted != "latest":
        return layout.check_id(wanted)
    every = list_runs(configuration=configuration, every=True)
    every = [run for run in every if not with_backup or whereabouts.made_a_backup(run)]
    newest = next((run for run in every if not run.dated_in_future), None)
    if newest is None:
        raise AllDatedInFuture() if every else BackupNotFound()
    return str(newest.backup_id)
