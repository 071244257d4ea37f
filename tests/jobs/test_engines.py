"""What every engine of jobs keeps: a run that was sent twice runs once, and none is lost."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.jobs.house import Asker, House, until

pytestmark = pytest.mark.services
RUNS = 60
SLOTS = 6
STOP_IN_THE_DUMP = "before find bookings"


def test_sixty_runs_that_were_sent_twice_run_once(house: House) -> None:
    workers = [house.worker("host-a"), house.worker("host-b")]
    asker = house.asker()
    ids = [house.start(asker, times=2) for _ in range(RUNS)]
    assert {house.ended(backup_id)["status"] for backup_id in ids} == {"success"}
    until(lambda: sum(worker.lines("Nothing to do: the run is claimed or ended") for worker in workers) == RUNS)
    assert house.audited(asker, count=len(set(ids))) == sorted(set(ids))
    assert house.database["backup_metadata"].count_documents({}) == RUNS


def test_the_run_of_a_killed_worker_is_closed_and_the_next_one_works(house: House) -> None:
    first = house.worker("host-a", JOBS_TEST_STOP_AT=STOP_IN_THE_DUMP)
    asker = house.asker()
    killed = house.start(asker)
    first.wait_until_stopped()
    first.end()
    house.worker("host-b")
    following = house.start(asker)
    assert house.ended(following)["status"] == "success"
    assert house.run(killed)["status"] == "failed"
    assert house.run(killed)["error_code"] == "interrupted"


def test_a_frozen_worker_is_fenced_out(house: House) -> None:
    frozen = house.worker("host-a", JOBS_TEST_STOP_AT=STOP_IN_THE_DUMP)
    asker = house.asker()
    lost = house.start(asker)
    frozen.wait_until_stopped()
    other = house.worker("host-b")
    following = house.start(asker)
    assert house.ended(following)["status"] == "success"
    closed = house.run(lost)
    assert closed["status"] == "failed"
    frozen.signal(signal.SIGCONT)
    until(lambda: frozen.lines("Stopped: the run has another owner") == 1)
    assert house.run(lost) == closed
    other.end()
    assert house.ended(house.start(asker))["status"] == "success", "the frozen one works again"


def test_a_run_is_cancelled_within_seconds(house: House) -> None:
    house.worker("host-a", JOBS_TEST_SLOW="1")
    asker = house.asker()
    backup_id = house.start(asker)
    until(lambda: house.run(backup_id)["phase"] not in ("queued", "preflight"))
    asker.ask("cancel", backup_id=backup_id)
    asked_at = datetime.now(UTC).replace(tzinfo=None)
    ended = house.ended(backup_id)
    assert ended["status"] == "cancelled"
    assert ended["finished_at"].replace(tzinfo=None) - asked_at < timedelta(seconds=5)


@pytest.mark.parametrize("engine", ["redis", "rabbitmq"], indirect=True)
def test_a_message_wakes_a_worker(house: House) -> None:
    worker, asker = house.worker("host-a", JOBS_TEST_ONLY_WOKEN="yes"), house.asker()
    until(lambda: worker.lines("Listening to the broker") == 1)
    ids = [house.start(asker, times=2) for _ in range(3)]
    assert [house.ended(backup_id)["status"] for backup_id in ids] == ["success"] * 3
    assert house.audited(asker, count=len(ids)) == sorted(ids)


@pytest.mark.parametrize(
    ("engine", "lost"),
    [("postgresql", "postgresql"), ("redis", "broker"), ("rabbitmq", "broker"), ("redis", "postgresql")],
    indirect=["engine"],
)
def test_a_server_that_was_killed_loses_nothing_and_doubles_nothing(house: House, lost: str) -> None:
    worker, asker = house.worker("host-a"), house.asker()
    ids = [house.start(asker)]
    house.audited(asker, count=1)  # then it holds nothing in the Django database that the next run waits for
    worker.signal(signal.SIGSTOP)
    ids.append(house.start(asker))
    house.servers[lost].kill()
    worker.signal(signal.SIGCONT)
    if lost == "broker":
        house.ended(ids[-1])
        ids.append(house.start(asker))
        house.ended(ids[-1])
    else:
        until(lambda: worker.lines("The Django database does not answer") > 0)
    house.servers[lost].start()
    house.ended(ids[-1])
    ids.append(house.start(asker))
    assert [house.ended(backup_id)["status"] for backup_id in ids] == ["success"] * len(ids)
    assert house.audited(asker, count=len(ids)) == sorted(ids)


def test_schedules_of_four_workers_on_two_hosts_never_double(house: House) -> None:
    for host in ("host-a", "host-b"):
        house.worker(host)
    askers = [house.asker(host) for host in ("host-a", "host-a", "host-b", "host-b")]
    since = datetime.now(UTC).replace(second=0, microsecond=0)
    askers[0].ask("plan", name="nightly", work="backup", since=since.isoformat())
    for number in range(1, SLOTS + 1):
        slot = since + timedelta(minutes=number)
        until(partial(_look_until_decided, askers, slot))
        until(lambda: house.database["backup_metadata"].count_documents({"status": "in_progress"}) == 0)
    slots: list[dict[str, Any]] = askers[0].ask("slots")
    decided = Counter(slot["slot"] for slot in slots)
    assert decided == Counter((since + timedelta(minutes=number)).isoformat() for number in range(1, SLOTS + 1))
    runs = list(house.database["backup_metadata"].find({}))
    assert sorted(run["_id"] for run in runs) == sorted(slot["run"] for slot in slots)
    assert {run["status"] for run in runs} == {"success"}


def _look_until_decided(askers: list[Asker], slot: datetime) -> bool:
    """All look at once. A slot waits while the last run, which has ended, still holds its lease: they look again."""
    for asker in askers:
        asker.send("look", now=(slot + timedelta(seconds=1)).isoformat())
    for asker in askers:
        asker.answer()
    return slot.isoformat() in {decided["slot"] for decided in askers[0].ask("slots")}
