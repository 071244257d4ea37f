"""Starts real processes that carry out `manage.py` commands, and that can be killed at any hook.

A process that has imported Django once forks a child for each command: a kill costs half a second instead of three. The
child is a process like any other: own pid, own connections, ended by SIGKILL.

    with ProcessPool(folder=…) as process_pool:
        child = process_pool.start(configuration, ["backup_now", "--delete-bookings", …], kill_at=117)
        ended = child.wait()                 Ended(exit_code, stdout, hooks)
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from backups_app.configuration import Configuration
from backups_app.mongo import processes

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended. `exit_code` is negative for a signal; `hooks` are the names of those it reached."""

    exit_code: int
    stdout: str
    stderr: str
    hooks: list[str]

    @property
    def was_killed(self) -> bool:
        return self.exit_code == -signal.SIGKILL

    def json(self) -> dict[str, Any]:
        """Return what `--json` printed."""
        assert self.stdout, f"it printed nothing and ended with {self.exit_code}: {self.stderr[-3000:]}"
        found: dict[str, Any] = json.loads(self.stdout)
        return found


@dataclass(kw_only=True)
class Child:
    """A command in a process of its own."""

    pid: int
    folder: Path
    hooks: list[str] = field(default_factory=list)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait_until_stopped(self) -> None:
        """Return when it stands still (SIGSTOP). Raise AssertionError when it ends instead."""
        assert self.stops(), f"it ended before the hook was reached: {self._read('stderr')[-3000:]}"

    def stops(self) -> bool:
        """Return True when it stands still (SIGSTOP), False when it ends instead."""
        while not self._is_stopped():
            if is_gone(self.pid):
                return False
            time.sleep(0.01)
        return True

    def _is_stopped(self) -> bool:
        return not is_gone(self.pid) and Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def wait(self, seconds: float = 120.0) -> Ended:
        """Return when it has ended. Raise AssertionError when it does not."""
        deadline = time.monotonic() + seconds
        exit_file = self.folder / "exit"
        while not exit_file.exists():
            if time.monotonic() > deadline:
                self._report_where_it_hangs()
            time.sleep(0.01)
        return Ended(
            exit_code=int(exit_file.read_text()),
            stdout=self._read("stdout"),
            stderr=self._read("stderr"),
            hooks=self._read("hooks").splitlines(),
        )

    def _report_where_it_hangs(self) -> NoReturn:
        self.signal(signal.SIGUSR1)
        time.sleep(1)
        self.signal(signal.SIGKILL)
        last = self._read("hooks").splitlines()[-3:]
        raise AssertionError(f"a command did not end; its last hooks {last}\n{self._read('stderr')[-6000:]}")

    def _read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""


class ProcessPool:
    """The process that forks. `folder` holds its Django database and what commands print."""

    def __init__(self, *, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def database(self) -> Path:
        """The Django database of its commands."""
        return self._folder / "django.sqlite3"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "templeops.settings",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "MONGODB_LOCAL_URL": "",
            "MONGODB_CLOUD_URL": "",
            "PYTHONPATH": str(ROOT),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forking", str(os.getpid())],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._ask({"ready": True}) == {"ready": True}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def start(
        self,
        configuration: Configuration,
        arguments: list[str],
        *,
        kill_at: int | str = 0,
        stop_at: int | str = 0,
        file_limit: int | None = None,
        impatient: bool = False,
        broken_disk: dict[str, Any] | None = None,
    ) -> Child:
        """Start a command; its hooks are watched. `file_limit`: no file of it can grow beyond so many bytes.
        `impatient`: servers that do not answer are given up after 10 and 4 seconds instead of 30 and 60.
        `broken_disk`: what `BrokenDisk` is given, paths as strings."""
        self._number += 1
        folder = self._folder / f"command-{self._number}"
        folder.mkdir()
        values = {
            name: str(value) if isinstance(value, str | Path) else value
            for name, value in asdict(configuration).items()
        }
        order = {
            "folder": str(folder),
            "configuration": values,
            "arguments": arguments,
            "kill_at": kill_at,
            "stop_at": stop_at,
            "file_limit": file_limit,
            "impatient": impatient,
            "broken_disk": broken_disk,
        }
        return Child(pid=self._ask(order)["pid"], folder=folder)

    def run(self, configuration: Configuration, arguments: list[str], **more: Any) -> Ended:
        """Start a command and wait for its end."""
        return self.start(configuration, arguments, **more).wait()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the workshop ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    return processes.started(pid) == ""
