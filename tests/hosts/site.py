"""A site as an operator runs it: gunicorn and workers as processes of their own, and a client of its API."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.fork_client import MANAGE
from tests.fork_server import GUNICORN, ForkServer, Service

Process = subprocess.Popen[bytes] | Service
ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-long-enough-password"
SECONDS = 60.0
SIGNED_IN_SECONDS = 120.0
"""A token is good for five minutes."""
KEEP = ("PATH", "LANG", "PYTHONPYCACHEPREFIX")


def settings_of(name: str, *, folder: Path, mongodb: str, django_database: str, **more: str) -> dict[str, str]:
    """Return the environment of one site: everything of its own below `folder`."""
    (folder / "backups").mkdir(mode=0o700, parents=True)
    return {
        **{key: os.environ[key] for key in KEEP if key in os.environ},
        "HOME": str(folder), "PYTHONUNBUFFERED": "1", "MONGODB_LOCAL_URL": mongodb, "DATABASE_URL": django_database,
        "BACKUP_DIR": str(folder / "backups"), "INSTANCE_NAME": name, "SECRET_KEY": f"{name}-" + "0123456789abcdef" * 4,
        "AUDIT_KEY": f"{name}-audit-" + "0123456789abcdef" * 4, **more,
    }  # fmt: skip


@dataclass
class Site:
    """Processes of one site. `stop` ends all that were started."""

    environment: Mapping[str, str]
    folder: Path
    port: int
    fork_server: ForkServer | None = None
    """Runs and starts what is asked for without importing every library again; without it Python starts afresh."""
    processes: list[Process] = field(default_factory=list)

    def manage(self, *arguments: str, **more: str) -> str:
        """Run a command of manage.py and return what it printed."""
        environment = {**self.environment, **more}
        if self.fork_server is not None:
            ended = self.fork_server.run(*arguments, environment=environment)
        else:
            command = [sys.executable, "manage.py", *arguments]
            ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def prepare(self, username: str) -> None:
        """Make the Django database, with one Super Admin."""
        self.manage("migrate", "--verbosity", "0")
        self.add_super_admin(username)

    def add_super_admin(self, username: str) -> None:
        self.manage(
            "createsuperuser", "--noinput", DJANGO_SUPERUSER_USERNAME=username, DJANGO_SUPERUSER_PASSWORD=PASSWORD
        )

    def start_web(self) -> Process:
        """Start gunicorn as the documents do, and wait until it answers."""
        web = self._start("web", GUNICORN, "--bind", f"127.0.0.1:{self.port}")
        self._wait(lambda: Client(self.port).get("/health/live")[0] == 200)
        return web

    def start_serve(self) -> Process:
        """Start `serve`, web and worker in one, and wait until both are ready."""
        process = self._start("serve", MANAGE, "serve", "--port", str(self.port))
        self._wait(lambda: "Worker ready." in self.log("serve") and Client(self.port).get("/health/live")[0] == 200)
        return process

    def start_worker(self) -> Process:
        """Start a worker, and wait until it takes runs."""
        log = self.folder / "worker.log"
        before = log.read_text().count("Worker ready.") if log.exists() else 0
        worker = self._start("worker", MANAGE, "worker")
        self._wait(lambda: log.read_text().count("Worker ready.") > before)
        return worker

    def log(self, name: str) -> str:
        """Return what web or worker printed."""
        return (self.folder / f"{name}.log").read_text()

    def stop(self) -> None:
        """End every process."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()

    def _start(self, name: str, program: str, *arguments: str) -> Process:
        # Each leads a session, as an operating system starts services: Linux shares processors among sessions.
        with (self.folder / f"{name}.log").open("ab") as output:
            process = self._started(program, *arguments, output=output)
        self.processes.append(process)
        return process

    def _started(self, program: str, *arguments: str, output: IO[bytes]) -> Process:
        if self.fork_server is not None:
            return self.fork_server.start(program, *arguments, environment=self.environment, output=output)
        started = ["-m", GUNICORN] if program == GUNICORN else [program]
        return subprocess.Popen(
            [sys.executable, *started, *arguments], cwd=ROOT, env=dict(self.environment), stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip

    def _wait(self, is_so: Any) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                if is_so():
                    return
            time.sleep(0.1)
        raise AssertionError("\n".join(path.read_text()[-2000:] for path in self.folder.glob("*.log")))


class Client:
    """A client of the API that keeps its connection, as browsers and proxies do. A kept connection that was closed
    meanwhile is opened again, once; every other failure is raised."""

    def __init__(self, port: int, *, keep: bool = False) -> None:
        self.port, self.token, self._keep, self._signed_in_at = port, "", keep, 0.0
        self._connection: http.client.HTTPConnection | None = None

    def log_in(self, username: str) -> None:
        """Sign in."""
        status, answer = self.send("POST", "/api/auth/login", {"username": username, "password": PASSWORD})
        assert status == 200, answer
        self.token, self._signed_in_at = answer["access"], time.monotonic()

    def stay_signed_in(self, username: str) -> None:
        """Sign in again before the token is too old, as a client does that works for long."""
        if time.monotonic() - self._signed_in_at > SIGNED_IN_SECONDS:
            self.log_in(username)

    def get(self, path: str) -> tuple[int, Any]:
        """Return status and JSON, or text."""
        return self.send("GET", path, None)

    def send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Send a request; return status and JSON, or text."""
        fresh = self._connection is None
        try:
            return self._send(method, path, body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            if fresh or method != "GET":
                raise
            return self._send(method, path, body)
        finally:
            if not self._keep:
                self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json", "User-Agent": "tests"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.will_close:
            self.close()
        return answer.status, json.loads(text) if text.startswith(("{", "[")) else text


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
