"""What tests of messages share: receivers, people with an address, and a configuration that leads to both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.test import override_settings

from backups_app.configuration import Configuration, Secret
from backups_app.models import NotificationChoice, User
from backups_app.notification import channels
from tests.notification.receivers import Calls, MailBox, http_receiver, mail_server

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.fixture
def mailbox() -> Iterator[MailBox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def receiver() -> Iterator[Calls]:
    with http_receiver() as calls:
        yield calls


@pytest.fixture
def readers(super_admin: User, admin: User) -> tuple[User, User]:
    """One who is sent everything in English, one who is sent everything in Hindi."""
    for person, language in ((super_admin, "en-in"), (admin, "hi")):
        person.email = f"{person.username}@temple.example"
        person.save()
        NotificationChoice.objects.create(channel=channels.key_of_person(person), wish="everything", language=language)
    return super_admin, admin


@pytest.fixture
def messaging(mailbox: MailBox, receiver: Calls) -> Iterator[Configuration]:
    """E-mail, one service through Apprise and a healthcheck, all on loopback."""
    configuration = Configuration(
        email_url=Secret(mailbox.url),
        default_from_email="Temple backups <backup@temple.example>",
        notify_urls=(Secret(f"json://127.0.0.1:{receiver.port}/services/T0PSECRETKEY"),),
        healthcheck_url=Secret(f"{receiver.url}/ping/2f6f1d8e-canary-uuid"),
        site_url="https://backup.temple.example",
    )
    with override_settings(TEMPLEOPS=configuration):
        yield configuration


def with_settings(configuration: Configuration, **changes: object) -> override_settings:
    """Return a context manager under which some settings are others."""
    return override_settings(TEMPLEOPS=dataclasses.replace(configuration, **changes))  # type: ignore[arg-type]
