"""`manage.py serve`: pages, API and worker in one command."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backups_app.access.secrecy import private_files
from backups_app.errors import TempleOpsError
from backups_app.management import migrations_applied
from backups_app.management.demo import servers as demo_servers
from backups_app.management.supervisor import Service, Supervisor
from backups_app.models import User

STOP_PATIENCE_SECONDS = 30.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Command(BaseCommand):
    help = "Serve pages and API and run backups, all in one command, until Ctrl-C."
    _log: Path | None = None
    requires_system_checks = ()  # each child has its own; the demo has no URL before it starts

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="TCP port to serve on (8000).")
        parser.add_argument("--host", default="127.0.0.1", help="Address to serve on (127.0.0.1: this machine only).")
        parser.add_argument(
            "--demo",
            action="store_true",
            help="Start two MongoDB servers with a small temple, unless servers are configured.",
        )

        parser.add_argument("--log", type=Path, help="Append the output of web server and worker to this file.")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, self._log = options["host"], options["port"], options["log"]
        _require_free(host, port)
        private_files.tighten()
        try:
            with contextlib.ExitStack() as stack:
                environment: Mapping[str, str] = {}
                if options["demo"] and not demo_servers.others_are_configured():
                    environment = self._start_demo(stack, host)
                elif options["demo"]:
                    self.stdout.write("A database is configured, so the demo's own servers stay off.")
                    self._manage("migrate", "--verbosity", "0", environment=environment)
                if environment:
                    environment = {**environment, "SITE_URL": f"http://{host}:{port}"}
                if not environment:
                    migrations_applied.require()
                if not environment and not User.objects.exists():
                    self.stdout.write("Nobody can sign in yet. Make a Super Admin: manage.py createsuperuser")
                self._serve(host, port, environment)
        except TempleOpsError as error:
            raise CommandError(str(error), returncode=error.exit_code) from error

    def _start_demo(self, stack: contextlib.ExitStack, host: str) -> Mapping[str, str]:
        """Return the environment that leads children to the demo's databases, which run until the stack closes."""
        if host not in LOOPBACK:
            raise CommandError(f"The demo's passwords are known to everybody: it is not served on {host}.")
        self.stdout.write("Starting two MongoDB servers: the temple's own, and one that stands for Atlas …")
        environment = stack.enter_context(demo_servers.running(settings.BASE_DIR))
        self._manage("migrate", "--verbosity", "0", environment=environment)
        self._manage("demo", "--history", environment=environment)
        return environment

    def _serve(self, host: str, port: int, environment: Mapping[str, str]) -> None:
        address = f"http://{host}:{port}/"
        if self._log is not None:
            self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._say(f"The log is written to {self._log}")
        services = [
            Service(name="web server", command=_gunicorn(host, port), environment=environment, log=self._log),
            Service(name="worker", command=_manage_py("worker"), environment=environment, log=self._log),
        ]
        supervisor = Supervisor(services=services, say=self._say, patience_seconds=STOP_PATIENCE_SECONDS)
        supervisor.run(started=lambda: self._say(f"TempleOps serves {address}  (Ctrl-C stops it)", when=(host, port)))
        self._say("Stopped.")

    def _say(self, sentence: str, *, when: tuple[str, int] | None = None) -> None:
        """Print a sentence; `when` somebody listens there, or after 20 seconds without."""
        if when is not None and not _listens(when, seconds=20):
            where = f"in {self._log}" if self._log else "above"
            sentence = f"The web server does not answer yet. Its output is {where}."
        self.stdout.write(sentence)
        self.stdout.flush()

    def _manage(self, *arguments: str, environment: Mapping[str, str]) -> None:
        finished = subprocess.run(_manage_py(*arguments), env={**os.environ, **environment}, check=False)
        if finished.returncode != 0:
            raise CommandError(f"manage.py {arguments[0]} failed. Its output is above.")


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} of {host} cannot be used ({error.strerror}): stop the program that serves there, or "
                f"choose another port: make run PORT={port + 1}, or manage.py serve --port {port + 1}"
            ) from error


def _listens(address: tuple[str, int], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
            return True
        time.sleep(0.1)
    return False


def _manage_py(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def _gunicorn(host: str, port: int) -> list[str]:
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return [
        sys.executable, "-m", "gunicorn", "--config", str(settings.BASE_DIR / "gunicorn.conf.py"), "--bind", bind,
        "--preload",  # loaded once for both workers; new code comes with a new start here, not with SIGHUP
    ]  # fmt: skip
