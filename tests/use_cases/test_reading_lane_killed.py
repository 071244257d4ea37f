"""A reading process that is killed in the middle of a job, for real: the next one takes the job up, twice at most."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backups_app.backup_files import locks
from tests.conftest import Migrated
from tests.fork_client import MANAGE
from tests.fork_server import ForkServer, Service
from tests.retention import conftest as retention
from tests.retention.conftest import Temple

temple = retention.temple
LONGEST_SECONDS = 60
ENQUEUE = """
from django.utils import timezone
from backups_app import configuration
from backups_app.use_cases.lanes import asking, verifications
asking.enqueue(verifications.KIND, configuration=configuration.current(), arguments={{"backup_id": "{backup_id}"}},
               by="ravi", origin="web", now=timezone.now())
"""


@dataclass
class Lane:
    """A reading lane with a database of its own: its rows are what a dead process leaves."""

    environment: dict[str, str]
    database: Path
    fork_server: ForkServer

    def manage(self, *arguments: str) -> None:
        self.fork_server.run(*arguments, environment=self.environment).check_returncode()

    def start(self) -> Service:
        with open(os.devnull, "wb") as nowhere:
            arguments = ("worker", "--lane", "reading")
            return self.fork_server.start(MANAGE, *arguments, environment=self.environment, output=nowhere)

    def job(self) -> tuple[str, int, str]:
        """Return the state, the tries and the failure of the only job."""
        state, tries, error = self._ask("SELECT state, tries, error FROM backups_app_lanejob")[0]
        return str(state), int(tries), str(error)

    def verdicts(self) -> list[str]:
        found = self._ask("SELECT result FROM backups_app_auditevent WHERE action = 'backup.verified' ORDER BY n")
        return [result for (result,) in found]

    def _ask(self, question: str) -> list[Any]:
        connection = sqlite3.connect(self.database, timeout=LONGEST_SECONDS)
        try:
            return connection.execute(question).fetchall()
        finally:
            connection.close()


@pytest.fixture
def lane(temple: Temple, tmp_path: Path, migrated: Migrated, fork_server: ForkServer) -> Lane:
    migrated(tmp_path / "django.sqlite3")
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'django.sqlite3'}",
        "MONGODB_LOCAL_URL": str(temple.configuration.local_url),
        "MONGODB_CLOUD_URL": "",
        "DATABASE_NAME": temple.database.name,
        "BACKUP_DIR": str(temple.configuration.backup_dir),
    }
    return Lane(environment=environment, database=tmp_path / "django.sqlite3", fork_server=fork_server)


def kill_while_it_reads(lane: Lane, temple: Temple, backup_id: str) -> None:
    """The lock of the backup is ours, so the process stands in the middle of its job until it dies."""
    tries = lane.job()[1]
    with locks.removing(temple.store.root, backup_id):
        process = lane.start()
        try:
            wait_until(lambda: lane.job()[:2] == ("running", tries + 1), process)
            wait_until(lambda: lane.verdicts()[-1:] == ["started"], process)  # the row of the job is first
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def wait_until(there: Callable[[], bool], process: Service) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not there() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert there()


def test_the_next_process_takes_up_a_job_once_and_closes_it_by_name_after_that(temple: Temple, lane: Lane) -> None:
    backup_id = temple.newest_real()
    lane.manage("shell", "-v", "0", "-c", ENQUEUE.format(backup_id=backup_id))
    kill_while_it_reads(lane, temple, backup_id)
    assert lane.job()[:2] == ("running", 1)

    lane.manage("worker", "--lane", "reading", "--once")
    assert lane.job()[:2] == ("done", 2)
    assert lane.verdicts() == ["started", "good"]

    lane.manage("shell", "-v", "0", "-c", ENQUEUE.format(backup_id=backup_id))
    for _ in range(2):
        kill_while_it_reads(lane, temple, backup_id)
    lane.manage("worker", "--lane", "reading", "--once")

    state, tries, error = lane.job()
    assert (state, tries) == ("failed", 2)
    assert "ReadingInterrupted" in error
    assert temple.newest_real() in temple.ids()
