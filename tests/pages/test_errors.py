"""What a page says when it cannot do what was asked: an old link, a fault of the server."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backups_app.access.signing_in import page_login
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from backups_app.pages.audit import views
from backups_app.pages.shared.wording import when_text
from backups_app.records import Origin
from backups_app.use_cases.backups import backups

pytestmark = pytest.mark.django_db
GONE = "This backup is no longer on the server"


@pytest.fixture
def backup(seeded: Configuration) -> str:
    run = backups.start_backup(
        created_by="ravi", delete_bookings=False, origin=Origin.WEB, now=timezone.now(), enqueue=False
    )
    assert backups.execute(backup_id=run["_id"])["status"] == "success"
    return str(run["_id"])


@pytest.mark.parametrize("where", ["{id}/restore/", "{id}/document/?collection=bookings&number=0"])
def test_an_old_link_says_what_is_known_of_a_backup_that_was_removed(
    admin_browser: Client, backup: str, seeded: Configuration, where: str
) -> None:
    now = timezone.now()
    Store(seeded.backup_dir).trash(backup, now=now)

    answer = admin_browser.get(f"/admin/backups/{where.format(id=backup)}")
    page = answer.content.decode()

    assert answer.status_code in (404, 410)
    assert GONE in page and f"It was removed on {when_text(now)}." in page
    assert "by ravi" in page and "1,602 documents" in page and f"/admin/backups/runs/{backup}/" in page


def test_of_a_folder_that_somebody_took_away_nobody_says_that_it_was_removed(
    admin_browser: Client, backup: str, seeded: Configuration
) -> None:
    shutil.rmtree(seeded.backup_dir / f"backup_{backup}")

    page = admin_browser.get(f"/admin/backups/{backup}/restore/").content.decode()

    assert GONE in page and "Nobody recorded its removal" in page
    assert "It was removed on" not in page


def test_a_run_that_failed_made_no_backup(
    admin_browser: Client, backup: str, seeded: Configuration, local_db: Any
) -> None:
    shutil.rmtree(seeded.backup_dir / f"backup_{backup}")
    local_db.backup_metadata.update_one({"_id": backup}, {"$set": {"steps.$[].state": "failed", "status": "failed"}})

    page = admin_browser.get(f"/admin/backups/{backup}/restore/").content.decode()

    assert "This run made no backup" in page and GONE not in page


@pytest.mark.parametrize("backup_id", ["20200101_000000", "../../etc/passwd", "", "x"])
def test_of_what_never_was_there_nothing_is_claimed(
    admin_browser: Client, seeded: Configuration, backup_id: str
) -> None:
    page = admin_browser.get("/admin/backups/browse/", {"backup": backup_id}).content.decode()

    assert GONE not in page and "It was removed" not in page


def test_htmx_gets_the_same_as_a_piece(admin_browser: Client, backup: str, seeded: Configuration) -> None:
    Store(seeded.backup_dir).trash(backup, now=timezone.now())

    piece = admin_browser.get(f"/admin/backups/{backup}/restore/", headers={"HX-Request": "true"}).content.decode()

    assert GONE in piece and "<html" not in piece


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, admin_browser: Client) -> Client:
    """A browser in front of a server with a defect."""

    def defect(*_: Any, **__: Any) -> None:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(views, "read", defect)
    monkeypatch.setattr(page_login, "log_in", defect)
    admin_browser.raise_request_exception = False
    return admin_browser


def test_a_fault_of_the_server_gives_a_reference_and_says_that_looking_changed_nothing(broken: Client) -> None:
    answer = broken.get("/admin/backups/audit/?from=2026-01-01")
    page = answer.content.decode()

    assert answer.status_code == 500
    assert "Nothing was changed by this click." in page
    assert answer["X-Request-ID"] in page and "GET /admin/backups/audit/" in page
    assert f'data-copy="problem-{answer["X-Request-ID"]}"' in page and f'id="problem-{answer["X-Request-ID"]}"' in page
    assert "a defect of ours" not in page and "Traceback" not in page
    assert '<html lang="en-in">' in page


def test_of_a_click_that_does_something_it_does_not_claim_that(broken: Client) -> None:
    page = broken.post("/login/", {"username": "ravi", "password": "x"}).content.decode()

    assert "Nothing was changed by this click." not in page
    assert "It is not known whether this was done." in page


def test_htmx_gets_the_fault_as_a_piece_in_the_language_of_the_page(broken: Client) -> None:
    broken.cookies["django_language"] = "hi"
    piece = broken.get("/admin/backups/audit/", headers={"HX-Request": "true"})
    whole = broken.get("/admin/backups/audit/")

    assert "<html" not in piece.content.decode() and "इस क्लिक से कुछ नहीं बदला।" in piece.content.decode()
    assert '<html lang="hi">' in whole.content.decode()
