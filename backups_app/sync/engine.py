"""Opens both sides and carries a sync out; `sync/__init__.py` shows the sequence.

Whatever happens, `sync_logs` has a document that says so.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.catalog.sync import sync_conflicts, sync_logs
from backups_app.catalog.sync.sync_record import SyncRecord
from backups_app.errors import DatabaseUnreachable, SyncFailed, SyncInterrupted, TempleOpsError
from backups_app.messages import sync as messages
from backups_app.mongo import command_counter, connections
from backups_app.progress import Progress
from backups_app.records import Side
from backups_app.sync import sides, sync_report
from backups_app.sync.edit_time import SyncClock
from backups_app.sync.options import SyncOptions
from backups_app.sync.session import SyncSession
from backups_app.sync.sync_report import SyncReport

__all__ = ["SyncReport", "synchronise"]

logger = logging.getLogger(__name__)


def synchronise(
    *,
    local: Database[Any],
    remote: Database[Any],
    run_id: str,
    options: SyncOptions,
    progress: Progress,
    now: datetime,
) -> SyncReport:
    """Bring both databases together. Return what was done.

    Raise `PairMismatch` or `SideRolledBack` before anything is written, `DatabaseUnreachable` when a side could not
    be reached and nothing had been carried over, `SyncInterrupted` when it broke off half-way, `SyncFailed`
    otherwise, and what progress raises. It is always safe to repeat.
    """
    started = time.monotonic()
    with connections.reachable(Side.LOCAL):
        log = sync_logs.begin(local, run_id=run_id, now=now)
        sync_conflicts.ensure_indexes(local)
    session = SyncSession(options=options, run_id=run_id, progress=progress, clock=SyncClock(now))
    try:
        with (
            command_counter.counted() as session.trips,
            sides.opened(side=Side.LOCAL, database=local) as here,
            sides.opened(side=Side.REMOTE, database=remote) as there,
        ):
            session.run(here, there)
    except BaseException as error:
        named = _named(error, session)
        failed = {"status": "failed", **_error(named, session)}
        _end(local, SyncRecord({**log, **session.as_log(), **failed}), started, now, failing=True)
        if named is error:
            raise
        raise named from error
    log = _end(local, SyncRecord({**log, **session.as_log(), "status": "success"}), started, now, failing=False)
    return SyncReport(
        log=log,
        unresolved={one.name: one.unresolved for one in session.all_counters if one.unresolved},
        blocked={one.name: one.blocked for one in session.all_counters if one.blocked},
        skipped={one.name: one.skipped for one in session.all_counters if one.skipped},
        left_over={one.name: one.left_over for one in session.all_counters if one.left_over},
        warnings=tuple(session.warnings()),
    )


def _end(local: Database[Any], log: SyncRecord, started: float, now: datetime, *, failing: bool) -> SyncRecord:
    seconds = time.monotonic() - started
    log.update({"seconds": round(seconds, 3), "finished_at": now + timedelta(seconds=seconds)})
    try:
        with connections.reachable(Side.LOCAL):
            sync_logs.end(local, log=log)
    except (PyMongoError, DatabaseUnreachable):
        if not failing:
            raise
        logger.exception("The log of a failed sync could not be written", extra={"sync": log.id})
    return log


def _named(error: BaseException, session: SyncSession) -> BaseException:
    """Return what a failure is called here."""
    counts = sync_report.totals(session.all_counters)
    deleted = counts["deleted_local"] + counts["deleted_remote"]
    half_way = bool(counts["pulled"] + counts["pushed"] + deleted)
    if isinstance(error, DatabaseUnreachable) and half_way:
        return SyncInterrupted(
            side=error.facts["side"], pulled=counts["pulled"], pushed=counts["pushed"], deleted=deleted
        )
    if isinstance(error, TempleOpsError) or not isinstance(error, Exception):
        return error
    logger.error("Sync failed", exc_info=error, extra={"run_id": session.run_id})
    return SyncFailed()


def _error(error: BaseException, session: SyncSession) -> dict[str, Any]:
    code = error.code if isinstance(error, TempleOpsError) else "interrupted"
    message = error.detail if isinstance(error, TempleOpsError) else messages.SYNC_WAS_INTERRUPTED()
    return {
        "error_code": code,
        "error_message": message,
        "half_way": any(one.written for one in session.all_counters),
    }
