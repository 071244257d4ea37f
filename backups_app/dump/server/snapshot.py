"""One moment for the whole copy: reading all collections at the same point in time, where the server can."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bson import Timestamp
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app import formats
from backups_app.mongo import scanning

LIFETIME_SECONDS = 240
"""Servers keep a snapshot for 300 seconds unless set otherwise; a scan that would pass this leaves it in time."""

_GONE = frozenset({239, 246})  # SnapshotTooOld, SnapshotUnavailable


class SnapshotExpired(Exception):
    """The snapshot can no longer be read; what was read of this collection must be read again without it."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A point in cluster time. `lifetime_seconds` counts from `taken_at`, a reading of the monotonic clock."""

    at: Timestamp
    lifetime_seconds: float = LIFETIME_SECONDS
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def expired(self) -> bool:
        return time.monotonic() - self.taken_at > self.lifetime_seconds

    @property
    def read_concern(self) -> dict[str, Any]:
        return {"level": "snapshot", "atClusterTime": self.at}


def take(
    database: Database[Any], *, sources: Sequence[str], session: ClientSession, lifetime_seconds: float
) -> Snapshot | None:
    """Return a snapshot of now, or None where the server has none to give: a standalone, or one before 5.0.

    By itself the server would give the moment that a majority holds, which may be before writes that it acknowledged
    alone (`w: 1`) and that were counted already. With `afterClusterTime` it waits until they are in.
    """
    if not sources:
        return None
    known = database.client.admin.command("ping", session=session).get("operationTime")
    level = {"level": "snapshot"} if known is None else {"level": "snapshot", "afterClusterTime": known}
    command = {"find": sources[0], "limit": 1, "singleBatch": True, "readConcern": level}
    try:
        first = next(scanning.batches(database, command, session=session))
    except OperationFailure:
        return None
    if first.at_cluster_time is None:
        return None
    return Snapshot(at=first.at_cluster_time, lifetime_seconds=lifetime_seconds)


def server_time(database: Database[Any]) -> datetime:
    """Return what the server's clock says."""
    now: datetime = database.client.admin.command("hello")["localTime"]
    return now.replace(tzinfo=UTC)


def is_gone(error: OperationFailure) -> bool:
    """Whether a read failed because its snapshot is no longer kept."""
    return error.code in _GONE


def consistency(
    moment: Snapshot | None, started_at: datetime, finished_at: datetime, *, outside: Sequence[str], of: int
) -> dict[str, Any]:
    """Return of which moment a copy of `of` collections is, those `outside` the snapshot left out of it."""
    moments = {"from": formats.utc(started_at), "to": formats.utc(finished_at)}
    if moment is None or len(outside) == of:
        return {"kind": "per_collection", **moments}
    at = {"kind": "snapshot", "at": formats.utc(moment.at.as_datetime())}
    return {**at, **moments, "outside_snapshot": sorted(outside)} if outside else at
