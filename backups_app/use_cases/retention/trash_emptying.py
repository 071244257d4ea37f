"""The worker's housekeeping of the trash: what lay there for a day is unlinked, and earlier where the disk is full."""

from __future__ import annotations

import logging
from datetime import datetime

from pymongo.errors import PyMongoError

from backups_app.backup_files import locks
from backups_app.backup_files.store import removals, trash
from backups_app.backup_files.store.store import Store
from backups_app.backup_files.store.trash import Thrown
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import connections
from backups_app.records import Origin, Side
from backups_app.runs import preparation
from backups_app.use_cases import notices
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.retention import taking_out
from backups_app.use_cases.retention.taking_out import RemovalRequest

logger = logging.getLogger(__name__)

ACTOR, UNLINKED = "worker", "unlinked"


def housekeep(*, configuration: Configuration, now: datetime) -> tuple[str, ...]:
    """Unlink what was thrown away more than a day ago, in our own store and while the clocks agree. Return the names.
    A server that does not answer is no reason to fail: the trash waits."""
    store = preparation.store(configuration)
    try:
        if not (configuration.is_local and configuration.local_url) or not trash.names(store.root):
            return ()
        with connections.reachable(Side.LOCAL):
            database = preparation.answering_database(configuration)
            taking_out.require_known_store(store, database)
            taking_out.require_clocks_agree(database)
        emptied = store.empty_trash(older_than=now - trash.KEPT)
    except (TempleOpsError, PyMongoError) as error:
        logger.warning("The trash was not emptied", extra={"reason": type(error).__name__})
        return ()
    make_room(configuration=configuration, now=now)
    return emptied


def make_room(
    *, configuration: Configuration, now: datetime, incremental_at: datetime | None = None
) -> tuple[str, ...]:
    """Where the next run would lack space, unlink what retention removed before its day is over, oldest first, until
    there is enough. The next run is a full one, or the incremental that begins at `incremental_at`.

    What a person removed stays its day, and so does what `removed.json` says nothing of. Each is put on record and
    reported. Return the ids.
    """
    store = preparation.store(configuration)
    try:
        if not (configuration.is_local and configuration.local_url) or not _of_retention(store):
            return ()
        with connections.reachable(Side.LOCAL):
            database = preparation.answering_database(configuration)
            taking_out.require_known_store(store, database)
            taking_out.require_clocks_agree(database)
            data_bytes = int(database.command("dbStats")["dataSize"])
        needed = readiness.needed_bytes(configuration, data_bytes=data_bytes, incremental_at=incremental_at)
        gone = _unlink_until(store, free_bytes=needed, now=now)
    except (TempleOpsError, PyMongoError) as error:
        logger.warning("The trash was not emptied", extra={"reason": type(error).__name__})
        return ()
    notices.emptied_early(configuration=configuration, backups=gone, now=now)
    return gone


def _of_retention(store: Store) -> list[Thrown]:
    """Return what the rules removed and is in the trash, oldest first, incrementals before the bases that go too."""
    removed = removals.all_of(store.root)
    by_rules = {
        one.name: one
        for one in trash.thrown(store.root)
        if one.backup_id in removed and removed[one.backup_id].how == removals.RETENTION
    }
    return [by_rules[name] for name in trash.not_needed(store.root, list(by_rules))]


def _unlink_until(store: Store, *, free_bytes: int, now: datetime) -> tuple[str, ...]:
    """Unlink nothing where all of it together would not make room enough."""
    gone: list[str] = []
    with locks.held(store.root, locks.TRASH):
        there = _of_retention(store)
        if store.usage().free_bytes + sum(trash.size_bytes(store.root, one) for one in there) < free_bytes:
            return ()
        for one in there:
            if store.usage().free_bytes >= free_bytes:
                break
            asked = RemovalRequest(by=ACTOR, origin=Origin.SCHEDULE, now=now)
            asked.put_on_record(taking_out.ACTION, one.backup_id, UNLINKED, {"reason": "disk_full"})
            trash.remove(store.root, one.name)
            gone.append(one.backup_id)
    return tuple(gone)
