"""Comparing backups, the versions of a document, kept versions and putting them back, sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backups_app.configuration import Configuration
from backups_app.models import AuditEvent, LoginSession, User
from backups_app.records import Origin
from backups_app.use_cases.backups import backups
from tests.pages.conftest import signed_in

pytestmark = pytest.mark.django_db


def a_backup(moment: Any) -> str:
    run = backups.start_backup(created_by="ravi", delete_bookings=False, origin=Origin.WEB, now=moment, enqueue=False)
    done = backups.execute(backup_id=run["_id"])
    assert done["status"] == "success", done["error_message"]
    return str(run["_id"])


@pytest.fixture
def two_backups(seeded: Configuration, local_db: Any, remote_db: Any) -> tuple[str, str]:
    """Two backups; between them one booking was edited, one added, one employee booking taken away."""
    now = timezone.now()
    for database in (local_db, remote_db):
        database.bookings.update_one({"_id": 7}, {"$set": {"amount": 501, "updatedAt": now - timedelta(days=2)}})
    first = a_backup(now - timedelta(minutes=2))
    for database in (local_db, remote_db):
        database.bookings.update_one({"_id": 7}, {"$set": {"amount": 551, "updatedAt": now}})
        database.bookings.insert_one({"_id": 5000, "name": "New", "updatedAt": now})
    return first, a_backup(now)


def test_two_backups_are_compared_down_to_the_field(admin_browser: Client, two_backups: tuple[str, str]) -> None:
    a, b = two_backups

    page = admin_browser.get(f"/admin/backups/compare/?a={a}&b={b}&collection=bookings").content.decode()

    assert "bookings, changed: 1" in page
    assert "amount" in page and "501" in page and "551" in page
    assert f"/admin/backups/compare/?a={a}&amp;b={b}&amp;collection=bookings&amp;kind=only_b" in page


def test_without_two_backups_there_is_nothing_to_compare(admin_browser: Client, seeded: Configuration) -> None:
    assert "There are not two backups to compare yet." in admin_browser.get("/admin/backups/compare/").content.decode()


def test_the_versions_of_a_document_across_backups_and_now(
    admin_browser: Client, two_backups: tuple[str, str], local_db: Any
) -> None:
    local_db.bookings.update_one({"_id": 7}, {"$set": {"amount": 600}})
    _, b = two_backups

    page = admin_browser.get(f"/admin/backups/versions/?backup={b}&collection=bookings&number=7").content.decode()

    assert "Now, in the database" in page
    assert "The oldest known version." in page
    assert all(value in page for value in ("501", "551", "600"))


@pytest.fixture
def a_conflict(seeded: Configuration, local_db: Any, remote_db: Any) -> str:
    """Both sides edited one booking; the newer one, Atlas's, won, and ours is kept."""
    now = timezone.now()
    for database in (local_db, remote_db):
        database.bookings.update_one({"_id": 7}, {"$set": {"amount": 1, "updatedAt": now - timedelta(days=3)}})
    a_backup(now - timedelta(minutes=5))
    local_db.bookings.update_one({"_id": 7}, {"$set": {"amount": 11, "updatedAt": now - timedelta(days=2)}})
    remote_db.bookings.update_one({"_id": 7}, {"$set": {"amount": 22, "updatedAt": now - timedelta(days=1)}})
    a_backup(now)
    kept = local_db.sync_conflicts.find_one({"collection": "bookings", "reason": "conflict"})
    assert kept is not None and local_db.bookings.find_one({"_id": 7})["amount"] == 22
    return str(kept["_id"])


def seen_by(browser: Client, conflict: str) -> str:
    page = browser.get(f"/admin/backups/conflicts/{conflict}/").content.decode()
    return page.split('name="seen" value="')[1].split('"')[0]


def test_conflicts_are_listed_and_shown_beside_what_is_live(admin_browser: Client, a_conflict: str) -> None:
    listed = admin_browser.get("/admin/backups/conflicts/").content.decode()
    page = admin_browser.get(f"/admin/backups/conflicts/{a_conflict}/").content.decode()

    assert a_conflict in listed
    assert "Sync of " in listed and "<code>amount</code>" in listed
    assert "Restoring this version changes locally:" in page
    assert ">22" in page and ">11" in page


def test_putting_back_brings_the_kept_bytes_and_keeps_what_stood_there(
    admin_browser: Client, a_conflict: str, local_db: Any
) -> None:
    seen = seen_by(admin_browser, a_conflict)

    answer = admin_browser.post(f"/admin/backups/conflicts/{a_conflict}/put-back/", {"seen": seen}, follow=True)

    assert "Version restored." in answer.content.decode()
    assert local_db.bookings.find_one({"_id": 7})["amount"] == 11
    assert local_db.sync_conflicts.find_one({"reason": "put_back"})["applied"] is True
    assert list(AuditEvent.objects.filter(action="conflict.put_back").values_list("result", flat=True)) == [
        "success",
        "started",
    ]


def test_several_versions_are_restored_at_once_and_each_change_meanwhile_is_kept(
    admin_browser: Client, a_conflict: str, local_db: Any
) -> None:
    seen = seen_by(admin_browser, a_conflict)
    unknown = "5f" * 32
    sent = {"version": [a_conflict, unknown], f"seen-{a_conflict}": seen, f"seen-{unknown}": "nothing"}

    first = admin_browser.post("/admin/backups/conflicts/restore/", sent).content.decode()
    again = admin_browser.post("/admin/backups/conflicts/restore/", sent | {"version": [a_conflict]}).content.decode()
    none = admin_browser.post("/admin/backups/conflicts/restore/", {}).content.decode()

    assert "1 version restored." in first and "1 version was not restored:" in first
    assert local_db.bookings.find_one({"_id": 7})["amount"] == 11
    assert "1 version was not restored:" in again and "changed since" in again
    assert "Choose at least one version." in none


def test_an_old_page_puts_nothing_back(admin_browser: Client, a_conflict: str, local_db: Any) -> None:
    seen = seen_by(admin_browser, a_conflict)
    local_db.bookings.update_one({"_id": 7}, {"$set": {"amount": 33}})

    answer = admin_browser.post(f"/admin/backups/conflicts/{a_conflict}/put-back/", {"seen": seen})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "The document changed since you looked at it. Nothing was written." in page
    assert "<title>Error: Replaced version" in page and ">33" in page, "the present state is shown"
    assert page.split('name="seen" value="')[1].split('"')[0] == seen_by(admin_browser, a_conflict) != seen
    assert local_db.bookings.find_one({"_id": 7})["amount"] == 33


def test_my_sessions_shows_mine_and_ends_one(admin: User, super_admin: User) -> None:
    browser, other = signed_in(admin), signed_in(admin)
    signed_in(super_admin)
    sid = LoginSession.objects.filter(user=admin).latest("created_at").sid

    page = browser.get("/sessions/").content.decode()
    browser.post(f"/sessions/{sid}/revoke/")

    assert page.count("Firefox on Linux") >= 2 and "This one" in page
    assert other.get("/").status_code == 303
    assert browser.get("/").status_code == 200


def test_staff_cannot_end_the_session_of_somebody_else(staff: User, admin: User) -> None:
    admins = signed_in(admin)
    sid = LoginSession.objects.get(user=admin).sid

    answer = signed_in(staff).post(f"/sessions/{sid}/revoke/")

    assert answer.status_code == 404
    assert admins.get("/").status_code == 200
