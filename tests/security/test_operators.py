"""Query operators in every parameter: none of them reaches MongoDB."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import override_settings
from pymongo import monitoring

from backups_app.configuration import Configuration, Secret
from backups_app.models import User
from tests.api.conftest import NEVER
from tests.security.conftest import Caller, SignIn

pytestmark = pytest.mark.django_db
OPERATORS = [
    "$where", "$gt", "$gte", "$lt", "$ne", "$in", "$nin", "$regex", "$exists", "$expr", "$function", "$accumulator",
    "$or", "$and", "$not", "$nor", "$type", "$mod", "$text", "$jsonSchema", "$elemMatch", "$size", "$all", "$lookup",
    "$merge",
]  # fmt: skip
MARK = "canary"
REAL = "20250119_143022"


class Commands(monitoring.CommandListener):
    """Every command that a client sends while somebody watches. (A listener cannot be taken away again.)"""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.watching = False

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.watching:
            self.sent.append(repr(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


LISTENER = Commands()
monitoring.register(LISTENER)


@pytest.fixture
def watched(configured: Configuration, local_db: Any) -> Iterator[list[str]]:
    """The commands of a client that nobody else uses: its URL is its own."""
    local_db["bookings"].insert_one({"_id": 1})
    own = dataclasses.replace(configured, local_url=Secret(f"{configured.local_url}&appName=operators"))
    with override_settings(TEMPLEOPS=own, TASKS=NEVER):
        LISTENER.sent.clear()
        LISTENER.watching = True
        yield LISTENER.sent
        LISTENER.watching = False


def forms(operator: str) -> list[str]:
    return [json.dumps({operator: MARK}), f"{operator}:{MARK}", f"[{operator}]={MARK}"]


def paths(text: str) -> list[str]:
    typed = quote(text, safe="")
    return [
        f"/api/backups/{typed}",
        f"/api/backups/{REAL}/collections/{typed}",
        f"/api/backups/{REAL}/collections/bookings?search={typed}",
        f"/api/backups?status=all&cursor={typed}",
        f"/api/audit?before={typed}",
        f"/api/backups?status[{typed}]=1",
    ]


def test_operators_in_parameters_reach_no_server(watched: list[str], super_admin: User, sign_in: SignIn) -> None:
    caller: Caller = sign_in(super_admin)
    assert len(OPERATORS) == 25

    for operator in OPERATORS:
        for text in forms(operator):
            for path in paths(text):
                assert caller.get(path).status_code in (404, 422), path
    listed = caller.get("/api/backups?status=all")

    assert listed.status_code == 200
    assert any("'find'" in command for command in watched), "the monitor sees what this client sends"
    assert [command for command in watched if MARK in command] == []


def test_operators_in_bodies_are_refused_before_anything_is_asked(
    watched: list[str], super_admin: User, sign_in: SignIn
) -> None:
    caller: Caller = sign_in(super_admin)

    for operator in OPERATORS:
        for path, body in (
            ("/api/backup", {"delete_bookings": {operator: MARK}}),
            (f"/api/backups/{REAL}/resume", {"keep": {operator: MARK}}),
            (f"/api/backups/{REAL}/restore", {"collections": [{operator: MARK}]}),
            (f"/api/backups/{REAL}/restore", {"id": {operator: MARK}, "collections": ["bookings"]}),
            ("/api/auth/login", {"username": {operator: MARK}, "password": MARK}),
            ("/api/auth/refresh", {"refresh": {operator: MARK}}),
        ):
            assert caller.send("POST", path, body).status_code == 422, (path, operator)

    assert [command for command in watched if MARK in command] == []


def test_an_idempotency_key_is_only_ever_compared_as_a_string(
    watched: list[str], super_admin: User, sign_in: SignIn
) -> None:
    caller: Caller = sign_in(super_admin)
    key = json.dumps({"$ne": MARK}).replace(" ", "")

    answer = caller.send(
        "POST", "/api/backup", {"delete_bookings": False}, **{"Idempotency-Key": key, "Prefer": "respond-async"}
    )

    assert answer.status_code == 202
    asked = [command for command in watched if MARK in command]
    assert asked
    assert all(key in command and repr(json.loads(key)) not in command for command in asked)
