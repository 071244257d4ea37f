"""A sync by itself, outside a backup: under the same lease, on record in `sync_logs` and in the audit trail."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from django.utils import timezone
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app import configuration as settings
from backups_app.access import audit
from backups_app.catalog import lease, runs, sync_logs, sync_state
from backups_app.configuration import Configuration
from backups_app.errors import OwnershipLost, SyncInterrupted, SyncIsOff, TempleOpsError
from backups_app.messages.message import as_sentence, together
from backups_app.mongo import connections
from backups_app.progress import Progress, Silent
from backups_app.records import Origin, Side
from backups_app.runs import end_messages, preparation, runner
from backups_app.runs.ownership import Owner, this_process
from backups_app.sync import engine
from backups_app.sync.engine import SyncReport
from backups_app.sync.options import SyncOptions
from backups_app.use_cases import readiness

ADOPT_PHRASE = "ADOPT"
"""What a person types before two databases are paired anew."""
DELETE_PHRASE = "DELETE"
"""What a person types before the deletions of a blocked collection are carried over."""

RENEW_EVERY_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class SyncWish:
    """What a person asks of one sync, beyond the settings. `decided` settles blocked collections: `delete` carries
    the deletions over, `keep` copies back what vanished."""

    dry_run: bool = False
    exact: bool = False
    adopt: bool = False
    only: frozenset[str] | None = None
    decided: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SyncOverview:
    """What pages, API and commands show of sync. `proof` is the last scan of everything with its verdict, `left_over`
    what the last sync did not do though nobody decided against it, by collection."""

    synced_at: datetime | None
    proof: Mapping[str, Any] | None
    blocked: Mapping[str, str]
    left_over: Mapping[str, str]
    logs: Sequence[Mapping[str, Any]]


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
    readiness.require_local(configuration)
    remote = preparation.remote_database(configuration)
    if remote is None:
        raise SyncIsOff()
    readiness.require_ready(configuration=configuration)
    local, me = preparation.local_database(configuration), this_process()
    run_id = f"sync_{now:%Y%m%d_%H%M%S}"
    with (
        connections.reachable(Side.LOCAL),
        runner.leased(local, me=me, seconds=configuration.lease_seconds) as fence,
    ):
        if fence is None:
            raise runs.another_run(local)
        with _Held(local, me=me, fence=fence, seconds=configuration.lease_seconds, listener=listener) as progress:
            return _recorded(
                local,
                lambda: engine.synchronise(
                    local=local,
                    remote=remote,
                    run_id=run_id,
                    options=_options(configuration, wish),
                    progress=progress,
                    now=now,
                ),
                run_id=run_id,
                wish=wish,
                requested_by=requested_by,
                origin=origin,
                now=now,
            )


def overview(*, configuration: Configuration, limit: int = 20) -> SyncOverview:
    """Return what is known of past syncs. Raise `DatabaseUnreachable`."""
    local = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        mark = sync_state.read(local) or {}
        logs = sync_logs.newest(local, limit=limit)
    return SyncOverview(
        synced_at=mark.get("synced_at"),
        proof=mark.get("proof"),
        blocked={one["name"]: one["reason"] for one in mark.get("blocked", [])},
        left_over={one["name"]: one["reason"] for one in mark.get("left_over", [])},
        logs=logs,
    )


def log_of(*, configuration: Configuration, run_id: str) -> dict[str, Any] | None:
    """Return the newest document of `sync_logs` about this run, or None. Raise `DatabaseUnreachable`."""
    local = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        return sync_logs.of_run(local, run_id=run_id)


def _options(configuration: Configuration, wish: SyncWish) -> SyncOptions:
    return replace(
        preparation.sync_options(configuration),
        dry_run=wish.dry_run,
        exact=wish.exact,
        adopt=wish.adopt,
        only=wish.only,
        decided=wish.decided,
    )


def _recorded(
    local: Database[Any], work: Any, *, run_id: str, wish: SyncWish, requested_by: str, origin: Origin, now: datetime
) -> SyncReport:
    """Do the work between two entries of the audit trail."""
    asked = {
        "dry_run": wish.dry_run, "exact": wish.exact, "adopt": wish.adopt, "decided": dict(wish.decided),
        "only": sorted(wish.only) if wish.only is not None else None,
    }  # fmt: skip

    def record(result: str, details: Mapping[str, Any], at: datetime) -> None:
        audit.record(
            actor=requested_by, origin=origin, action="sync", target=run_id, result=result, now=at, details=details
        )

    record(audit.STARTED, asked, now)
    try:
        report: SyncReport = work()
    except TempleOpsError as error:
        record(error.code, asked, timezone.now())
        if not wish.dry_run:
            _tell_how_far(local, run_id, error)
        raise
    record("success", {**asked, "counts": report.counts, "left_over": dict(report.left_over)}, timezone.now())
    return report


def _tell_how_far(local: Database[Any], run_id: str, error: TempleOpsError) -> None:
    """Let a failure also say what the sync had done before it, where its sentence does not."""
    if isinstance(error, SyncInterrupted):
        return
    try:
        log = sync_logs.of_run(local, run_id=run_id)
    except PyMongoError:
        return
    if wrote := end_messages.written(log or {}):
        error.hint = together(as_sentence(error.hint), end_messages.half_way(wrote))


class _Held:
    """Progress of work that has no run document: hands on to a listener and keeps the lease alive."""

    def __init__(self, local: Database[Any], *, me: Owner, fence: int, seconds: int, listener: Progress | None) -> None:
        self._local, self._owner, self._fence, self._seconds = local, me.as_document(), fence, seconds
        self._listener = listener or Silent()
        self._renewed_at = time.monotonic()
        self._lost = False
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="sync-heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._heart.join(timeout=self._seconds)

    def expect(self, label: str, total: int) -> None:
        self._listener.expect(label, total)

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self._listener.advance(label, count, size_bytes)

    def note(self, sentence: str) -> None:
        self._listener.note(sentence)

    def checkpoint(self) -> None:
        if time.monotonic() - self._renewed_at >= RENEW_EVERY_SECONDS:
            self._renew()
        if self._lost:
            raise OwnershipLost
        self._listener.checkpoint()

    def _renew(self) -> None:
        self._renewed_at = time.monotonic()
        if not lease.renew(self._local, owner=self._owner, fence=self._fence, seconds=self._seconds):
            self._lost = True

    def _beat(self) -> None:
        while not self._stop.wait(self._seconds / 4):
            try:
                self._renew()
            except PyMongoError:
                # The sync itself meets the same failure and names it; a heartbeat only misses a beat.
                continue
