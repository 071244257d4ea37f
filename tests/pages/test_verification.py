"""Verify this backup: the button on the page, how far it is, and the verdict in words, with and without a script."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from backups_app.access.trail import audit
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent
from backups_app.records import Origin
from backups_app.use_cases import verification as verifying
from backups_app.verification import verdict
from tests.journeys.test_verifying import flip
from tests.pages.reading_lane import nothing_is_short, read, watched
from tests.pages.test_beyond import a_backup
from tests.pages.test_browser import HTMX

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def backup_id(seeded: Configuration) -> str:
    return a_backup(timezone.now())


def folder_of(seeded: Configuration, backup_id: str) -> Path:
    return seeded.backup_dir / f"backup_{backup_id}"


def address(backup_id: str) -> str:
    return f"/admin/backups/{backup_id}/verify/"


def trail() -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(action="backup.verified").order_by("n")
    return [(row.actor, row.result, row.address) for row in rows]


def test_without_a_script_a_good_backup_is_called_good_and_by_whom(admin_browser: Client, backup_id: str) -> None:
    page = admin_browser.post(address(backup_id), follow=True).content.decode()

    assert "This backup is good." in page and "Every byte was read from the disk" in page
    assert re.search(r"with what was written: 3 collections, 1,602 documents, \d+\.\d KB", page)
    assert "asked for by ravi" in page
    assert trail() == [("ravi", "started", "127.0.0.1"), ("ravi", "good", "127.0.0.1")]


def test_a_damaged_one_says_the_file_what_is_safe_and_what_to_do(
    admin_browser: Client, seeded: Configuration, backup_id: str
) -> None:
    other = a_backup(timezone.now() + timedelta(seconds=2))
    flip(folder_of(seeded, backup_id))

    page = admin_browser.post(address(backup_id), headers=HTMX).content.decode()

    assert page.lstrip().startswith('<div id="verification"') and "<html" not in page
    assert "This backup is damaged." in page and "bookings.bson is not what was written: its SHA-256 differs" in page
    assert "Nothing was changed or removed." in page and "Make a new backup now" in page
    assert f"/admin/backups/browse/?backup={other}" in page
    assert folder_of(seeded, backup_id).is_dir()
    assert "This backup is damaged." in admin_browser.get(f"/admin/backups/browse/?backup={backup_id}").content.decode()


def test_the_viewer_offers_it_and_so_does_what_cannot_be_read(
    admin_browser: Client, seeded: Configuration, backup_id: str
) -> None:
    file = next(folder_of(seeded, backup_id).glob("*/activities.bson"))
    data = bytearray(file.read_bytes())
    data[4] = 0x99  # no such type
    file.write_bytes(data)
    place = f"/admin/backups/browse/?backup={backup_id}&collection=activities"

    head, *notes = admin_browser.get(place).content.decode().split("can't be read")[0:2]
    raw = admin_browser.get(f"/admin/backups/{backup_id}/document/?collection=activities&number=0").content.decode()

    button = f'hx-post="/admin/backups/{backup_id}/verify/"'
    assert button in head and button in notes[0] and "Show raw bytes" in notes[0]
    assert button in raw and "000000  " in raw


def test_a_long_one_is_watched_and_not_begun_twice(
    admin_browser: Client, hindi: Client, backup_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def look() -> None:
        seen.append(admin_browser.post(address(backup_id), headers=HTMX).content.decode())
        seen.append(admin_browser.get(address(backup_id)).content.decode())

    nothing_is_short(monkeypatch)
    first = admin_browser.post(address(backup_id), headers=HTMX).content.decode()
    slow = Mock(side_effect=watched(verifying.verify_backup, look, documents=700))
    monkeypatch.setattr(verifying, "verify_backup", slow)
    hindi.post(address(backup_id))
    read()
    polled = admin_browser.get(f"{address(backup_id)}progress/", headers=HTMX).content.decode()

    assert "Waiting for its turn" in first and 'hx-trigger="every 1s"' in first
    assert "700 documents read" in seen[0] and "every 1s" in seen[0] and '<meta http-equiv="refresh"' in seen[1]
    assert slow.call_count == 1
    assert "This backup is good." in polled and "every 1s" not in polled
    assert trail() == [("ravi", "started", "127.0.0.1"), ("ravi", "good", "127.0.0.1")]


def test_while_the_lane_verifies_a_backup_nobody_removes_it(
    admin_browser: Client, seeded: Configuration, backup_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = verdict.recheck
    a_backup(timezone.now() + timedelta(seconds=2))

    def slow(**asked: object) -> object:
        removal = admin_browser.post(f"/admin/backups/{backup_id}/remove/", {"confirm": backup_id})
        seen.append(f"{removal.status_code} {removal.content.decode()}")
        return real(**asked)  # type: ignore[arg-type]

    nothing_is_short(monkeypatch)
    admin_browser.post(address(backup_id))
    monkeypatch.setattr(verdict, "recheck", slow)
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, min_keep=1)):
        read()

    assert seen[0].startswith("409") and "This backup is being read" in seen[0]
    assert folder_of(seeded, backup_id).is_dir() and trail()[-1][1] == "good"


def test_another_process_reads_in_the_trail_that_it_runs_and_when_it_was_lost(
    admin_browser: Client, backup_id: str
) -> None:
    def began(ago: timedelta) -> str:
        audit.record(
            actor="meena", origin=Origin.WEB, action=verifying.ACTION, target=backup_id, result=verifying.STARTED,
            now=timezone.now() - ago,
        )  # fmt: skip
        return admin_browser.get(address(backup_id)).content.decode()

    assert "every 1s" in began(timedelta(seconds=5))
    lost = began(timedelta(hours=2))
    assert "could not be verified to the end" in lost and "every 1s" not in lost


@pytest.mark.parametrize(("backup_id", "status"), [("20250101_000000", 404), ("nonsense", 422)])
def test_what_is_not_there_is_not_verified(
    admin_browser: Client, seeded: Configuration, backup_id: str, status: int
) -> None:
    assert admin_browser.post(address(backup_id)).status_code == status
    assert trail() == []
