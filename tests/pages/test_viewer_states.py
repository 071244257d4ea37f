"""Every state of the viewer that is not a page of documents: nothing there, not ready, too many, gone, not allowed."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bson
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from backups_app.browsing.reading import index
from backups_app.browsing.reading.backups import BackupState, BackupSummary
from backups_app.browsing.search import search
from backups_app.configuration import Configuration
from backups_app.errors import SearchBusy
from backups_app.models import User
from backups_app.pages.viewer import viewer_context
from backups_app.pages.viewer.viewer_place import Place
from tests.pages.test_beyond import a_backup as made_backup
from tests.pages.test_browser import HTMX, ID, a_backup, get

__all__ = ["a_backup"]
pytestmark = pytest.mark.django_db

WHERE = f"/admin/backups/browse/?backup={ID}"


def test_an_empty_collection_says_that_it_was_empty_then(admin_browser: Client, a_backup: Path) -> None:
    (a_backup / "rooms.bson").write_bytes(b"")

    assert "rooms was empty when this backup was made." in get(admin_browser, f"{WHERE}&collection=rooms")


@pytest.mark.parametrize("view", ["cards", "json", "table", "fields"])
@pytest.mark.parametrize("language", ["en-in", "hi"])
@pytest.mark.parametrize("content", [b"", bson.encode({}), b"\x09\0\0\0garbage", bson.encode({}) + b"cut"],
                         ids=["empty", "without-fields", "damaged", "cut"])  # fmt: skip
def test_every_view_of_whatever_a_file_holds_is_a_page(
    admin_browser: Client, a_backup: Path, view: str, language: str, content: bytes
) -> None:
    (a_backup / "rooms.bson").write_bytes(content)
    admin_browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language

    page = get(admin_browser, f"{WHERE}&collection=rooms&view={view}")
    searched = admin_browser.get(f"{WHERE}&collection=rooms&view={view}&q=doe")

    assert 'id="docs-heading"' in page
    assert searched.status_code == 200


def test_the_fields_say_of_how_many_documents_they_are_and_which_cannot_be_read(
    admin_browser: Client, a_backup: Path
) -> None:
    (a_backup / "rooms.bson").write_bytes(bson.encode({"_id": 1, "name": "Lotus"}) + b"\x0a\0\0\0\x20bad\0\0")

    page = get(admin_browser, f"{WHERE}&collection=rooms&view=fields")

    assert "From the first 1 of 2 documents." in page and "<code>name</code>" in page
    assert "Document 2 can't be read" in page


def test_a_file_that_is_being_prepared_says_how_far_it_is_and_asks_again(
    admin_browser: Client, a_backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = (bson.encode({"_id": number, "note": "x" * 90}) for number in range(50_000))
    (a_backup / "long.bson").write_bytes(b"".join(documents))
    monkeypatch.setattr(index.Walk, "go_on", lambda walk, *, until: walk.ended or walk._stretch())

    page = get(admin_browser, f"{WHERE}&collection=long")
    everywhere = get(admin_browser, f"{WHERE}&q=xx")
    more = {**HTMX, "HX-Target": "more"}
    further = get(admin_browser, f"{WHERE}&collection=long&q=nobody&cursor=20000", headers=more)

    assert "Preparing this collection for viewing…" in page and 'hx-trigger="load delay:500ms"' in page
    assert "0 documents, page 1" not in page
    assert "Preparing this collection for viewing…" in everywhere
    assert "Preparing this collection for viewing…" in further and "cursor=20000" in further  # as in another process
    assert "were searched" not in further
    monkeypatch.undo()
    assert "1–25 of 50,000" in get(admin_browser, f"{WHERE}&collection=long")  # and the file is closed


def test_a_search_that_finds_others_searching_waits_where_it_is(
    admin_browser: Client, a_backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise SearchBusy

    monkeypatch.setattr(search, "find", busy)
    more = {**HTMX, "HX-Target": "more"}
    for place in ("collection=bookings&q=doe&cursor=3&found=2", "q=doe&within=bookings&cursor=3&found=2&here=2"):
        part = get(admin_browser, f"{WHERE}&{place}", headers=more)
        assert "Two other searches are running" in part and "Search further" in part and "cursor=3" in part
        assert "were searched" not in part


def test_more_than_a_hundred_backups_stand_under_their_months() -> None:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    many = [
        BackupSummary(backup_id=f"{n}", state=BackupState.VERIFIED, timestamp=at - timedelta(days=n))
        for n in range(120)
    ]

    grouped = viewer_context.Viewer(place=Place(), backups=many).verified_by_month

    assert [month for month, _ in grouped] == [
        "January 2026", "December 2025", "November 2025", "October 2025",
    ]  # fmt: skip
    assert sum(len(entries) for _, entries in grouped) == 120
    assert [month for month, _ in viewer_context.Viewer(place=Place(), backups=many[:100]).verified_by_month] == [""]


def test_the_overview_says_what_changed_since_the_backup_before_and_the_head_of_a_collection_its_facts(
    admin_browser: Client, seeded: Configuration, local_db: Any, remote_db: Any
) -> None:
    now = timezone.now()
    made_backup(now - timedelta(minutes=3))
    at = datetime(2026, 1, 19, 9, 0, tzinfo=UTC)
    for database in (local_db, remote_db):
        database.bookings.insert_many(
            [{"_id": 5000 + n, "createdAt": at + timedelta(days=n), "updatedAt": now} for n in range(12)]
        )
    last = made_backup(now)

    overview = get(admin_browser, f"/admin/backups/browse/?backup={last}")
    head = get(admin_browser, f"/admin/backups/browse/?backup={last}&collection=bookings")

    assert "Since the backup before" in overview and "+12" in overview and "verified" in overview
    assert "1,252 documents" in head and "each on average" in head and "indexes: _id_" in head
    assert "19 Jan 2026, 14:30 IST" in head and "30 Jan 2026, 14:30 IST" in head


def test_a_recorded_backup_without_its_files_is_gone_and_an_unknown_one_not_found(
    admin_browser: Client, seeded: Configuration
) -> None:
    backup_id = made_backup(timezone.now())
    shutil.rmtree(seeded.backup_dir / f"backup_{backup_id}")

    answer = admin_browser.get(f"/admin/backups/browse/?backup={backup_id}")

    assert answer.status_code == 410
    page = answer.content.decode()
    assert "The files of this backup are gone from the backup folder." in page
    assert f'href="/admin/backups/runs/{backup_id}/">Why, and whether it can come back' in page


def test_damage_that_ends_a_search_names_the_document_and_offers_to_verify(
    admin_browser: Client, seeded: Configuration
) -> None:
    backup_id = made_backup(timezone.now())
    file = next((seeded.backup_dir / f"backup_{backup_id}").glob("*/bookings.bson"))
    data = bytearray(file.read_bytes())
    size = int.from_bytes(data[:4], "little")
    data[size : size + 4] = b"\xff\xff\xff\x7f"
    file.write_bytes(data)
    where = f"/admin/backups/browse/?backup={backup_id}&collection=bookings"

    found, listed = get(admin_browser, f"{where}&q=doe"), get(admin_browser, where)

    assert "Document 2 of this file cannot be read. Readable documents before it: 1." in found
    assert "Document 2 can't be read" in listed and ". Readable documents before it: 1." in listed
    assert "Show raw bytes" in listed
    assert all(f'hx-post="/admin/backups/{backup_id}/verify/"' in page for page in (found, listed))


def test_a_person_who_loses_the_role_keeps_nothing_of_the_page(
    admin: User, admin_browser: Client, a_backup: Path
) -> None:
    User.objects.filter(pk=admin.pk).update(role_id=User.STAFF)

    answer = admin_browser.get(f"{WHERE}&collection=bookings", headers={**HTMX, "HX-Target": "docs"})

    assert answer.status_code == 403 and answer.headers["HX-Retarget"] == "#main"
    assert "John" not in answer.content.decode()


def test_the_closed_card_says_how_many_backups_are_here(admin_browser: Client, a_backup: Path) -> None:
    assert "1 backup on this server." in get(admin_browser, "/admin/backups/")
