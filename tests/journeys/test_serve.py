"""`serve`: one command that starts all, keeps it running, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backups_app.management.demo import servers as demo_servers
from backups_app.mongo.embedded import EmbeddedServer, free_port
from tests.conftest import Migrated

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 40.0

Serve = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environment(tmp_path: Path, local_server: EmbeddedServer) -> dict[str, str]:
    """What an operator with one MongoDB has set."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
        "MONGODB_LOCAL_URL": local_server.uri,
        "DATABASE_NAME": "temple_served",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "BACKUP_DIR": str(tmp_path / "backups"),
    }


@pytest.fixture
def django_database(tmp_path: Path, migrated: Migrated) -> None:
    """What `migrate` makes."""
    migrated(tmp_path / "db.sqlite3")


@pytest.fixture
def serve(environment: dict[str, str]) -> Iterator[Serve]:
    """Start `manage.py serve …`; whatever is left at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", *arguments],
            cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_it_serves_works_and_stops_with_everything_it_started(serve: Serve, django_database: None) -> None:
    port = free_port()
    process = serve("--port", str(port))
    _read_until(process, "manage.py createsuperuser")
    _read_until(process, f"serves http://127.0.0.1:{port}/")
    children = _wait_for_children(process, 2)

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/") as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 0
    assert "Stopped." in printed
    assert "Traceback" not in printed
    assert all(_is_gone(child) for child in children)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_a_child_that_dies_is_named_and_started_again(serve: Serve, django_database: None) -> None:
    process = serve("--port", str(free_port()))
    _read_until(process, "serves http")
    children = _wait_for_children(process, 2)
    worker = next(child for child in children if _command_line(child).endswith("manage.py worker "))

    os.kill(worker, signal.SIGKILL)
    reported = _read_until(process, "The worker ended")
    _read_until(process, "Worker ready.")

    assert "starts again" in reported
    again = _wait_for_children(process, 2)
    assert worker not in again


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_nothing_survives_when_it_is_killed(serve: Serve, django_database: None) -> None:
    process = serve("--port", str(free_port()))
    _read_until(process, "serves http")
    children = _wait_for_children(process, 2)

    process.kill()
    process.wait()

    assert all(_is_gone(child) for child in children)


def test_a_taken_port_is_one_sentence(serve: Serve, django_database: None) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        printed, _ = serve("--port", str(port)).communicate(timeout=SECONDS)

    assert f"Port {port} of 127.0.0.1 cannot be used" in printed
    assert f"--port {port + 1}" in printed
    assert len(printed.strip().splitlines()) == 1


def test_an_unmigrated_database_is_one_sentence(serve: Serve) -> None:
    process = serve("--port", str(free_port()))

    printed, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 1
    assert "manage.py migrate" in printed
    assert "Traceback" not in printed


def test_the_demo_is_never_served_to_others(serve: Serve, environment: dict[str, str]) -> None:
    for name in ("MONGODB_LOCAL_URL", "DATABASE_URL"):
        del environment[name]
    environment["TEMPLEOPS_DEMO"] = "true"
    process = serve("--demo", "--host", "0.0.0.0", "--port", str(free_port()))

    printed, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 1
    assert "known to everybody" in printed


def test_the_demo_s_servers_keep_their_data_and_are_found_while_they_run(tmp_path: Path) -> None:
    note = tmp_path / ".demo" / "env"
    with demo_servers.running(tmp_path) as environment:
        assert note.read_text() == "".join(f"{name}={value}\n" for name, value in environment.items())
        _client(environment["MONGODB_LOCAL_URL"], lambda client: client.seeded.bookings.insert_one({"_id": 1}))
    assert not note.exists()

    with demo_servers.running(tmp_path) as environment:
        found = _client(environment["MONGODB_LOCAL_URL"], lambda client: client.seeded.bookings.count_documents({}))

    assert found == 1


def _client(uri: str, act: Callable[[Any], Any]) -> Any:
    from pymongo import MongoClient

    with MongoClient(uri) as client:  # type: ignore[var-annotated]
        return act(client)


def _read_until(process: subprocess.Popen[str], wanted: str) -> str:
    """Return the line that says it. Lines are few, so reading one never waits for long without an end."""
    assert process.stdout is not None
    read = []
    for line in process.stdout:
        read.append(line)
        if wanted in line:
            return line
    raise AssertionError(f"it ended without saying {wanted!r}: {read}")


def _wait_for_children(process: subprocess.Popen[str], count: int) -> list[int]:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
        if len(children) == count and all(_command_line(child) for child in children):
            return children
        time.sleep(0.1)
    raise AssertionError(f"not {count} children after {SECONDS} s")


def _command_line(process_id: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process_id}/cmdline").read_text().replace("\0", " ")
    return ""


def _is_gone(process_id: int) -> bool:
    for _ in range(int(SECONDS * 10)):
        if not _command_line(process_id):  # empty for one that is dead and not yet buried
            return True
        time.sleep(0.1)
    return False
