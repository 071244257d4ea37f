"""One run for one Idempotency-Key: of requests that come at once one starts it, and all others are reported that run.

The decision is an index: `idempotency_claim` (the person and the key) is unique among runs. A claim lasts a day.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database

from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import IdempotencyKeyReused, RunActive

KEPT = timedelta(hours=24)
LOOKS = 40
LOOK_EVERY_SECONDS = 0.05
"""What another request has just written can be read by a majority a moment later."""


def once(
    database: Database[Any], *, created_by: str, key: str | None, delete_bookings: bool, incremental: bool = False,
    now: datetime, start: Callable[[], RunRecord],
) -> RunRecord:  # fmt: skip
    """Return the run that this person started with this key within a day, marked `replayed`; or call `start`.

    Raise `IdempotencyKeyReused` when that run was asked for something else, `RunActive` when another run than the
    one of this key is in progress, and what `start` raises.
    """
    if key is None:
        return start()
    wanted = delete_bookings, incremental
    before = _before(database, created_by, key, wanted, now)
    if before is not None:
        return before
    runs.release_claim(database, claim=claim(created_by=created_by, key=key), older_than=now - KEPT)
    try:
        return start()
    except (RunActive, runs.ClaimTaken) as refusal:
        found = _written_meanwhile(database, created_by, key, wanted, now)
        if found is None:
            raise runs.another_run(database) from refusal
        return found


def claim(*, created_by: str, key: str | None) -> str | None:
    """Return what a run document holds to be the only one of this person and key, None without a key."""
    return None if key is None else f"{created_by}\n{key}"


def _written_meanwhile(
    database: Database[Any], created_by: str, key: str, wanted: tuple[bool, bool], now: datetime
) -> RunRecord | None:
    for _ in range(LOOKS):
        found = _before(database, created_by, key, wanted, now)
        if found is not None:
            return found
        running = runs.active(database)
        if running is not None and running.idempotency_key != key:
            return None
        time.sleep(LOOK_EVERY_SECONDS)
    return None


def _before(
    database: Database[Any], created_by: str, key: str, wanted: tuple[bool, bool], now: datetime
) -> RunRecord | None:
    before = runs.by_idempotency_key(database, created_by=created_by, key=key, since=now - KEPT)
    if before is None:
        return None
    if (before.delete_bookings_requested, before.incremental.requested) != wanted:
        raise IdempotencyKeyReused()
    return before | {"replayed": True}
