"""Doing the jobs of the reading lane, one after the other in one process. It takes no lease, changes no user data."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

from backups_app import configuration
from backups_app.access import records, request_context
from backups_app.errors import RunCancelled, TempleOpsError
from backups_app.models import LaneJob
from backups_app.progress import Silent
from backups_app.runs import preparation
from backups_app.use_cases.lanes import jobs
from backups_app.use_cases.lanes.kind import Call, JobKind
from backups_app.use_cases.lanes.presence import Presence

WRITE_EVERY = timedelta(seconds=0.5)
LOOK_SECONDS = 0.2

logger = logging.getLogger(__name__)


def work(*, kinds: Sequence[JobKind[Any]], idle_seconds: float) -> None:
    """Do what waits for this host's store, until nothing has waited for `idle_seconds`."""
    by_name = {kind.name: kind for kind in kinds}
    presence, idle_since = Presence(), time.monotonic()
    while True:
        store, now = store_here(), timezone.now()
        presence.note(store=store, now=now)
        row = jobs.take(store=store, now=now)
        if row is not None:
            carry_out(row, by_name[row.kind])
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since >= idle_seconds:
            return
        else:
            time.sleep(LOOK_SECONDS)
            close_old_connections()


def store_here() -> str:
    """Return the id of this host's store, "" before it was made."""
    return preparation.store(configuration.current()).store_id() or ""


def carry_out(row: LaneJob, kind: JobKind[Any]) -> None:
    """Do one job that was taken, and note what came of it."""
    arguments = json.loads(row.arguments)
    progress = _Progress(row, now=timezone.now)
    call = Call(
        arguments=arguments, by=row.asked_by, origin=row.origin, progress=progress, again=row.begun or row.tries > 1
    )
    try:
        with request_context.resumed(row.request):
            result = kind.keep(kind.make(call))
    except RunCancelled:
        records.with_patience(partial(jobs.give_up, row))
    except TempleOpsError as error:
        records.with_patience(partial(jobs.failed, row, error, now=timezone.now()))
    except Exception:  # the last place that can inform the page of a defect of ours
        logger.exception("Reading ended by an unexpected failure", extra={"kind": row.kind})
        records.with_patience(partial(jobs.failed, row, TempleOpsError(), now=timezone.now()))
    else:
        records.with_patience(partial(jobs.done, row, result=result, now=timezone.now()))


class _Progress(Silent):
    """Writes how far a job is, twice a second, and stops it when nobody asks for it or it is another process's."""

    def __init__(self, row: LaneJob, *, now: Callable[[], datetime]) -> None:
        self._row = row
        self._now = now
        self._collection = ""
        self._documents = 0
        self._written_at: datetime | None = None

    def expect(self, label: str, total: int) -> None:
        self._collection = label
        self.checkpoint()

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self._documents += count
        self.checkpoint()

    def checkpoint(self) -> None:
        now = self._now()
        if self._written_at is not None and now - self._written_at < WRITE_EVERY:
            return
        self._written_at = now
        asked_at = jobs.advanced(self._row, collection=self._collection, documents=self._documents, now=now)
        if asked_at is None or (not self._row.to_the_end and now - asked_at > jobs.ABANDONED):
            raise RunCancelled
