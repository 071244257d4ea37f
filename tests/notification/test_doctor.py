"""The doctor greets the mail server, and names what keeps messages from being sent."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from backups_app.configuration import Configuration, Secret
from backups_app.models import User
from backups_app.use_cases.doctor import doctor

pytestmark = pytest.mark.django_db


def found(configuration: Configuration, folder: Path, **changes: object) -> dict[str, str]:
    asked = dataclasses.replace(configuration, backup_dir=folder, **changes)  # type: ignore[arg-type]
    return {one.subject: one.level for one in doctor.examine(configuration=asked)}


def test_a_mail_server_that_answers_is_well(
    messaging: Configuration, readers: tuple[User, User], a_folder: Path
) -> None:
    assert found(messaging, a_folder)["messages"] == "ok"


def test_what_keeps_messages_is_named(messaging: Configuration, readers: tuple[User, User], a_folder: Path) -> None:
    away = found(messaging, a_folder, email_url=Secret("smtp://127.0.0.1:9"))
    odd = found(messaging, a_folder, notify_urls=(Secret("nonsense://x"),))

    assert away["mail_server_unreachable"] == "problem"
    assert odd["notify_url_invalid"] == "problem"


def test_nobody_who_is_sent_messages_is_a_note(messaging: Configuration, a_folder: Path) -> None:
    nobody = found(messaging, a_folder, email_url=Secret(""), notify_urls=(), healthcheck_url=Secret(""))

    assert nobody["messages"] == "note"
