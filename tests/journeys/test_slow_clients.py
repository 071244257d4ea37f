"""`serve` answers while others send slowly, send too much, or do not read what they asked for."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backups_app.mongo.embedded import free_port
from tests.conftest import Migrated
from tests.fork_server import GUNICORN, ForkServer

QUICK_SECONDS = 4.0
"""A page takes a fraction of a second, more where other tests run beside it; behind a slow client it would take ten."""
HEAD = "POST /login/ HTTP/1.1\r\nHost: localhost\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory, migrated: Migrated, fork_server: ForkServer
) -> Iterator[tuple[str, int]]:
    """gunicorn as the documents start it, with its temporary files in a folder of their own."""
    folder = tmp_path_factory.mktemp("serving")
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    environment = {
        **clean, "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}", "SECRET_KEY": "k3y" + "0123456789abcdef" * 4,
        "AUDIT_KEY": "4ud1t" + "0123456789abcdef" * 4, "MONGODB_LOCAL_URL": "mongodb://127.0.0.1:1/",
        "BACKUP_DIR": str(folder / "backups"), "ALLOW_PLAIN_HTTP": "true", "BACKUP_SYNC_WAIT_SECONDS": "2",
    }  # fmt: skip
    migrated(folder / "db.sqlite3")
    port = free_port()
    command = (GUNICORN, "templeops.wsgi", "--bind", f"127.0.0.1:{port}")
    with (folder / "gunicorn.log").open("wb") as output:
        process = fork_server.start(*command, environment=environment, output=output)
    try:
        _wait_until_it_answers(port)
        yield "127.0.0.1", port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/login/", timeout=5).read()
            return
        time.sleep(0.2)
    raise AssertionError("gunicorn does not answer")


SLOW = {
    "half a head": b"GET /login/ HTTP/1.1\r\nHost: loc",
    "half a body": (HEAD + FORM + "Content-Length: 1000\r\n\r\nusername=").encode(),
    "nothing": b"",
    "half a second request": b"GET /health/nothing HTTP/1.1\r\nHost: localhost\r\n\r\nGET /login/ HTTP/1.1\r\nHo",
    "half a chunk": (HEAD + FORM + "Transfer-Encoding: chunked\r\n\r\n5\r\nus").encode(),
    "asked to close, and stays": b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "part of a file too large": (
        HEAD + "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000000\r\n\r\n--x\r\n"
    ).encode(),
}


@pytest.mark.parametrize("how", SLOW)
def test_two_hundred_slow_sockets_leave_the_pages_quick(address: tuple[str, int], how: str) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            client = stack.enter_context(socket.create_connection(address, timeout=10))
            client.sendall(SLOW[how])

        seconds = sorted(_time_of_login(address) for _ in range(40))

    assert statistics.quantiles(seconds, n=20)[-1] < QUICK_SECONDS, seconds[-5:]


def _time_of_login(address: tuple[str, int]) -> float:
    begun = time.monotonic()
    with urllib.request.urlopen(f"http://{address[0]}:{address[1]}/login/", timeout=20) as answer:
        answer.read()
    return time.monotonic() - begun


@pytest.mark.parametrize(("how", "most"), [("half a head", 14.0), ("nothing", 14.0)])
def test_a_slow_head_is_closed(address: tuple[str, int], how: str, most: float) -> None:
    begun = time.monotonic()
    with socket.create_connection(address, timeout=40) as client:
        client.sendall(SLOW[how])
        answer = b"".join(iter(lambda: client.recv(4096), b""))

    assert time.monotonic() - begun < most
    assert answer.startswith(b"HTTP/1.1 408") or not SLOW[how]


def test_a_dripping_head_is_closed_at_the_same_time_as_a_silent_one(address: tuple[str, int]) -> None:
    begun = time.monotonic()
    with socket.create_connection(address, timeout=40) as client, contextlib.suppress(OSError):
        client.sendall(b"GET /login/ HTTP/1.1\r\n")
        while time.monotonic() - begun < 20:
            client.sendall(b"X-A: b\r\n")
            time.sleep(0.5)

    assert time.monotonic() - begun < 16


def ask(address: tuple[str, int], sent: bytes, *, piece_seconds: float = 0.0) -> bytes:
    """Send and return the whole answer."""
    with socket.create_connection(address, timeout=30) as client:
        if piece_seconds:
            for at in range(0, len(sent), 40):
                client.sendall(sent[at : at + 40])
                time.sleep(piece_seconds)
        else:
            client.sendall(sent)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_request_in_pieces_is_answered_as_one(address: tuple[str, int]) -> None:
    body = b"username=" + b"a" * 300
    sent = (HEAD + FORM + f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body

    assert ask(address, sent, piece_seconds=0.01).startswith(b"HTTP/1.1 403")  # no CSRF token: it reached Django


def test_two_requests_at_once_get_two_answers_in_their_order(address: tuple[str, int]) -> None:
    one = b"GET /login/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    two = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answer = ask(address, one + two)

    assert answer.count(b"HTTP/1.1 ") == 2
    assert answer.index(b"HTTP/1.1 200") < answer.index(b"HTTP/1.1 404")


def test_expect_continue_is_answered_before_the_body(address: tuple[str, int]) -> None:
    head = HEAD + FORM + "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(head.encode())
        first = client.recv(4096)
        client.sendall(b"a=b")
        rest = b"".join(iter(lambda: client.recv(65536), b""))

    assert first.startswith(b"HTTP/1.1 100 Continue")
    assert b"HTTP/1.1 403" in rest


@pytest.mark.parametrize(
    "path",
    ["/login/", "/admin/backups/", "/api/backup", "/api/auth/login", "/static/css/base.css", "/django-admin/", "/no"],
)
@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 2000000000\r\n", 413),
        ("Content-Type: application/json\r\nContent-Length: 1048577\r\n", 413),
        ("Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n", 411),
    ],
    ids=["a file of 2 GB", "a large body", "of unknown length"],
)
def test_what_is_too_large_is_refused_by_its_head(address: tuple[str, int], path: str, head: str, status: int) -> None:
    sent = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode()

    begun = time.monotonic()
    answer = ask(address, sent)

    assert time.monotonic() - begun < QUICK_SECONDS
    assert answer.startswith(f"HTTP/1.1 {status}".encode())
    assert b"Connection: close" in answer
    if path.startswith("/api/"):
        assert {413: b'"code": "body_too_large"', 411: b'"code": "length_required"'}[status] in answer


def test_a_file_is_refused_and_nothing_is_written_to_the_disk(address: tuple[str, int]) -> None:
    before = set(Path("/tmp").glob("*.upload*"))
    heading = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = heading + b"a" * 900_000 + b"\r\n--x--\r\n"
    kind = f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n"
    cookie = f"Cookie: csrftoken={'a' * 32}\r\n"  # without one the form is refused before it is read at all
    head = f"{HEAD}Connection: close\r\n{cookie}{kind}\r\n"

    answer = ask(address, head.encode() + body)

    assert answer.startswith(b"HTTP/1.1 400")
    assert set(Path("/tmp").glob("*.upload*")) == before


def test_who_reads_slowly_holds_no_more_than_a_moment(address: tuple[str, int]) -> None:
    """Sixteen times as many answers as there are threads, and nobody takes them."""
    asked = b"GET /static/css/viewer.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40
    clients: list[Any] = []

    def hold() -> None:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        clients.append(client)
        with contextlib.suppress(OSError):
            client.connect(address)
            client.sendall(asked)

    threads = [threading.Thread(target=hold) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        time.sleep(12)
        assert _time_of_login(address) < 5.0
    finally:
        for client in clients:
            client.close()
