"""Every line of a real gunicorn is of one form: of its processes, of a request, of what is none."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from templeops import gunicorn_lines
from tests.conftest import NOBODY, ROOT, Migrated
from tests.fork_server import ForkServer
from tests.hosts.site import Client, Site, free_port, settings_of

Started = Callable[[str], Site]
LOADED_BY_THE_FIRST_PROCESS = {
    "backups_app", "backups_app.use_cases", "backups_app.use_cases.backups", "backups_app.use_cases.backups.stopping",
    "templeops", "templeops.buffering_worker", "templeops.gunicorn_lines",
}  # fmt: skip


@pytest.fixture
def started(tmp_path: Path, migrated: Migrated, fork_server: ForkServer) -> Iterator[Started]:
    """A web server with an access log, in a form."""
    sites = []

    def start(form: str) -> Site:
        migrated(tmp_path / "db.sqlite3")
        environment = settings_of(
            "lines", folder=tmp_path / form, mongodb=str(NOBODY),
            django_database=f"sqlite:///{tmp_path / 'db.sqlite3'}",
            LOG_FORMAT=form, GUNICORN_CMD_ARGS="--access-logfile - --log-level info",
        )  # fmt: skip
        sites.append(Site(environment=environment, folder=tmp_path / form, port=free_port(), fork_server=fork_server))
        sites[-1].start_web()
        return sites[-1]

    yield start
    for site in sites:
        site.stop()


def ask(port: int) -> str:
    """Ask for a page with words that nobody else should read, and send what is no request. Return the id of the first
    answer."""
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.sendall(b"GET /login/?next=%22devotee HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: one.recv(65536), b"")).decode()
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.sendall(b"NO REQUEST\r\n\r\n")
        one.recv(65536)
    return next(line for line in answer.splitlines() if line.startswith("X-Request-ID: ")).split()[1]


def test_json_with_the_id_of_the_answer(started: Started) -> None:
    site = started("json")
    request_id = ask(site.port)
    site._wait(lambda: "Invalid request" in site.log("web"))

    lines = [json.loads(line) for line in site.log("web").splitlines()]

    (ours,) = [line for line in lines if line.get("request_id") == request_id and line["logger"] == "gunicorn.access"]
    expected = {"method": "GET", "path": "/login/", "status": 200, "address": "127.0.0.1"}
    assert {name: ours[name] for name in expected} == expected
    assert ours["bytes"] > 1000 and ours["milliseconds"] >= 0
    (refused,) = [line for line in lines if line["message"].startswith("Invalid request")]
    assert (refused["level"], len(refused["request_id"])) == ("WARNING", 12)
    assert "Starting gunicorn" in lines[0]["message"] and lines[0]["pid"]
    assert "devotee" not in site.log("web")


def test_text_with_the_same_facts(started: Started) -> None:
    site = started("text")
    request_id = ask(site.port)
    site._wait(lambda: "Invalid request" in site.log("web"))

    printed = site.log("web")

    (ours,) = [line for line in printed.splitlines() if request_id in line]
    assert 'INFO gunicorn.access: Request answered request_id="' in ours and 'path="/login/" status=200' in ours
    assert " INFO gunicorn.error: Starting gunicorn" in printed and not printed.startswith("{")


def test_two_requests_of_one_connection_bear_two_ids(started: Started) -> None:
    site = started("json")
    client = Client(site.port, keep=True)
    for _ in range(2):
        client.get("/login/")
    site._wait(lambda: site.log("web").count('"/login/"') == 2)

    lines = [json.loads(line) for line in site.log("web").splitlines() if '"/login/"' in line]

    assert len({line["request_id"] for line in lines}) == 2


def test_the_first_process_loads_nothing_that_a_reload_should_replace() -> None:
    program = (
        "import sys, templeops.buffering_worker, templeops.gunicorn_lines;"
        "print(*(name for name in sys.modules if name.partition('.')[0] in ('backups_app', 'templeops', 'django')))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert set(loaded.stdout.split()) <= LOADED_BY_THE_FIRST_PROCESS


@pytest.mark.parametrize(
    ("named", "of_file", "wanted"), [("", "", "json"), (" text ", "json", "text"), ("", "text", "text")]
)
def test_the_form_is_that_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str, of_file: str, wanted: str
) -> None:
    monkeypatch.setenv("LOG_FORMAT", named)
    monkeypatch.setattr(gunicorn_lines, "BASE_DIR", tmp_path)
    (tmp_path / ".env").write_text(f"LOG_FORMAT={of_file}\n")

    assert gunicorn_lines.log_format() == wanted


@pytest.mark.parametrize("as_json", [True, False])
def test_a_failure_before_the_application_is_loaded_keeps_its_traceback(as_json: bool) -> None:
    try:
        raise ValueError("no such module")
    except ValueError:
        failure: Any = sys.exc_info()
    record = logging.makeLogRecord({"name": "gunicorn.error", "levelname": "ERROR", "msg": "Boot", "exc_info": failure})

    line = gunicorn_lines.PlainLines(as_json=as_json).format(record)

    assert "ValueError: no such module" in line and ("\n" in line) is not as_json


@pytest.mark.parametrize("as_json", [True, False])
def test_what_a_message_or_an_exception_says_begins_no_line(as_json: bool) -> None:
    strange = "fine\u2028FORGED\u0085FORGED\nFORGED\ud800"
    try:
        raise ValueError(strange)
    except ValueError:
        failure: Any = sys.exc_info()
    record = logging.makeLogRecord({"name": "gunicorn.error", "msg": strange, "exc_info": failure})

    _, *rest = gunicorn_lines.PlainLines(as_json=as_json).format(record).encode().decode().splitlines()

    assert all(line.startswith("  ") and line.isprintable() for line in rest) and bool(rest) is not as_json
