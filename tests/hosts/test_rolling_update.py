"""Web and workers restarted one by one while people work and runs go on: no request fails, no run is lost."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.mongo.embedded import EmbeddedServer
from tests.fork_server import ForkServer
from tests.hosts.site import Client, Site, free_port, settings_of
from tests.services.brokers import redis
from tests.services.postgres import postgres

ROUNDS = 2
READERS, REST_SECONDS = 4, 0.2
ASKED_MEANWHILE = 40
"""So many requests at least meet each restart of the web processes. Readers that never rest ask more, and take the two
processors from what they wait for."""
PAGES = ("/api/backups", "/api/backup/status", "/login/", "/health/ready")
DOCUMENTS = 3_000


@pytest.fixture(params=["sqlite", pytest.param("postgresql and redis", marks=pytest.mark.services)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Where people, schedules and jobs are kept, and what wakes the workers."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield {"django_database": f"sqlite:///{tmp_path / 'db.sqlite3'}"}
            return
        records = stack.enter_context(postgres()).create("rolling")
        yield {"django_database": records, "JOBS_BROKER_URL": stack.enter_context(redis(tmp_path)).url}


@pytest.fixture
def site(
    tmp_path: Path, local_server: EmbeddedServer, local_db: Database[dict[str, Any]], engine: dict[str, str],
    fork_server: ForkServer,
) -> Iterator[Site]:  # fmt: skip
    local_db["bookings"].insert_many([{"_id": n, "name": "Lakshmi", "note": "x" * 500} for n in range(DOCUMENTS)])
    environment = settings_of(
        "rolling", folder=tmp_path / "site", mongodb=local_server.uri, DATABASE_NAME=local_db.name, **engine
    )
    found = Site(environment=environment, folder=tmp_path / "site", port=free_port(), fork_server=fork_server)
    found.prepare("ananya")
    yield found
    found.stop()


class People:
    """They read pages, and one of them makes one backup after another and waits for each, until they are stopped."""

    def __init__(self, port: int) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.failures: list[str] = []
        self.runs: list[str] = []
        self._port, self._stopped = port, threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(n,)) for n in range(READERS)]
        self._threads.append(threading.Thread(target=self._back_up))

    def __enter__(self) -> People:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _read(self, number: int) -> None:
        client = Client(self._port, keep=number % 2 == 0)
        client.log_in("ananya")
        while not self._stopped.wait(REST_SECONDS):
            for path in PAGES:
                self._ask(client, "GET", path)

    @property
    def asked(self) -> int:
        """How many requests were answered so far."""
        return sum(self.answers.values())

    def _back_up(self) -> None:
        client = Client(self._port)
        client.log_in("ananya")
        while not self._stopped.is_set():
            answer = self._ask(client, "POST", "/api/backup", {"delete_bookings": False})
            if answer is None:
                continue
            self.runs.append(answer["backup_id"])
            while not self._stopped.is_set():
                found = self._ask(client, "GET", f"/api/backups/{answer['backup_id']}")
                if found is None or found["status"] != "in_progress":
                    break
                time.sleep(0.1)

    def _ask(self, client: Client, method: str, path: str, body: Any = None) -> Any:
        try:
            client.stay_signed_in("ananya")
            status, answer = client.send(method, path, body)
        except Exception as failure:  # noqa: BLE001  (whatever it is, it is counted)
            self.failures.append(f"{method} {path}: {failure!r}")
            return None
        self.answers[path.partition("/20")[0], status] += 1
        if status not in (200, 202):
            self.failures.append(f"{method} {path}: {status} {answer}")
            return None
        return answer


def test_nothing_fails_and_nothing_is_lost(site: Site) -> None:
    web, first, second = site.start_web(), site.start_worker(), site.start_worker()

    with People(site.port) as people:
        for _ in range(ROUNDS):
            _wait_for_runs(people, 2)
            asked = people.asked
            web.send_signal(signal.SIGHUP)
            _wait_for_runs(people, 2)
            _wait_for_requests(people, asked + ASKED_MEANWHILE)
            first = _replaced(site, first)
            _wait_for_runs(people, 1)
            second = _replaced(site, second)
        _wait_for_runs(people, 1)

    client = Client(site.port)
    client.log_in("ananya")
    ended = {one: _end_of(client, one) for one in people.runs}
    print(f"\n{sum(people.answers.values())} answers {dict(people.answers)}, {len(ended)} runs")
    assert people.failures == []
    assert len(ended) > ROUNDS * 4
    assert set(ended.values()) == {"success"}, ended
    assert "Traceback" not in site.log("web") + site.log("worker")


def test_who_waits_for_a_run_is_answered_when_its_process_stops(site: Site) -> None:
    """Without a worker the run waits; the one who asked for it waits, too."""
    web, client, answers = site.start_web(), Client(site.port), []
    client.log_in("ananya")
    asked = threading.Thread(
        target=lambda: answers.append(client.send("POST", "/api/backup", {"delete_bookings": False}))
    )
    asked.start()
    other = Client(site.port)
    other.log_in("ananya")
    site._wait(lambda: other.get("/api/backups?status=all")[1])

    web.send_signal(signal.SIGHUP)
    asked.join(timeout=20)

    ((status, answer),) = answers
    assert (status, answer["status"]) == (202, "in_progress")


def _replaced(site: Site, worker: Any) -> Any:
    """Start another worker, let the old one finish its run and end."""
    another = site.start_worker()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0
    return another


def _wait_for_runs(people: People, count: int) -> None:
    enough = len(people.runs) + count
    _wait_for(people, lambda: len(people.runs) >= enough)


def _wait_for_requests(people: People, enough: int) -> None:
    _wait_for(people, lambda: people.asked >= enough)


def _wait_for(people: People, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline, people.failures
        time.sleep(0.05)


def _end_of(client: Client, backup_id: str) -> str:
    while True:
        status, run = client.get(f"/api/backups/{backup_id}")
        assert status == 200, run
        if run["status"] != "in_progress":
            return str(run["status"])
        time.sleep(0.2)
