"""The page Copies with every state of a target and of a copy, in both languages; and what its buttons do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from backups_app.configuration import Configuration
from backups_app.models import BackupCopy, User
from backups_app.retention.facts import Backup
from backups_app.storage import encryption
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import stored_facts
from tests.browser.checked_page import CheckedPage

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/admin/backups/copies/"
KEYS = encryption.new_key_pair()
SECRET = "s3cret/with%odd@signs"
COPIES = (
    ("20261128_023000", "offsite", "complete", "", 48),
    ("20261127_023000", "offsite", "copying", "", 0),
    ("20261126_023000", "usb", "failed", "target_missing", 0),
    ("20261125_023000", "offsite", "failed", "target_unreachable", 0),
    ("20261124_023000", "offsite", "complete", "", 200),
)
"""Backup, target, state, error, hours since it was read back."""
FACTS = stored_facts.as_stored(Backup(backup_id="x", taken_at=timezone.now(), arrived_at=timezone.now()))


@pytest.fixture
def configured(tmp_path: Path) -> Configuration:
    offsite = TargetSettings(
        name="offsite", kind="s3", place="temple-copies", prefix="sri-venkateswara",
        options=(("secret_access_key", SECRET),),
    )  # fmt: skip
    usb = TargetSettings(name="usb", kind="file", place=str(tmp_path / "usb"))
    return Configuration(
        targets=(offsite, usb), copy_recipients=(KEYS.public,), backup_dir=tmp_path, backup_engine="python"
    )


@pytest.fixture
def copies_page(
    configured: Configuration, live_server: LiveServer, browser: Browser, super_admin: User
) -> Iterator[CheckedPage]:
    now = timezone.now()
    for backup_id, target, state, code, hours in COPIES:
        BackupCopy.objects.create(
            backup_id=backup_id, target=target, state=state, error_code=code, elsewhere=target == "offsite",
            error_facts={"target": target} if code else {}, recipients=KEYS.public if hours < 100 else "age1old",
            bytes=12_400_000, total_bytes=24_000_000, created_at=now, copied_at=now if state == "complete" else None,
            read_back_at=now - timedelta(hours=hours) if hours else None,
            next_attempt_at=now + timedelta(minutes=5) if code else None, backup=FACTS,
        )  # fmt: skip
    with override_settings(TEMPLEOPS=configured), closing(browser.new_context(base_url=live_server.url)) as context:
        watched = CheckedPage(context.new_page())
        yield watched
    assert watched.faults == []


@pytest.mark.parametrize("language", ["en-in", "hi"])
def test_the_page_in_every_state(copies_page: CheckedPage, language: str) -> None:
    copies_page.sign_in(to=PAGE)
    copies_page.page.context.add_cookies(
        [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": copies_page.page.url}]
    )
    copies_page.page.goto(PAGE)
    copies_page.settle()

    copies_page.check(f"62-copies-{language}")

    assert SECRET not in copies_page.page.content()


def test_a_directory_is_prepared_and_tested_by_its_buttons(copies_page: CheckedPage, tmp_path: Path) -> None:
    copies_page.sign_in(to=PAGE)

    copies_page.page.get_by_role("button", name="Prepare this directory").click()
    copies_page.settle()
    assert (tmp_path / "usb" / ".store_id").is_file()
    copies_page.page.get_by_role("button", name="Test connection to usb").click()
    copies_page.settle()

    assert "It answers and can be read." in copies_page.page.inner_text("main")


@pytest.mark.parametrize("language", ["en-in", "hi"])
def test_the_page_without_targets(
    live_server: LiveServer, browser: Browser, super_admin: User, tmp_path: Path, language: str
) -> None:
    current = Configuration(backup_dir=tmp_path)
    with override_settings(TEMPLEOPS=current), closing(browser.new_context(base_url=live_server.url)) as context:
        watched = CheckedPage(context.new_page())
        watched.sign_in(to=PAGE)
        context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": watched.page.url}])
        watched.page.goto(PAGE)
        watched.settle()

        watched.check(f"63-no-targets-{language}")
    assert watched.faults == []
