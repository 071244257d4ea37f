"""What pages, API and commands show of sync. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from backups_app.catalog.sync import sync_logs, sync_state
from backups_app.catalog.sync.sync_record import SyncProof, SyncRecord
from backups_app.configuration import Configuration
from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.runs import preparation


@dataclass(frozen=True, kw_only=True)
class SyncOverview:
    """What pages, API and commands show of sync. `proof` is the last scan of everything with its verdict, `left_over`
    what the last sync did not do though nobody decided against it, by collection. `with_another`: the last sync was
    with another Atlas than the one that is set now, so nothing is known of this one."""

    synced_at: datetime | None
    proof: SyncProof | None
    blocked: Mapping[str, str]
    left_over: Mapping[str, str]
    logs: Sequence[SyncRecord]
    with_another: bool = False


def overview(*, configuration: Configuration, limit: int = 20) -> SyncOverview:
    """Return what is known of past syncs. Raise `DatabaseUnreachable`."""
    local = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        mark = sync_state.read(local) or {}
        logs = sync_logs.newest(local, limit=limit)
    another = mark.get("remote", "") not in ("", preparation.remote_identity(configuration))
    return SyncOverview(
        synced_at=None if another else mark.get("synced_at"),
        proof=SyncProof(mark["proof"]) if mark.get("proof") and not another else None,
        blocked={one["name"]: one["reason"] for one in mark.get("blocked", [])},
        left_over={one["name"]: one["reason"] for one in mark.get("left_over", [])},
        logs=logs,
        with_another=another,
    )


def log_of(*, configuration: Configuration, run_id: str) -> SyncRecord | None:
    """Return the newest document of `sync_logs` about this run, or None. Raise `DatabaseUnreachable`."""
    local = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        return sync_logs.of_run(local, run_id=run_id)
