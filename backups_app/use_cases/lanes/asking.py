"""Asking for work that only reads: done at once where it is short, by the reading lane where it is not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from backups_app.configuration import Configuration
from backups_app.errors import DatabaseUnreachable, ReadingWorkerMissing, TempleOpsError
from backups_app.models import LaneJob
from backups_app.progress import Silent
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.use_cases.lanes import jobs
from backups_app.use_cases.lanes.kind import Call, JobKind

TRY_SECONDS = 1.0
"""So long a request works on it itself."""
WORKER_EXPECTED_SECONDS = 5
"""A job that waits for longer is one that no worker takes, unless they are busy."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T_co]):
    """Work as it stands. `collection` is the one being read, `compared` the documents so far. `is_new`: nobody had
    asked for it before. `worker_missing`: why nobody does it; `waits`: others are served first.
    `job`: the key of the job; empty where the request has done the work."""

    result: T_co | None = None
    error: TempleOpsError | None = None
    collection: str = ""
    compared: int = 0
    seconds: float = 0.0
    made_at: datetime | None = None
    is_new: bool = False
    waits: bool = False
    worker_missing: ReadingWorkerMissing | None = None
    job: str = ""

    @property
    def ended(self) -> bool:
        return self.made_at is not None or self.error is not None


class _NotInTime(Exception):
    """The work takes longer than a request."""


class _Deadline(Silent):
    """Stops the work when the request's time is over."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = clock() + seconds

    @property
    def over(self) -> bool:
        return self._clock() >= self._until

    def expect(self, label: str, total: int) -> None:
        self.checkpoint()

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self.checkpoint()

    def checkpoint(self) -> None:
        if self.over:
            raise _NotInTime


def ask(
    kind: JobKind[T],
    *,
    configuration: Configuration,
    arguments: Mapping[str, Any],
    by: str,
    origin: str,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> Answer[T]:
    """Return the answer to a question: of the job that somebody asked for with the same arguments, or else begun now.

    What fails in the request is raised here. What failed in the lane is in the answer once; who asks again has it done
    again. Raise `TooManyReadings`, `RecordsUnavailable`.
    """
    question = _Question(kind=kind, configuration=configuration, arguments=arguments, by=by, origin=origin)
    row = jobs.find(question.key, now=now)
    if row is not None:
        jobs.asked_again(row, now=now)
        if row.state == jobs.State.FAILED:
            jobs.forget(question.key)
        return question.answer(row, now=now)
    deadline = _Deadline(TRY_SECONDS, clock)
    try:
        result = kind.make(Call(arguments=arguments, by=by, origin=origin, progress=deadline))
    except _NotInTime:
        return replace(question.answer(question.add(now=now, begun=True), now=now), is_new=True)
    except DatabaseUnreachable:
        if not deadline.over or origin == Origin.API:
            raise
        # A page gives its questions less time than this one may need. A program is given the failure and asks again.
        return replace(question.answer(question.add(now=now, begun=True), now=now), is_new=True)
    question.add(now=now, done=True, result=kind.keep(result))
    return Answer(result=result, made_at=now, is_new=True)


def enqueue(
    kind: JobKind[Any],
    *,
    configuration: Configuration,
    arguments: Mapping[str, Any],
    by: str,
    origin: str,
    now: datetime,
) -> None:
    """Let the lane do the work. Asked for twice while it waits or runs, it is done once. Raise `RecordsUnavailable`."""
    _Question(kind=kind, configuration=configuration, arguments=arguments, by=by, origin=origin).add(now=now)


def known(
    kind: JobKind[T], *, configuration: Configuration, arguments: Mapping[str, Any], now: datetime
) -> Answer[T] | None:
    """Return the answer to a question as it stands, if somebody asked it. Begins nothing."""
    question = _Question(kind=kind, configuration=configuration, arguments=arguments)
    row = jobs.find(question.key, now=now)
    return None if row is None else question.answer(row, now=now)


def by_key(key: str, *, kinds: Mapping[str, JobKind[Any]], now: datetime) -> tuple[str, Answer[Any]] | None:
    """Return the name of the kind and the answer of the job with this key, and note that somebody waits for it; None
    where there is none of these kinds."""
    row = jobs.find(key, now=now)
    if row is None or row.kind not in kinds:
        return None
    jobs.asked_again(row, now=now)
    if row.lane == jobs.Lane.RUNS and jobs.close_late(row, now=now):
        row.refresh_from_db()
    return row.kind, _with_worker(answer_of(kinds[row.kind], row, json.loads(row.arguments), now=now), row, now=now)


def forget(kind: JobKind[Any], *, configuration: Configuration, arguments: Mapping[str, Any]) -> None:
    """The next one who asks shall see the present state."""
    jobs.forget(_Question(kind=kind, configuration=configuration, arguments=arguments).key)


@dataclass(frozen=True, kw_only=True)
class _Question(Generic[T]):
    kind: JobKind[T]
    configuration: Configuration
    arguments: Mapping[str, Any]
    by: str = ""
    origin: str = ""

    @cached_property
    def store(self) -> str:
        return preparation.store(self.configuration).store_id() or ""

    @cached_property
    def key(self) -> str:
        here = f"{self.store} {self.configuration.database_name} {self.configuration.backup_dir}"
        return jobs.key_of(store=here, kind=self.kind.name, arguments=self.arguments)

    def add(self, *, now: datetime, begun: bool = False, done: bool = False, result: Any = None) -> LaneJob:
        return jobs.add(
            kind=self.kind, key=self.key, arguments=self.arguments, store=self.store, by=self.by,
            origin=self.origin, now=now, begun=begun, done=done,
            result=result,
        )  # fmt: skip

    def answer(self, row: LaneJob, *, now: datetime) -> Answer[T]:
        return _with_worker(answer_of(self.kind, row, self.arguments, now=now), row, now=now)


def _with_worker(answer: Answer[T], row: LaneJob, *, now: datetime) -> Answer[T]:
    """A job of the lane `runs` that no worker takes is closed after a minute; one that reads waits."""
    if not answer.waits or answer.seconds <= WORKER_EXPECTED_SECONDS or row.lane != jobs.Lane.READING:
        return answer
    missing = None if jobs.somebody_reads(store=row.store, now=now) else ReadingWorkerMissing()
    return replace(answer, worker_missing=missing)


def answer_of(kind: JobKind[T], row: LaneJob, arguments: Mapping[str, Any], *, now: datetime) -> Answer[T]:
    """Return what a row says."""
    if row.state == jobs.State.DONE:
        return Answer(result=kind.recall(arguments, json.loads(row.result)), made_at=row.ended_at, job=row.key)
    return Answer(
        error=jobs.error_of(row), collection=row.collection, compared=row.documents,
        seconds=(now - row.created_at).total_seconds(), waits=row.state == jobs.State.WAITING, job=row.key,
    )  # fmt: skip
