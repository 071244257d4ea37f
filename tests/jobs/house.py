"""A temple with web processes and workers on several hosts, on one engine of jobs."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.mongo import embedded
from tests.conftest import ROOT
from tests.services.killable import Server

PATIENCE_SECONDS = 90.0
"""A test that waits for longer has failed. How long things take is not asserted by it."""


@dataclass(kw_only=True)
class Worker:
    """`manage.py worker` on a host."""

    process: subprocess.Popen[bytes]
    log: Path

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def wait_until_stopped(self) -> None:
        """Return when it stands still (SIGSTOP)."""
        until(lambda: self._state() == "T")

    def lines(self, part: str) -> int:
        """Return how many lines of its log hold this text."""
        return sum(part in line for line in self.log.read_text(errors="replace").splitlines())

    def end(self) -> None:
        """Kill it with everything it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _state(self) -> str:
        assert self.process.poll() is None, f"the worker ended: {self.log.read_text()[-3000:]}"
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]


@dataclass(kw_only=True)
class Asker:
    """A process that starts runs and looks at schedules, on a host (`tests/jobs/asking.py`)."""

    process: subprocess.Popen[str]

    def ask(self, do: str, **arguments: Any) -> Any:
        """Do one thing and return its answer."""
        self.send(do, **arguments)
        return self.answer()

    def send(self, do: str, **arguments: Any) -> None:
        """Begin one thing."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """Return the answer to the oldest thing that was begun. A process that stays silent says where it stands, in
        the standard error of the tests, and the test has failed."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], PATIENCE_SECONDS)[0]:
            self.process.send_signal(signal.SIGUSR1)
            pytest.fail(f"no answer within {PATIENCE_SECONDS:.0f} s")
        line = self.process.stdout.readline()
        assert line, "the process ended"
        return json.loads(line).get("answer")

    def end(self) -> None:
        """End it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


@dataclass(kw_only=True)
class House:
    """What a test asks for. `servers` are those of the engine that may be killed: PostgreSQL, the broker."""

    engine: str
    database: Database[Any]
    environment: Mapping[str, str]
    folder: Path
    servers: Mapping[str, Server]
    _workers: list[Worker] = field(default_factory=list)
    _askers: list[Asker] = field(default_factory=list)

    def worker(self, host: str, **more: str) -> Worker:
        """Start a worker and wait until it is ready. `more`: variables of `tests/jobs/on_a_host.py`."""
        log = self.folder / f"worker-{len(self._workers)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                embedded.tethered(_python("on_a_host", "worker"), number=signal.SIGKILL), stdout=output, stderr=output,
                start_new_session=True, env=self._environment(host, **more), cwd=ROOT,
            )  # fmt: skip
        found = Worker(process=process, log=log)
        self._workers.append(found)
        until(lambda: found.lines("Worker ready.") > 0 or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        return found

    def asker(self, host: str = "web") -> Asker:
        """Start a process that asks."""
        process = subprocess.Popen(
            _python("asking"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environment(host),
            cwd=ROOT,
        )  # fmt: skip
        found = Asker(process=process)
        self._askers.append(found)
        found.answer()
        return found

    def start(self, asker: Asker, *, times: int = 1) -> str:
        """Start a run as soon as no other one is active, and return its id."""
        ids: list[str] = []

        def started() -> bool:
            backup_id = asker.ask("start", times=times)
            ids.extend([backup_id] if backup_id else [])
            return bool(backup_id)

        until(started)
        return ids[0]

    def run(self, backup_id: str) -> Mapping[str, Any]:
        """Return the record of a run."""
        found = self.database["backup_metadata"].find_one({"_id": backup_id})
        assert found is not None
        return dict(found)

    def ended(self, backup_id: str) -> Mapping[str, Any]:
        """Wait until a run has ended and return its record."""
        until(lambda: self.run(backup_id)["status"] != "in_progress")
        return self.run(backup_id)

    def audited(self, asker: Asker, *, count: int) -> list[str]:
        """Wait until the audit trail has `count` ends of backups at least: each is written after the end itself, into
        another database. Return the runs they are of, in order."""
        until(lambda: len(asker.ask("audit", action="backup.finished")) >= count)
        return sorted(asker.ask("audit", action="backup.finished"))

    def clear(self) -> None:
        """End every process."""
        for worker in self._workers:
            worker.end()
        for asker in self._askers:
            asker.end()

    def _environment(self, host: str, **more: str) -> dict[str, str]:
        return {**os.environ, **self.environment, "JOBS_TEST_HOST": host, **more}


def until(happened: Callable[[], bool]) -> None:
    """Return when it has happened. Raise AssertionError when it does not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"tests.jobs.{module}", *arguments]
