"""The rows of the lanes. Each change is one statement with a condition, so that of two who try one succeeds."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from backups_app import configuration as settings
from backups_app import errors
from backups_app.access import records, request_context
from backups_app.access.trail import audit
from backups_app.errors import (
    ReadingInterrupted,
    SyncStopped,
    TempleOpsError,
    TooManyReadings,
    WorkerDown,
)
from backups_app.messages import stored
from backups_app.models import LaneJob, ReadingHost
from backups_app.records import is_recent, recent
from backups_app.runs import lease, ownership
from backups_app.use_cases.lanes.kind import JobKind

RECENT = timedelta(minutes=10)
"""A result is shown again for so long; who wants the present state asks for it."""
KEPT = timedelta(days=1)
ABANDONED = timedelta(seconds=30)
"""What nobody has asked for so long is given up."""
SILENT = timedelta(minutes=5)
"""A process of another host that wrote nothing for so long has ended."""
HOST_SILENT = timedelta(seconds=30)
MOST_EACH = 4
"""So many jobs of one person wait or run at the same time."""
MOST_TRIES = 2

UNTAKEN = timedelta(seconds=60)
"""A job of the lane `runs` begins within this time or not at all."""

State, Lane = LaneJob.State, LaneJob.Lane
OPEN = (State.WAITING, State.RUNNING)


def key_of(*, store: str, kind: str, arguments: Mapping[str, Any]) -> str:
    """Return what the same question has in common, for each person who asks it."""
    asked = json.dumps([store, kind, arguments], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def find(key: str, *, now: datetime) -> LaneJob | None:
    """Return the job of this key that waits, runs, or ended a short while ago."""
    row = LaneJob.objects.filter(key=key).first()
    if row is None or (row.ended_at is not None and row.ended_at < now - RECENT):
        return None
    return row


def add(
    *,
    kind: JobKind[Any],
    key: str,
    arguments: Mapping[str, Any],
    store: str,
    by: str,
    origin: str,
    now: datetime,
    begun: bool = False,
    done: bool = False,
    result: Any = None,
) -> LaneJob:
    """Add a job that waits, or, with `done`, one that a request has done; return it, or the one that another request
    has added meanwhile. `begun`: the request has begun it. Raise `TooManyReadings`, `RecordsUnavailable`."""
    if not done:
        _require_few(by, to_the_end=kind.to_the_end)
    fields: dict[str, Any] = {
        "kind": kind.name, "lane": kind.lane, "arguments": json.dumps(arguments), "store": store,
        "asked_by": audit.storable(by)[:150], "origin": origin, "request": request_context.as_json(),
        "to_the_end": kind.to_the_end, "begun": begun, "created_at": now, "asked_at": now,
    }  # fmt: skip
    if done:
        fields |= {"state": State.DONE, "ended_at": now, "result": json.dumps(result)}
    else:
        fields |= {"state": State.WAITING}
    try:
        with transaction.atomic():
            LaneJob.objects.filter(key=key).exclude(state__in=OPEN).delete()
            return LaneJob.objects.create(key=key, **fields)
    except IntegrityError:
        return LaneJob.objects.get(key=key)
    except DatabaseError as error:
        raise records.failure(error) from error


def _require_few(by: str, *, to_the_end: bool) -> None:
    """What goes to its end whatever its page does is no reason to refuse: a schedule or a button asked for it once."""
    mine = LaneJob.objects.filter(asked_by=audit.storable(by)[:150], state__in=OPEN, to_the_end=False)
    if not to_the_end and mine.count() >= MOST_EACH:
        raise TooManyReadings(most=MOST_EACH)


def forget(key: str) -> None:
    """Remove a job. One that runs notices it and stops."""
    LaneJob.objects.filter(key=key).delete()


def forget_kind(kind: str) -> None:
    """Remove the results of a kind: something was written, and none is true any more."""
    LaneJob.objects.filter(kind=kind).delete()


def asked_again(row: LaneJob, *, now: datetime) -> None:
    """Note that somebody waits for this job."""
    if now - row.asked_at > ABANDONED / 6:
        LaneJob.objects.filter(pk=row.pk).update(asked_at=now)


# ── the lane ─────────────────────────────────────────────────────────────────────


def waiting(*, store: str, since: datetime) -> int:
    """Return how many jobs have waited since this moment or longer for a process that has this store."""
    return int(_waiting(store).filter(created_at__lte=since).count())


def take(*, store: str, now: datetime) -> LaneJob | None:
    """Take the job that has waited longest. None when there is none."""
    for row in _waiting(store)[:8]:
        if _taken(row, now=now):
            return row
    return None


def take_in_time(number: int, *, now: datetime) -> LaneJob | None:
    """Take the job of a run's kind. None when it is gone, taken, or has waited for longer than a minute."""
    row = LaneJob.objects.filter(pk=number, created_at__gt=now - UNTAKEN).first()
    return row if row is not None and _taken(row, now=now) else None


def _taken(row: LaneJob, *, now: datetime) -> bool:
    worker = ownership.this_process().as_document()
    taken = LaneJob.objects.filter(pk=row.pk, state=State.WAITING).update(
        state=State.RUNNING, worker=worker, token=worker["token"], seen_at=now, tries=row.tries + 1
    )
    if taken:
        row.refresh_from_db()
    return bool(taken)


def advanced(row: LaneJob, *, collection: str, documents: int, now: datetime) -> datetime | None:
    """Write how far a job is. Return when somebody last asked for it; None when it is not this process's any more."""
    mine = LaneJob.objects.filter(pk=row.pk, state=State.RUNNING, token=row.token)
    name = audit.storable(collection)[:255]
    if not mine.update(collection=name, documents=documents, seen_at=now):
        return None
    return mine.values_list("asked_at", flat=True).first()


def done(row: LaneJob, *, result: Any, now: datetime) -> None:
    """Note the result of a job, as plain JSON."""
    _end(row, now, state=State.DONE, result=json.dumps(result))


def failed(row: LaneJob, error: TempleOpsError, *, now: datetime) -> None:
    """Note by which failure a job ended."""
    _end(row, now, state=State.FAILED, error=_as_text(error))


def _end(row: LaneJob, now: datetime, **fields: Any) -> None:
    LaneJob.objects.filter(pk=row.pk, token=row.token).update(ended_at=now, **fields)


def give_up(row: LaneJob) -> None:
    """Remove a job that nobody asks for any more."""
    LaneJob.objects.filter(pk=row.pk, token=row.token).delete()


def close_late(row: LaneJob, *, now: datetime) -> bool:
    """Close a job of the lane `runs` that no process took within a minute, or whose process has ended. Return whether
    that was so. What a person confirmed does not begin later."""
    if row.state == State.WAITING and row.created_at <= now - UNTAKEN:
        failed(row, WorkerDown(seconds=int(UNTAKEN.total_seconds())), now=now)
    elif row.state == State.RUNNING and _has_ended(row, now=now):
        failed(row, SyncStopped(), now=now)
    else:
        return False
    return True


def _has_ended(row: LaneJob, *, now: datetime) -> bool:
    """Whether the process that has a job is gone, or of another host and silent. One that holds the lease works."""
    if ownership.is_gone(row.worker):
        return True
    if row.seen_at is None or is_recent(row.seen_at, within=SILENT, now=now):
        return False
    return row.lane != Lane.RUNS or not lease.is_held_by(row.worker, configuration=settings.current())


def tidy(*, now: datetime) -> None:
    """Let readings of ended processes wait again and close their syncs, give up what nobody waits for, remove what is
    older than a day."""
    for row in LaneJob.objects.filter(state__in=OPEN):
        if row.lane == Lane.RUNS:
            close_late(row, now=now)
        elif row.state == State.RUNNING and _has_ended(row, now=now):
            _try_again(row, now=now)
    left = Q(state=State.WAITING, to_the_end=False, asked_at__lt=now - ABANDONED)
    LaneJob.objects.filter(left | Q(created_at__lt=now - KEPT, state__in=(State.DONE, State.FAILED))).delete()
    ReadingHost.objects.filter(at__lt=now - KEPT).delete()


def _try_again(row: LaneJob, *, now: datetime) -> None:
    if row.tries >= MOST_TRIES:
        failed(row, ReadingInterrupted(), now=now)
    else:
        LaneJob.objects.filter(pk=row.pk, token=row.token).update(state=State.WAITING, worker={}, token="")


def host_looked(*, store: str, now: datetime) -> None:
    """Note that a worker of this host looks for jobs of this store."""
    ReadingHost.objects.update_or_create(host=socket.gethostname()[:255], store=store, defaults={"at": now})


def somebody_reads(*, store: str, now: datetime) -> bool:
    """Whether a worker that has this store looked for jobs a moment ago. One dated in the future counts for nothing."""
    return ReadingHost.objects.filter(store=store, **recent(within=HOST_SILENT, now=now)).exists()


def _waiting(store: str) -> QuerySet[LaneJob]:
    return LaneJob.objects.filter(lane=Lane.READING, state=State.WAITING, store__in=(store, "")).order_by(
        "created_at", "pk"
    )


# ── failures as rows keep them ───────────────────────────────────────────────────


def _as_text(error: TempleOpsError) -> str:
    facts, more = stored.with_details(error.facts), stored.with_details({"hint": error.hint})
    return json.dumps({"name": type(error).__name__, "facts": facts, "more": more}, default=str)


def error_of(row: LaneJob) -> TempleOpsError | None:
    """Return the failure by which a job ended."""
    if not row.error:
        return None
    kept = json.loads(row.error)
    kind = getattr(errors, kept["name"], TempleOpsError)
    error = kind(**stored.restored(kept["facts"]))
    error.hint = stored.restored(kept.get("more", {})).get("hint", error.hint)  # a failure may say more than its kind
    return error
