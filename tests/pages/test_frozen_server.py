"""A local server that is there and says nothing: every page and every reading call answers soon, with what is known."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.test import Client, override_settings

from backups_app.access.signing_in import page_login
from backups_app.configuration import Configuration, Secret
from backups_app.models import User
from backups_app.mongo import availability, connections
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.pages import known_status
from tests.journeys.conftest import run_backup
from tests.pages.conftest import signed_in
from tests.security.conftest import SignIn, sign_in  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db
ID = "20250101_000000"
TRIES = 3
PAGES = (
    "/admin/backups/", "/admin/backups/_/status/", "/admin/backups/_/counts/", "/admin/backups/list/",
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
    monkeypatch.setattr(known_status, "_known", {})
    with EmbeddedServer(data_dir=tmp_path / "server", replica_set="frozen") as server:
        configuration = dataclasses.replace(configured, local_url=Secret(server.uri))
        connections.open_local(configuration)["temple"]["bookings"].find_one()
        os.kill(server.process_id, signal.SIGSTOP)
        availability.forget_failures()
        with override_settings(TEMPLEOPS=configuration):
            yield
        os.kill(server.process_id, signal.SIGCONT)
        connections.close_all()
    availability.forget_failures()


def answered(ask: Callable[[], Any], *, within: float) -> tuple[Any, float]:
    """Ask as the first one that meets the silence; again, at most twice, where the answer came late. Return the last
    answer and its seconds: what waits too long does so each time, and a busy machine is late now and then."""
    for _ in range(TRIES):
        availability.forget_failures()
        began = time.monotonic()
        answer = ask()
        seconds = time.monotonic() - began
        if seconds <= within:
            break
    return answer, seconds


def test_every_page_and_every_reading_call_answers_within_three_seconds(
    frozen: None,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
) -> None:
    browser, caller = signed_in(super_admin), sign_in(super_admin)
    slow, failed = {}, {}

    for path in (*PAGES, *CALLS):
        answer, seconds = answered(partial((caller if path.startswith("/api/") else browser).get, path), within=3)
        if seconds > 3:
            slow[path] = round(seconds, 1)
        if answer.status_code not in (200, 503):
            failed[path] = answer.status_code

    assert (slow, failed) == ({}, {})


@pytest.fixture
def backed_up(configured: Configuration, tmp_path: Path, db: None) -> Iterator[str]:
    """The id of a backup whose server stopped afterwards in the middle of its life."""
    with EmbeddedServer(data_dir=tmp_path / "server", replica_set="frozen") as server:
        configuration = dataclasses.replace(configured, local_url=Secret(server.uri), cloud_url=Secret(""))
        connections.open_local(configuration)[configured.database_name]["bookings"].insert_one({"_id": 1})
        with override_settings(TEMPLEOPS=configuration):
            backup_id = run_backup(delete_bookings=False)["backup_id"]
            os.kill(server.process_id, signal.SIGSTOP)
            availability.forget_failures()
            yield backup_id
        os.kill(server.process_id, signal.SIGCONT)
        connections.close_all()
    availability.forget_failures()


@pytest.mark.parametrize("face", ["pages", "api"])
def test_whatever_is_asked_of_a_silent_server_is_answered_soon_and_by_name(
    backed_up: str,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
    face: str,
) -> None:
    browser, caller = signed_in(super_admin), sign_in(super_admin)
    here, api = "/admin/backups", f"/api/backups/{backed_up}"
    asked: dict[str, list[tuple[str, str, Any]]] = {
        "pages": [
            ("POST", f"{here}/runs/", {}),
            *[("POST", f"{here}/runs/{backed_up}/{what}/", {}) for what in ("cancel", "resume", "keep")],
            ("POST", f"{here}/conflicts/{'5f' * 32}/put-back/", {"seen": "nothing"}),
            ("POST", f"{here}/restores/rehearse/", {}),
            ("POST", f"{here}/restores/remove-copy/", {"name": "temple_restore_1"}),
            ("GET", f"{here}/restores/remove-copy/?name=temple_restore_1", {}),
            ("GET", f"{here}/restores/{backed_up}/undo/", {}),
            ("GET", f"{here}/{backed_up}/restore/", {}),
            ("POST", f"{here}/{backed_up}/verify/", {}),
            ("GET", f"{here}/runs/{backed_up}/", {}),
            ("GET", f"{here}/runs/{backed_up}/progress/", {}),
            ("GET", f"{here}/browse/?backup={backed_up}&collection=bookings", {}),
        ],
        "api": [
            ("POST", "/api/backup", {"delete_bookings": False}),
            ("POST", "/api/backup/sync", {}),
            ("POST", "/api/backup/rehearse", {}),
            ("POST", f"/api/backup/sync/conflicts/{'5f' * 32}/put-back", {"seen": "nothing"}),
            ("DELETE", "/api/backup/copies/temple_restore_1", None),
            ("POST", f"{api}/cancel", None),
            ("POST", f"{api}/resume", {"keep": True}),
            ("POST", f"{api}/resume", {}),
            ("POST", f"{api}/verify", None),
            ("POST", f"{api}/restore", {}),
            ("POST", f"{api}/restore", {"dry_run": False, "confirmation": "x"}),
            ("GET", api, None),
            ("GET", f"{api}/collections/bookings", None),
        ],
    }
    slow, failed = {}, {}

    for method, path, body in asked[face]:
        if face == "api":
            answer, seconds = answered(partial(caller.send, method, path, body), within=4)
        else:
            answer, seconds = answered(partial(browser.post if method == "POST" else browser.get, path, body), within=4)
        message = answer.content.decode()
        if seconds > 4:
            slow[f"{method} {path}"] = round(seconds, 1)
        if answer.status_code >= 500 and "cannot be reached" not in message and "does not answer" not in message:
            failed[f"{method} {path}"] = (answer.status_code, message[:300])

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

    monkeypatch.setattr(page_login, "authenticate", fails)
    answer = Client(raise_request_exception=False).get("/admin/backups/")

    assert answer.status_code == code
    assert ("users and audit rows" in answer.content.decode()) == (code == 503)
