"""A local server that is there and says nothing: every page and every reading call answers soon, with what is known."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.test import Client, override_settings

from backups_app.access import page_login
from backups_app.configuration import Configuration, Secret
from backups_app.models import User
from backups_app.mongo import connections, lost
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.pages import status_card
from tests.pages.conftest import signed_in
from tests.security.conftest import SignIn, sign_in  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db
ID = "20250101_000000"
PAGES = (
    "/admin/backups/", "/admin/backups/_/status/", "/admin/backups/_/counts/", "/admin/backups/runs/",
    f"/admin/backups/runs/{ID}/", "/admin/backups/conflicts/", f"/admin/backups/conflicts/{'5f' * 32}/",
    "/admin/backups/restores/", "/admin/backups/audit/",
)  # fmt: skip
CALLS = (
    "/api/backup/status", "/api/backups", f"/api/backups/{ID}", "/api/backup/sync/conflicts", "/api/backup/copies",
    "/api/audit",
)  # fmt: skip


@pytest.fixture
def frozen(configured: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A temple whose own server was asked once, and then stopped in the middle of its life."""
    monkeypatch.setattr(status_card, "_known", {})
    with EmbeddedServer(data_dir=tmp_path / "server", replica_set="frozen") as server:
        configuration = dataclasses.replace(configured, local_url=Secret(server.uri))
        connections.open_local(configuration)["temple"]["bookings"].find_one()
        os.kill(server.process_id, signal.SIGSTOP)
        lost.forget()
        with override_settings(TEMPLEOPS=configuration):
            yield
        os.kill(server.process_id, signal.SIGCONT)
        connections.close_all()
    lost.forget()


def test_every_page_and_every_reading_call_answers_within_three_seconds(
    frozen: None,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
) -> None:
    browser, caller = signed_in(super_admin), sign_in(super_admin)
    slow, failed = {}, {}

    for path in (*PAGES, *CALLS):
        lost.forget()  # each as the first one that meets the silence
        began = time.monotonic()
        answer: Any = caller.get(path) if path.startswith("/api/") else browser.get(path)
        seconds = time.monotonic() - began
        if seconds > 3:
            slow[path] = round(seconds, 1)
        if answer.status_code not in (200, 503):
            failed[path] = answer.status_code

    assert (slow, failed) == ({}, {})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OperationalError("the connection was refused"), 503),
        (DataError("a text that cannot be kept"), 400),
        (ValueError("A string literal cannot contain NUL (0x00) characters."), 400),
        (ZeroDivisionError(), 500),
    ],
)
def test_a_failure_of_djangos_own_database_is_named(
    configured: Configuration, super_admin: User, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(page_login, "judge", fails)
    answer = Client(raise_request_exception=False).get("/admin/backups/")

    assert answer.status_code == code
    assert ("users and audit rows" in answer.content.decode()) == (code == 503)
