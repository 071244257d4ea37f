"""The page Copies with every state of a target and of a copy, in both languages; and what its buttons do."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from backups_app.backup_files.manifest import FileEntry, Manifest
from backups_app.configuration import Configuration
from backups_app.management import reading_lane
from backups_app.models import BackupCopy, User
from backups_app.retention.facts import Backup
from backups_app.storage import copy_manifest, encryption
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import stored_facts
from backups_app.use_cases.lanes import carrying_out
from tests.browser.checked_page import CheckedPage
from tests.storage import making

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
    ("20261124_023000", "usb", "complete", "", 48),
    ("20261125_023000", "usb@1a2b3c4d", "complete", "", 48),
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
    usb = BackupCopy.objects.filter(target="usb", state="complete")
    usb.update(unread_since=now - timedelta(days=1), unread_code="target_denied")
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
    copies_page.wait_until_still()

    copies_page.check(f"62-copies-{language}")

    assert SECRET not in copies_page.page.content()


def test_each_backup_is_one_row_with_its_targets_beside_one_another(copies_page: CheckedPage) -> None:
    copies_page.sign_in(to=PAGE)
    rows = copies_page.page.locator(".copies-table tbody tr")

    assert rows.count() == len({backup_id for backup_id, *_ in COPIES})
    assert copies_page.page.locator(".copies-table thead").inner_text().split() == [
        "Backup", "offsite", "usb", "Other", "places",
    ]  # fmt: skip
    both = rows.filter(has_text="20261124_023000").locator("td")
    assert [both.nth(n).locator(".copy-at").count() for n in range(3)] == [1, 1, 0]
    assert "Could not be read back since" in both.nth(1).inner_text()
    moved = rows.filter(has_text="20261125_023000").locator("td")
    assert "usb@1a2b3c4d" in moved.nth(2).inner_text() and "does not count" in moved.nth(2).inner_text()


def test_the_copies_at_a_former_place_are_forgotten_by_a_button(copies_page: CheckedPage) -> None:
    copies_page.sign_in(to=PAGE)
    BackupCopy.objects.create(
        backup_id="20261125_023000", target="usb", state="complete", created_at=timezone.now(), backup=FACTS
    )

    copies_page.page.get_by_role("button", name="Forget them").click()
    copies_page.wait_until_still()

    assert "1 copy is forgotten." in copies_page.page.inner_text("main")
    assert not BackupCopy.objects.filter(target__contains="@").exists()


def test_a_directory_is_prepared_and_tested_by_its_buttons(copies_page: CheckedPage, tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    copies_page.sign_in(to=PAGE)

    copies_page.page.get_by_role("button", name="Prepare this directory").click()
    copies_page.wait_until_still()
    assert (tmp_path / "usb" / ".store_id").is_file()
    copies_page.page.get_by_role("button", name="Test connection to usb").click()
    copies_page.wait_until_still()

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
        watched.wait_until_still()

        watched.check(f"63-no-targets-{language}")
    assert watched.faults == []


def test_how_far_a_copy_is_shows_without_a_reload(copies_page: CheckedPage) -> None:
    page = copies_page.page
    copies_page.sign_in(to=PAGE)
    panel = page.locator("#copies-making")
    expect(panel).to_contain_text("11.8 MB of about 22.9 MB")
    row = BackupCopy.objects.get(state="copying")
    BackupCopy.objects.filter(pk=row.pk).update(bytes=20_000_000)
    expect(panel).to_contain_text("19.1 MB of about 22.9 MB")

    BackupCopy.objects.filter(pk=row.pk).update(state="complete", bytes=24_000_000, copied_at=timezone.now())

    expect(panel).to_be_empty()
    expect(page.locator("#copies-rest tr", has_text=row.backup_id).locator(".badge.ok")).to_be_visible()


@pytest.mark.parametrize("language", ["en-in", "hi"])
def test_one_copy_is_removed_by_its_id(copies_page: CheckedPage, tmp_path: Path, language: str) -> None:
    page, backup_id = copies_page.page, "20261126_023000"
    making.directory_target(tmp_path / "usb", name="usb")
    copies_page.sign_in(to=PAGE)
    in_language(copies_page, language)
    page.goto(f"{PAGE}usb/remove/{backup_id}/")
    copies_page.wait_until_still()
    copies_page.check(f"64-remove-copy-{language}")

    BackupCopy.objects.filter(backup_id=backup_id).update(state="complete")
    page.goto(f"{PAGE}offsite/remove/20261128_023000/")
    copies_page.wait_until_still()
    copies_page.check(f"64-copy-stays-{language}")
    page.goto(f"{PAGE}usb/remove/{backup_id}/")
    page.locator("#confirm").fill(backup_id)
    page.locator("button[data-confirm-submit]").click()
    copies_page.wait_until_still()

    assert BackupCopy.objects.get(backup_id=backup_id).state == "removed"
    assert backup_id in page.locator(".note.ok").inner_text()


@pytest.mark.parametrize("language", ["en-in", "hi"])
def test_what_no_record_knows_is_shown_taken_in_and_removed(
    copies_page: CheckedPage, configured: Configuration, tmp_path: Path, language: str
) -> None:
    page = copies_page.page
    usb = making.directory_target(tmp_path / "usb", name="usb")
    for backup_id, recipients in (("20261120_023000", ()), ("20261119_023000", (KEYS.public,))):
        making.copy_folder(usb, a_folder(tmp_path, backup_id), recipients=recipients)
    usb.put(copy_manifest.new_object_name(), [b"left" * 1000])
    making.age(usb, days=2)
    copies_page.sign_in(to=PAGE)
    in_language(copies_page, language)
    page.goto(f"{PAGE}usb/unknown/")
    page.locator("#look").click()
    carry_out()
    copies_page.wait_until_still()
    expect(page.locator("#unknown tbody tr")).to_have_count(2)
    for button in page.locator("form[action$='/take-in/'] button").all():
        button.click()
        carry_out()
        expect(page.locator("#unknown tbody tr")).to_have_count(2)
        break
    page.reload()
    copies_page.wait_until_still()
    copies_page.check(f"65-unknown-copies-{language}")

    page.locator("a[href$='/clear/']").click()
    copies_page.wait_until_still()
    copies_page.check(f"65-clear-target-{language}")
    page.locator("#confirm").fill("usb")
    page.locator("button[data-confirm-submit]").click()
    carry_out()
    copies_page.wait_until_still()

    assert len(list(usb.list_objects())) == 4
    assert page.locator("a[href$='/clear/']").count() == 0
    assert BackupCopy.objects.filter(target="usb", state="complete", backup_id__lt="20261124").count() == 1


def in_language(watched: CheckedPage, language: str) -> None:
    watched.page.context.add_cookies(
        [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": watched.page.url}]
    )


def a_folder(tmp_path: Path, backup_id: str) -> Path:
    """A backup folder of one file; the backup is here, too: a copy in clear beside encrypted ones is else not ours."""
    folder = tmp_path / "made" / f"backup_{backup_id}"
    folder.mkdir(parents=True)
    data = b"b" * 2000
    digest = hashlib.sha256(data).hexdigest()
    known = FileEntry(bytes=len(data), sha256=digest, stream_bytes=len(data), stream_sha256=digest)
    written = {
        "backup_id": backup_id, "kind": "backup", "database": "temple_db", "created_at": "2026-11-20T02:30:00+00:00",
        "manifest": Manifest(database="temple_db", files={"bookings.bson": known}).as_json(),
    }  # fmt: skip
    (folder / "bookings.bson").write_bytes(data)
    (folder / "metadata.json").write_text(json.dumps(written))
    shutil.copytree(folder, tmp_path / folder.name)
    return folder


def carry_out() -> None:
    """Do what waits in the reading lane, as its process does."""
    carrying_out.work(kinds=reading_lane.KINDS, idle_seconds=0)
