"""The act itself: a backup that no guard keeps goes into the trash. Pruning and removal by name both end here."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.access.trail import audit
from backups_app.backup_files import bases, layout, locks, metadata
from backups_app.backup_files.store import removals, trash
from backups_app.backup_files.store.removals import Removal
from backups_app.backup_files.store.store import Store
from backups_app.backup_files.store.trash import Thrown
from backups_app.catalog import lease as stored_lease
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupPinned,
    ClocksApart,
    DatabaseUnreachable,
    DiskFull,
    RecordsUnavailable,
    StoreMissing,
    TempleOpsError,
    needed_by,
)
from backups_app.mongo import connections
from backups_app.records import CLOCK_TOLERANCE, Side
from backups_app.retention.facts import Backup
from backups_app.runs import lease, preparation
from backups_app.runs.lease import Lease
from backups_app.use_cases.retention.facts import Facts

logger = logging.getLogger(__name__)

ACTION = "backup.removed"
TRASHED = "trashed"
LEASE_WAIT_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class RemovalRequest:
    """Who wants it, from where, and when."""

    by: str
    origin: str
    now: datetime

    def put_on_record(self, action: str, backup_id: str, result: str, details: dict[str, Any]) -> None:
        """Write a row of the audit trail. Raise `RecordsUnavailable`."""
        audit.record(
            actor=self.by, origin=self.origin, action=action, target=backup_id, result=result, now=self.now,
            details=details,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RemovalWork:
    """The right to remove: the lease is ours, the store is the known one, the clocks agree, and no run waits."""

    configuration: Configuration
    database: Database[Any]
    store: Store
    held: Lease

    def renew(self) -> bool:
        """Hold the lease for longer. Return False when it is no longer ours."""
        self.held.renew()
        return not self.held.lost

    def require_complete(self, found: Facts) -> None:
        """Raise `DatabaseUnreachable` where the records could not be read: an unknown fact removes nothing."""
        if not found.complete:
            raise DatabaseUnreachable(side=Side.LOCAL.value)

    def take_out(self, backup: Backup, *, asked: RemovalRequest, how: str, reasons: tuple[str, ...]) -> Thrown:
        """Move a backup that no guard keeps into the trash. Raise `BackupInUse`, `BackupPinned`,
        `BackupNeeded`, `RunActive`:

        1. its lock, exclusively, so that nobody begins to read it; its status fields once more, so that a pin of this
           moment counts; the folders once more, so that no incremental loses its base; the lease once more;
        2. the row of the audit trail, then the line in `removed.json`: what is killed after them has stated why. On a
           full disk the row is enough: nobody could make room otherwise;
        3. the rename, then the record, which need not succeed: `removed.json` says the same.
        """
        backup_id = backup.backup_id
        status = f"{layout.published_name(backup_id)}.status"
        with locks.removing(self.store.root, backup_id), locks.held(self.store.root, status):
            written = metadata.read(self.store.folder(backup_id)) if backup.verified else {}
            if written and RunRecord(written).pinned:
                raise BackupPinned()
            if backup.is_full:
                self._require_not_needed(backup_id)
            if not self.renew():
                raise runs.another_run(self.database)
            asked.put_on_record(ACTION, backup_id, audit.STARTED, {"how": how, "reasons": list(reasons)})
            with suppress(DiskFull):
                removals.note(self.store.root, _removal(backup, written or {}, asked=asked, how=how, reasons=reasons))
            folder = self.store.trash(backup_id, now=asked.now)
        self._report(backup_id, asked=asked, how=how, reasons=reasons)
        at = trash.thrown_at(folder.name)
        assert at is not None, "its name was made a moment ago"
        return Thrown(backup_id=backup_id, name=folder.name, at=at)

    def _require_not_needed(self, backup_id: str) -> None:
        """Raise `BackupNeeded` where a folder here names it as its base, also one that is being made."""
        store = self.store
        folders = [store.root / layout.published_name(one) for one in store.backups().ids]
        folders += [store.partial(one) for one in store.partials()]
        if dependants := bases.needed_by(folders).get(backup_id):
            prefixes = (layout.PUBLISHED_PREFIX, layout.PARTIAL_PREFIX)
            raise needed_by([one.removeprefix(prefix) for one in dependants for prefix in prefixes if prefix in one])

    def _report(self, backup_id: str, *, asked: RemovalRequest, how: str, reasons: tuple[str, ...]) -> None:
        removed = {"at": asked.now, "by": asked.by, "how": how, "reasons": list(reasons)}
        try:
            runs.amend(self.database, backup_id=backup_id, changes={"removed": removed})
        except PyMongoError as error:
            logger.warning("The record does not say it", extra={"reason": type(error).__name__})
        with suppress(RecordsUnavailable):
            asked.put_on_record(ACTION, backup_id, TRASHED, {"how": how, "reasons": list(reasons)})


def _removal(
    backup: Backup, written: dict[str, Any], *, asked: RemovalRequest, how: str, reasons: tuple[str, ...]
) -> Removal:
    return Removal(
        backup_id=backup.backup_id,
        at=asked.now,
        by=asked.by,
        how=how,
        reasons=reasons,
        taken_at=backup.taken_at,
        documents=written.get("documents"),
        bytes=written.get("bytes"),
    )


@contextmanager
def at_work(configuration: Configuration) -> Iterator[RemovalWork]:
    """Hold the lease for the block, where something may be removed at all.

    Raise `StoreMissing`, `StoreOfAnotherDatabase`, `ClocksApart`, `RunActive`, `DatabaseUnreachable`.
    """
    store, database = preparation.store(configuration), preparation.local_database(configuration)
    seconds = configuration.lease_seconds
    with (
        connections.reachable(Side.LOCAL),
        lease.held(database, seconds=seconds, wait_seconds=LEASE_WAIT_SECONDS) as held,
    ):
        if runs.active(database) is not None:
            raise runs.another_run(database)
        require_known_store(store, database)
        require_clocks_agree(database)
        yield RemovalWork(configuration=configuration, database=database, store=store, held=held)


def require_known_store(store: Store, database: Database[Any]) -> None:
    """Raise `StoreMissing`, `StoreOfAnotherDatabase` where this is not the store that the records speak of."""
    store.require_ours()
    store_id = store.store_id()
    if store_id is None or store_id not in stored_lease.known_stores(database):
        raise StoreMissing()


def require_clocks_agree(database: Database[Any]) -> None:
    """Raise `ClocksApart` where this computer's clock and MongoDB's differ by more than ten minutes."""
    if abs(connections.facts(database.client).clock_ahead_seconds) > CLOCK_TOLERANCE.total_seconds():
        raise ClocksApart()


def amend_record(configuration: Configuration, backup_id: str, changes: dict[str, Any]) -> bool:
    """Write status fields into the record too. Return whether it was done: the folder is the truth, and a server that
    is down does not hold back what only keeps a backup."""
    try:
        with connections.reachable(Side.LOCAL):
            database = preparation.answering_database(configuration)
            runs.amend(database, backup_id=backup_id, changes=changes)
    except (PyMongoError, TempleOpsError) as error:
        logger.warning("The record does not say it", extra={"backup_id": backup_id, "reason": type(error).__name__})
        return False
    return True
