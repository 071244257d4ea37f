"""The probes: open to everybody, by any name, and a stranger learns one word."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import Error, InterfaceError, OperationalError
from django.test import Client, override_settings

from backups_app.access import records
from backups_app.configuration import Configuration, Secret
from backups_app.metrics import health
from tests.conftest import NOBODY
from tests.security.callers import browser_of, every_caller
from tests.security.matrix import Who

pytestmark = pytest.mark.django_db
HERE: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000"}
BY_ADDRESS: dict[str, Any] = {"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "10.0.0.5:8000"}
"""A load balancer: another machine, plain HTTP, a name that is not served."""
TOKEN = "a-token-of-the-monitoring-0123456789"


@pytest.fixture(autouse=True)
def _look_again() -> Iterator[None]:
    health.forget()
    yield
    health.forget()


def ask(path: str, **environment: Any) -> tuple[int, dict[str, Any]]:
    answer = Client().get(path, **environment)
    assert not answer.cookies and "no-store" in answer.headers["Cache-Control"]
    return answer.status_code, answer.json()


def test_live_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_problems", lambda *_: pytest.fail("it looked"))

    with override_settings(PLAIN_HTTP=False):
        assert ask("/health/live", **BY_ADDRESS) == (200, {"status": "live"})


def test_ready_is_readiness(configured: Configuration, local_db: Any) -> None:
    local_db["bookings"].insert_one({"_id": 1})
    os.chmod(configured.backup_dir, 0o700)
    assert ask("/health/ready", **HERE) == (200, {"status": "ready", "problems": []})

    with override_settings(TEMPLEOPS=dataclasses.replace(configured, database_name="Nobodys"), PLAIN_HTTP=False):
        status, answer = ask("/health/ready", **HERE)
        assert (status, answer["status"]) == (503, "not_ready")
        assert [problem["code"] for problem in answer["problems"]] == ["database_not_found"]
        assert ask("/health/ready", **BY_ADDRESS) == (503, {"status": "not_ready"})


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_a_database_of_records_that_is_not_there_or_not_migrated_is_not_ready(
    kind: type[Error], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def lost(*_: Any) -> None:
        raise kind("no such host: db.internal")

    with override_settings(TEMPLEOPS=Configuration(primary_database="cloud")):
        assert ask("/health/ready", **BY_ADDRESS) == (200, {"status": "ready"})
        health.forget()
        monkeypatch.setattr(records, "MigrationExecutor", lost)
        status, answer = ask("/health/ready", **HERE)
        assert ask("/health/ready", **BY_ADDRESS) == (503, {"status": "not_ready"})

    assert (status, [problem["code"] for problem in answer["problems"]]) == (503, ["records_unavailable"])
    assert "db.internal" not in str(answer)
    assert not any(line.exc_info for line in caplog.records), "a probe comes every few seconds"


def test_many_strangers_cost_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Configuration] = []

    def look(current: Configuration) -> tuple[()]:
        looks.append(current)
        return ()

    monkeypatch.setattr(health, "_problems", look)
    monkeypatch.setattr(health, "FRESH_SECONDS", 3600)

    for _ in range(20):
        assert ask("/health/ready", **BY_ADDRESS)[0] == 200

    assert len(looks) == 1


@every_caller
@pytest.mark.parametrize("path", health.PROBES)
def test_being_signed_in_changes_nothing(who: Who, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(TEMPLEOPS=Configuration(local_url=NOBODY, metrics_token=Secret(TOKEN))):
        monkeypatch.setattr(health, "_problems", lambda *_: ())
        answer = browser_of(who, monkeypatch).get(path, **BY_ADDRESS)

    assert (answer.status_code, list(answer.json())) == (200, ["status"])


def test_the_token_of_the_monitoring_opens_the_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(TEMPLEOPS=Configuration(primary_database="cloud", metrics_token=Secret(TOKEN))):
        assert "problems" not in ask("/health/ready", **HERE)[1]
        assert "problems" in ask("/health/ready", HTTP_AUTHORIZATION=f"Bearer {TOKEN}", **BY_ADDRESS)[1]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", health.PROBES)
def test_other_methods_do_nothing(method: str, path: str) -> None:
    assert Client().generic(method, path, **HERE).status_code == 405
