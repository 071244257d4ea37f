"""Callers of the API as an attacker or an administrator has them, and a frozen clock."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from backups_app.models import User

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
START = datetime(2026, 1, 19, 9, 0, 22, tzinfo=UTC)
PROBE = "/api/auth/sessions"
"""Needs a good token and nothing else."""


@dataclass
class Caller:
    """One who signed in over the API, with the headers of the device."""

    access: str
    refresh: str
    session_id: str
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """Send with this caller's token and headers; `headers` are added or, when empty, left out."""
        given = {"Authorization": f"Bearer {self.access}", **self.headers, **headers}
        sent = {name: value for name, value in given.items() if value}
        data = b"" if body is None else json.dumps(body).encode()
        answer: HttpResponse = send(method, path, data, sent, self.address)
        return answer

    def get(self, path: str = PROBE, **headers: str) -> HttpResponse:
        return self.send("GET", path, **headers)

    def renew(self) -> HttpResponse:
        """Exchange the refresh token and keep the new pair when there is one."""
        answer = self.send("POST", "/api/auth/refresh", {"refresh": self.refresh}, Authorization="")
        if answer.status_code == 200:
            self.access, self.refresh = answer.json()["access"], answer.json()["refresh"]  # type: ignore[attr-defined]
        return answer


SignIn = Callable[..., Caller]


@functools.cache
def _client() -> Client:
    """One for all: each new one would look through the static files again. The API sets no cookies."""
    return Client()


def send(method: str, path: str, data: bytes, headers: dict[str, str], address: str = "127.0.0.1") -> Any:
    """Send one request to the API."""
    client = _client()
    client.cookies.clear()
    return client.generic(
        method, path, data=data, content_type="application/json", headers=headers, REMOTE_ADDR=address
    )


@pytest.fixture
def clock() -> Any:
    """The clock stands still at START until a test moves it."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def sign_in(password: str) -> SignIn:
    """Sign a person in over the API: `sign_in(user)`, or with other headers `sign_in(user, **{"User-Agent": …})`."""

    def do(user: User, address: str = "127.0.0.1", **headers: str) -> Caller:
        sent = {"User-Agent": FIREFOX, **headers}
        sent = {name: value for name, value in sent.items() if value}
        body = {"username": user.get_username(), "password": password}
        answer = send("POST", "/api/auth/login", json.dumps(body).encode(), sent, address)
        assert answer.status_code == 200, answer.content
        pair = answer.json()
        return Caller(pair["access"], pair["refresh"], pair["session_id"], headers=sent, address=address)

    return do
