"""A sync that a page or the API starts: a job of the lane `runs`, for it takes the lease. One at a time, for all who
ask for the same."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django_tasks import task

from backups_app import formats
from backups_app.catalog import lease
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.models import LaneJob
from backups_app.mongo import connections
from backups_app.records import Origin, Side
from backups_app.runs import ownership, preparation
from backups_app.use_cases.lanes import asking, carrying_out, jobs
from backups_app.use_cases.lanes.asking import Answer
from backups_app.use_cases.lanes.kind import Arguments, Call, JobKind
from backups_app.use_cases.syncs import syncs
from backups_app.use_cases.syncs.syncs import SyncWish

LOOK_SECONDS = 0.1

Synced = Mapping[str, Any]
"""`run_id`, `totals` and the whole `log`, with its `sentence`, as plain JSON."""


def begin(
    *, configuration: Configuration, wish: SyncWish, by: str, origin: Origin, now: datetime, wait_seconds: float
) -> Answer[Synced]:
    """Let the worker sync, or join the sync of the same wish that somebody started; wait for its end for so long at
    most.

    Raise `ModeNotLocal`, `SyncIsOff`, `DatabaseUnreachable`, and `RunActive` while a run or another sync holds the
    lease or a sync of another wish waits. What the sync fails with is in the answer.
    """
    syncs.require_possible(configuration)
    arguments, key = _arguments(wish), _key(configuration, dry_run=wish.dry_run)
    row = _row(key, now=now)
    if row is None or row.state not in jobs.OPEN:
        _require_idle(configuration)
        row = jobs.add(kind=KIND, key=key, arguments=arguments, store="", by=by, origin=origin, now=now)
        carry_out.enqueue(job=row.pk)
    elif json.loads(row.arguments) != arguments:
        raise runs.another_run(preparation.local_database(configuration))
    until = time.monotonic() + wait_seconds
    while (row := _row(key, now=timezone.now())) is not None:
        if row.state not in jobs.OPEN or time.monotonic() >= until:
            return asking.answer_of(KIND, row, {}, now=timezone.now())
        time.sleep(LOOK_SECONDS)
    return Answer()


def known(*, configuration: Configuration, now: datetime) -> Answer[Synced] | None:
    """Return the sync that a page started last, if that was a short while ago."""
    row = _row(_key(configuration), now=now)
    return None if row is None else asking.answer_of(KIND, row, {}, now=now)


def forget(*, configuration: Configuration, dry_run: bool = False) -> None:
    """The result was shown, or is not to be."""
    jobs.forget(_key(configuration, dry_run=dry_run))


@task()
def carry_out(job: int) -> None:
    """The worker's part. A job that waited for more than a minute is not begun."""
    row = jobs.take_in_time(job, now=timezone.now())
    if row is not None:
        carrying_out.carry_out(row, KIND)


def _row(key: str, *, now: datetime) -> LaneJob | None:
    row = jobs.find(key, now=now)
    if row is not None and jobs.close_late(row, now=now):
        row.refresh_from_db()
    return row


def _require_idle(configuration: Configuration) -> None:
    """A sync that waited behind a backup would begin when nobody expects it any more."""
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        holder = lease.held_by(database)
        if (holder is not None and not ownership.is_gone(holder)) or runs.active(database) is not None:
            raise runs.another_run(database)


def _key(configuration: Configuration, *, dry_run: bool = False) -> str:
    """One key for all syncs that write, since one at a time is wanted, and one for those that do not."""
    arguments = {"dry_run": True} if dry_run else {}
    return jobs.key_of(store=configuration.database_name, kind=KIND.name, arguments=arguments)


def _arguments(wish: SyncWish) -> dict[str, Any]:
    only = None if wish.only is None else sorted(wish.only)
    asked = {"exact": wish.exact, "adopt": wish.adopt, "decided": dict(wish.decided), "only": only}
    return asked | {"dry_run": wish.dry_run}


def _wish(asked: Arguments) -> SyncWish:
    only = None if asked["only"] is None else frozenset(asked["only"])
    return SyncWish(
        dry_run=asked["dry_run"], exact=asked["exact"], adopt=asked["adopt"], decided=asked["decided"], only=only
    )


def _make(call: Call) -> Synced:
    report = syncs.sync_now(
        wish=_wish(call.arguments), requested_by=call.by, origin=Origin(call.origin), now=timezone.now(),
        listener=call.progress,
    )  # fmt: skip
    log: dict[str, Any] = formats.plain({name: value for name, value in report.log.items() if name != "_id"})
    log |= {"sentence": report.sentence}
    return {"run_id": report.log.run_id, "totals": dict(report.log.totals), "log": log}


KIND: JobKind[Synced] = JobKind(
    name="sync",
    make=_make,
    keep=dict,
    recall=lambda _, kept: dict(kept),
    to_the_end=True,
    lane=jobs.Lane.RUNS,
)
