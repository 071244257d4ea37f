"""A sync by itself, outside a backup: under the same lease, on record in `sync_logs` and in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils import timezone
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app import configuration as settings
from backups_app.access import records, request_context
from backups_app.access.trail import audit
from backups_app.catalog.sync import sync_logs
from backups_app.configuration import Configuration
from backups_app.errors import RunInterrupted, SyncInterrupted, SyncIsOff, TempleOpsError
from backups_app.messages.message import as_sentence, together
from backups_app.mongo import connections
from backups_app.progress import Progress, Silent
from backups_app.records import Origin, Side
from backups_app.runs import lease, preparation
from backups_app.runs.closing import end_messages
from backups_app.runs.lease import Lease
from backups_app.sync import engine
from backups_app.sync.engine import SyncReport
from backups_app.sync.options import SyncOptions
from backups_app.use_cases import notices
from backups_app.use_cases.readiness import readiness

ADOPT_PHRASE = "ADOPT"
"""What a person types before two databases are paired again."""
DELETE_PHRASE = "DELETE"
"""What a person types before the deletions of a blocked collection are carried over."""


@dataclass(frozen=True, kw_only=True)
class SyncWish:
    """What a person asks of one sync, beyond the settings. `decided` decides about blocked collections: `delete`
    carries the deletions over, `keep` copies back what vanished."""

    dry_run: bool = False
    exact: bool = False
    adopt: bool = False
    only: frozenset[str] | None = None
    decided: Mapping[str, str] = field(default_factory=dict)


def sync_now(
    *,
    wish: SyncWish,
    requested_by: str,
    origin: Origin,
    now: datetime,
    listener: Progress | None = None,
) -> SyncReport:
    """Bring both databases together now, in this process. Return the report; its `log` is the `sync_logs` document.

    Raise `ModeNotLocal`, `SyncIsOff`, `DatabaseNotFound` and what else readiness refuses, `RunActive` while a run, a
    restore or another sync holds the lease, and what `engine.synchronise` raises.
    """
    configuration = settings.current()
    remote = require_possible(configuration)
    readiness.require_ready(configuration=configuration)
    local = preparation.local_database(configuration)
    run_id = f"sync_{now:%Y%m%d_%H%M%S}"
    with (
        request_context.carrying_out(run_id),
        connections.reachable(Side.LOCAL),
        lease.held(local, seconds=configuration.lease_seconds) as held,
    ):
        return _recorded(
            configuration,
            local,
            lambda: engine.synchronise(
                local=local,
                remote=remote,
                run_id=run_id,
                options=_options(configuration, wish),
                progress=_Checked(held, listener or Silent()),
                now=now,
            ),
            run_id=run_id,
            wish=wish,
            requested_by=requested_by,
            origin=origin,
            now=now,
        )


def require_possible(configuration: Configuration) -> Database[Any]:
    """Return the temple's database on Atlas. Raise `ModeNotLocal`, `SyncIsOff`."""
    readiness.require_local(configuration)
    remote = preparation.remote_database(configuration)
    if remote is None:
        raise SyncIsOff()
    return remote


def _options(configuration: Configuration, wish: SyncWish) -> SyncOptions:
    return replace(
        preparation.sync_options(configuration), dry_run=wish.dry_run, exact=wish.exact, adopt=wish.adopt,
        only=wish.only, decided=wish.decided,
    )  # fmt: skip


def _recorded(
    configuration: Configuration,
    local: Database[Any],
    work: Any,
    *,
    run_id: str,
    wish: SyncWish,
    requested_by: str,
    origin: Origin,
    now: datetime,
) -> SyncReport:
    """Do the work between two entries of the audit trail, whatever ends it, and report how it ended. A dry run is
    reported to nobody."""
    asked = _asked(wish)

    def record(result: str, details: Mapping[str, Any], at: datetime) -> None:
        audit.record(
            actor=requested_by, origin=origin, action="sync", target=run_id, result=result, now=at, details=details
        )

    def record_end(result: str, details: Mapping[str, Any]) -> None:
        at = timezone.now()
        records.with_patience(lambda: record(result, details, at))

    def report_end(error: TempleOpsError | None) -> None:
        if not wish.dry_run:
            notices.sync_ended(
                configuration=configuration, run_id=run_id, error=error, origin=origin, by=requested_by,
                now=timezone.now(),
            )  # fmt: skip

    record(audit.STARTED, asked, now)
    try:
        report: SyncReport = work()
    except TempleOpsError as error:
        record_end(error.code, asked)
        if not wish.dry_run:
            _report_how_far(local, run_id, error)
        report_end(error)
        raise
    except Exception:
        record_end(TempleOpsError.code, asked)
        report_end(TempleOpsError())
        raise
    except BaseException:  # a person pressed Ctrl-C, or the worker is stopped: no message
        record_end(RunInterrupted.code, asked)
        raise
    record_end("success", {**asked, "counts": report.counts, "left_over": dict(report.left_over)})
    report_end(None)
    return report


def _asked(wish: SyncWish) -> dict[str, Any]:
    return {
        "dry_run": wish.dry_run, "exact": wish.exact, "adopt": wish.adopt, "decided": dict(wish.decided),
        "only": sorted(wish.only) if wish.only is not None else None,
    }  # fmt: skip


def _report_how_far(local: Database[Any], run_id: str, error: TempleOpsError) -> None:
    """Let a failure also say what the sync had done before it, where its sentence does not."""
    if isinstance(error, SyncInterrupted):
        return
    try:
        log = sync_logs.of_run(local, run_id=run_id)
    except PyMongoError:
        return
    if log is not None and (wrote := log.writes):
        error.hint = together(as_sentence(error.hint), end_messages.half_way(wrote))


@dataclass(frozen=True)
class _Checked:
    """Progress of work that has no run document: hands on to a listener, and stops when the lease is lost."""

    held: Lease
    listener: Progress

    def expect(self, label: str, total: int) -> None:
        self.listener.expect(label, total)

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self.listener.advance(label, count, size_bytes)

    def note(self, sentence: str) -> None:
        self.listener.note(sentence)

    def checkpoint(self) -> None:
        self.held.checkpoint()
        self.listener.checkpoint()
