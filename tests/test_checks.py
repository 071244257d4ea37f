"""`manage.py check` says what is wrong, and stops nobody from looking."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import override_settings

from backups_app.access.secrecy import private_files
from backups_app.configuration import Configuration, Secret
from backups_app.mongo import mongodump_process

LOCAL = Secret("mongodb://local/")


@pytest.fixture(autouse=True)
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of this checkout are somebody else's matter: `tests/access/test_private_files.py`."""
    monkeypatch.setattr(private_files, "loose", list)


def _ids(**settings: object) -> list[str]:
    with override_settings(TEMPLEOPS=Configuration(**settings)):  # type: ignore[arg-type]
        return [str(message.id) for message in run_checks(tags=["templeops"])]


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        ({"local_url": LOCAL}, []),
        ({"local_url": LOCAL, "cloud_url": Secret("mongodb://cloud/")}, []),
        ({"local_url": Secret("mongodb://u:abc12@local/")}, ["templeops.W006"]),
        ({"local_url": Secret("mongodb://u:%40%40%40%40%40@local/")}, ["templeops.W006"]),
        ({"local_url": Secret("mongodb://u:abc123@local/")}, []),
        ({}, ["templeops.W001"]),
        ({"primary_database": "cloud"}, ["templeops.I001"]),
        ({"local_url": Secret("localhost:27017")}, ["templeops.W002"]),
        ({"local_url": LOCAL, "cloud_url": Secret("atlas")}, ["templeops.W002"]),
        ({"local_url": LOCAL, "cloud_url": LOCAL}, ["templeops.W003"]),
        ({"local_url": Secret("mongodb://local/?readPreference=nearest")}, ["templeops.W004"]),
    ],
)
def test_each_mistake_has_its_own_id(settings: dict[str, object], ids: list[str]) -> None:
    assert _ids(**settings) == ids


def test_a_missing_mongodump_is_stated_only_when_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongodump_process, "find", lambda name: None)

    assert _ids(local_url=LOCAL, backup_engine="mongodump") == ["templeops.W005"]
    assert _ids(local_url=LOCAL, backup_engine="auto") == []


@override_settings(TEMPLEOPS=Configuration(local_url=Secret("mongodb://u:hunter2@h/?w=1")))
def test_no_password_is_shown() -> None:
    shown = "".join(f"{message.msg}{message.hint}" for message in run_checks(tags=["templeops"]))

    assert "asks for w" in shown
    assert "hunter2" not in shown


@override_settings(TEMPLEOPS=Configuration())
def test_nothing_here_stops_a_command() -> None:
    call_command("check")
