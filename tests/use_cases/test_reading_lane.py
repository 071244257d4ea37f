"""The reading lane: short work in the request, long work in a process of the worker that has the store."""

from __future__ import annotations

import dataclasses
import json
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.test import override_settings
from django.utils import timezone

from backups_app.access import request_context
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration, Secret
from backups_app.errors import (
    BackupNotFound,
    DatabaseUnreachable,
    ReadingInterrupted,
    TempleOpsError,
    TooManyReadings,
    VerificationFailed,
)
from backups_app.management import reading_lane
from backups_app.messages import verification as messages
from backups_app.models import LaneJob, ReadingHost
from backups_app.runs.ownership import this_process
from backups_app.use_cases.lanes import asking, carrying_out, jobs
from backups_app.use_cases.lanes.asking import Answer
from backups_app.use_cases.lanes.kind import Call, JobKind
from tests.conftest import NOBODY

pytestmark = pytest.mark.django_db
NOW = timezone.now()
State = LaneJob.State


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def temple(a_folder: Path) -> Iterator[Configuration]:
    """A configuration in force whose store is made, and no database."""
    configuration = Configuration(
        local_url=NOBODY, cloud_url=Secret(""), database_name="temple_db", backup_dir=a_folder
    )
    Store(a_folder, database="temple_db").prepare()
    with override_settings(TEMPLEOPS=configuration):
        yield configuration


def kind_of(make: Callable[[Call], int], *, to_the_end: bool = False) -> JobKind[int]:
    """A kind whose result is a number; it is kept as text."""
    return JobKind(name="count", make=make, keep=str, recall=lambda _, kept: int(kept), to_the_end=to_the_end)


def ask(
    kind: JobKind[int], temple: Configuration, *, name: str = "a", by: str = "ravi", at: datetime = NOW
) -> Answer[int]:
    ticks = iter((0.0,))
    return asking.ask(
        kind, configuration=temple, arguments={"name": name}, by=by, origin="web", now=at,
        clock=lambda: next(ticks, 2.0),
    )  # fmt: skip


def long(call: Call) -> int:
    """Work whose first step is beyond a request's time."""
    call.progress.expect("bookings", 9)
    call.progress.advance("bookings", 9)
    return 9


def carry_out(*kinds: JobKind[Any]) -> None:
    carrying_out.work(kinds=kinds, idle_seconds=0)


def test_short_work_is_done_in_the_request_and_not_twice(temple: Configuration) -> None:
    make = Mock(return_value=3)
    kind = kind_of(make)

    first, second = (ask(kind, temple, by=person) for person in ("ravi", "ananya"))
    later = ask(kind, temple, at=NOW + jobs.RECENT + timedelta(seconds=1))

    assert [answer.result for answer in (first, second, later)] == [3, 3, 3]
    assert [answer.is_new for answer in (first, second, later)] == [True, False, True]
    assert make.call_count == 2


def test_long_work_waits_for_the_lane_and_is_done_once_for_all_who_ask(temple: Configuration) -> None:
    make = Mock(side_effect=long)
    kind = kind_of(make)

    first, second = (ask(kind, temple, by=person) for person in ("ravi", "ananya"))
    carry_out(kind)

    assert (first.result, first.waits, first.is_new, second.waits, second.is_new) == (None, True, True, True, False)
    assert ask(kind, temple).result == 9
    tried, done = (asked.args[0] for asked in make.call_args_list)
    assert (tried.again, done.again, done.by) == (False, True, "ravi")


def test_the_lane_works_for_the_request_that_asked(temple: Configuration) -> None:
    seen: list[request_context.RequestContext] = []

    def make(call: Call) -> int:
        call.progress.checkpoint()
        seen.append(request_context.current())
        return 1

    kind = kind_of(make)
    token = request_context.enter(address="10.0.0.7")
    ask(kind, temple)
    asked = request_context.current()
    request_context.leave(token)
    carry_out(kind)

    assert seen == [asked] and request_context.current().address == ""


def test_a_failure_of_the_lane_is_reported_once_by_its_name_and_its_facts(temple: Configuration) -> None:
    problem = messages.COLLECTION_MISSING(name="bookings")
    failures: list[Exception] = [VerificationFailed(problem=problem), ZeroDivisionError()]

    def make(call: Call) -> int:
        call.progress.checkpoint()
        if failures:
            raise failures.pop(0)
        return 5

    kind, reported = kind_of(make), []
    for _ in range(3):
        ask(kind, temple)
        carry_out(kind)
        reported.append(ask(kind, temple))

    assert [type(answer.error) for answer in reported] == [VerificationFailed, TempleOpsError, type(None)]
    assert reported[0].error is not None and reported[0].error.detail == VerificationFailed(problem=problem).detail
    assert reported[0].error.facts["problem"].code == problem.code
    assert reported[2].result == 5


def test_a_failure_in_the_request_is_raised_there(temple: Configuration) -> None:
    with pytest.raises(BackupNotFound):
        ask(kind_of(Mock(side_effect=BackupNotFound())), temple)

    assert not LaneJob.objects.exists()


def test_a_question_too_long_for_a_pages_time_limit_is_no_lost_server(temple: Configuration) -> None:
    answer = ask(kind_of(Mock(side_effect=DatabaseUnreachable(side="local"))), temple)

    assert answer.waits and answer.error is None


def test_what_nobody_asks_for_half_a_minute_is_given_up_unless_it_is_wanted_to_its_end(temple: Configuration) -> None:
    for to_the_end in (False, True):
        kind = kind_of(long, to_the_end=to_the_end)
        ask(kind, temple, name=str(to_the_end))
        LaneJob.objects.update(asked_at=NOW - jobs.ABANDONED - timedelta(seconds=1))
        carry_out(kind)

    assert [(json.loads(row.arguments)["name"], row.state) for row in LaneJob.objects.all()] == [("True", State.DONE)]


def test_who_watches_keeps_it_alive_and_what_waits_unwatched_goes(temple: Configuration) -> None:
    kind = kind_of(long)
    ask(kind, temple, name="watched")
    ask(kind, temple, name="left")
    ask(kind, temple, name="watched", at=NOW + timedelta(seconds=25))

    jobs.tidy(now=NOW + timedelta(seconds=31))

    assert [json.loads(row.arguments)["name"] for row in LaneJob.objects.all()] == ["watched"]


def test_the_job_of_a_dead_process_is_done_again_once(temple: Configuration) -> None:
    kind = kind_of(long)
    ask(kind, temple)
    dead = this_process().as_document() | {"pid": 2**22 + 1, "started": "1"}
    states = []
    for _ in range(2):
        assert jobs.take(store=carrying_out.store_here(), now=NOW) is not None
        LaneJob.objects.update(worker=dead)
        jobs.tidy(now=NOW)
        states.append(LaneJob.objects.get().state)

    assert states == [State.WAITING, State.FAILED]
    assert isinstance(ask(kind, temple).error, ReadingInterrupted)


def test_a_process_that_lost_its_job_writes_nothing_more(temple: Configuration) -> None:
    kind = kind_of(long)
    ask(kind, temple)
    mine = jobs.take(store=carrying_out.store_here(), now=NOW)
    assert mine is not None
    LaneJob.objects.update(token="another")

    carrying_out.carry_out(mine, kind)
    jobs.done(mine, result=1, now=NOW)

    assert LaneJob.objects.get().state == State.RUNNING


def test_a_job_goes_only_to_a_worker_that_has_the_store(temple: Configuration, tmp_path: Path) -> None:
    kind = kind_of(long)
    ask(kind, temple)
    other = tmp_path / "other"
    Store(other, database="temple_db").prepare()
    with override_settings(TEMPLEOPS=dataclasses.replace(temple, backup_dir=other)):
        carry_out(kind)
        elsewhere = LaneJob.objects.get().state
    carry_out(kind)

    assert (elsewhere, LaneJob.objects.get().state) == (State.WAITING, State.DONE)


def test_of_two_processes_one_takes_a_job(temple: Configuration) -> None:
    ask(kind_of(long), temple)
    row = LaneJob.objects.get()

    assert [jobs._taken(row, now=NOW), jobs._taken(row, now=NOW)] == [True, False]


def test_a_fifth_of_one_person_is_refused_and_changes_nothing(temple: Configuration) -> None:
    kind = kind_of(long)
    for number in range(jobs.MOST_EACH):
        ask(kind, temple, name=str(number))

    with pytest.raises(TooManyReadings):
        ask(kind, temple, name="fifth")

    assert ask(kind, temple, name="0").waits and ask(kind, temple, name="fifth", by="ananya").waits
    assert ask(kind_of(long, to_the_end=True), temple, name="an act on record").waits


def test_without_a_worker_that_has_the_store_the_answer_says_so_and_goes_on_when_one_comes(
    temple: Configuration,
) -> None:
    kind, store = kind_of(long), carrying_out.store_here()
    at_once = ask(kind, temple)
    jobs.host_looked(store="another", now=NOW + timedelta(seconds=6))
    missing = ask(kind, temple, at=NOW + timedelta(seconds=6))
    jobs.host_looked(store=store, now=NOW + timedelta(seconds=7))
    there = ask(kind, temple, at=NOW + timedelta(seconds=8))

    assert [answer.worker_missing is not None for answer in (at_once, missing, there)] == [False, True, False]


def test_results_are_removed_after_a_day(temple: Configuration) -> None:
    ask(kind_of(Mock(return_value=1)), temple)
    jobs.host_looked(store="", now=NOW)

    jobs.tidy(now=NOW + jobs.KEPT - timedelta(minutes=1))
    kept = LaneJob.objects.count(), ReadingHost.objects.count()
    jobs.tidy(now=NOW + jobs.KEPT + timedelta(minutes=1))

    assert kept == (1, 1) and not LaneJob.objects.exists() and not ReadingHost.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_starts_two_processes_at_most_and_ends_them(temple: Configuration) -> None:
    lane = reading_lane.ReadingLane(command=[sys.executable, "-c", "import time; time.sleep(60)"])
    for number in range(3):
        ask(kind_of(long), temple, name=str(number), at=NOW - timedelta(seconds=1))

    lane.look()
    lane.look()
    running = list(lane._running)
    stopped = threading.Event()
    stopped.set()
    lane.run_until(stopped)

    assert len(running) == 2 and all(process.poll() is not None for process in running)
    assert jobs.somebody_reads(store=carrying_out.store_here(), now=NOW)
    assert not jobs.somebody_reads(store=carrying_out.store_here(), now=NOW - timedelta(days=1)), "it is dated ahead"
