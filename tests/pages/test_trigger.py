"""The two buttons: nothing is started without the words, and three clicks start one run."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client, override_settings

from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.models import LoginSession, User
from backups_app.use_cases.listing import present_counts
from tests.conftest import NOBODY, PASSWORD
from tests.pages.conftest import signed_in

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def started(local_db: Any) -> list[Any]:
    return runs.recent(local_db)


def test_the_green_button_starts_a_run_that_keeps_bookings(
    admin_browser: Client, seeded: Configuration, local_db: Any
) -> None:
    answer = admin_browser.post("/admin/backups/runs/", {"delete_bookings": "no", "key": "k1"})

    (run,) = started(local_db)
    assert (answer.status_code, answer["Location"]) == (303, f"/admin/backups/runs/{run['_id']}/")
    assert run["delete_bookings_requested"] is False
    assert (run["created_by"], run["origin"]) == ("ravi", "web")


def test_three_clicks_start_one_run(admin_browser: Client, seeded: Configuration, local_db: Any) -> None:
    places = {admin_browser.post("/admin/backups/runs/", {"key": "the-same"})["Location"] for _ in range(3)}

    assert len(places) == 1
    assert len(started(local_db)) == 1


def test_the_confirmation_names_collections_and_numbers_of_both_sides(
    admin_browser: Client, seeded: Configuration, local_db: Any
) -> None:
    local_db.bookings.delete_many({"_id": {"$lt": 2}})

    page = admin_browser.get("/admin/backups/confirm-delete/").content.decode()

    assert "Delete 1,552 booking documents after this backup?" in page
    assert "1,238" in page and "1,240" in page
    assert "The two sides differ by 2" in page
    assert "DELETE BOOKINGS" in page
    assert "indexes kept" in page


def test_documents_that_only_one_side_holds_are_all_announced(
    admin_browser: Client, seeded: Configuration, local_db: Any, remote_db: Any
) -> None:
    """The sync before the deletion brings both sides together: more goes than either side holds now."""
    local_db.bookings.delete_many({"_id": {"$lt": 10}})
    remote_db.bookings.delete_many({"_id": {"$gte": 1228}})

    page = admin_browser.get("/admin/backups/confirm-delete/").content.decode()

    assert "Delete 1,552 booking documents after this backup?" in page
    assert "Back up, then delete 1,552" in page
    assert "The two sides differ by 22" in page


def test_where_the_sides_are_too_large_to_be_compared_the_count_is_about(
    admin_browser: Client, seeded: Configuration, local_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present_counts, "EXACT_UP_TO", 1_000)
    local_db.bookings.delete_many({"_id": {"$lt": 10}})

    page = admin_browser.get("/admin/backups/confirm-delete/").content.decode()
    home = admin_browser.get("/admin/backups/_/counts/", headers=HTMX).content.decode()

    assert "Delete about 1,552 booking documents after this backup?" in page
    assert "The two sides differ by at least 10" in page
    assert "Deletes about" in home


@pytest.mark.parametrize("typed", ["", "delete bookings", "DELETE  BOOKINGS", "DELETE BOOKING", "DELETE BOOKINGS!"])
def test_the_wrong_words_start_nothing(admin_browser: Client, seeded: Configuration, local_db: Any, typed: str) -> None:
    answer = admin_browser.post("/admin/backups/runs/", {"delete_bookings": "yes", "confirm": typed, "key": "k"})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Type the words exactly: DELETE BOOKINGS. Nothing was started." in page
    assert f'value="{typed}"' in page
    assert started(local_db) == []


def test_the_wrong_words_in_the_dialog_come_back_in_the_dialog(admin_browser: Client, seeded: Configuration) -> None:
    answer = admin_browser.post("/admin/backups/runs/", {"delete_bookings": "yes", "confirm": "no"}, headers=HTMX)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.lstrip().startswith("<dialog")
    assert "data-focus" in page


def test_the_right_words_start_the_deleting_run(admin_browser: Client, seeded: Configuration, local_db: Any) -> None:
    sent = {"delete_bookings": "yes", "confirm": " DELETE BOOKINGS ", "key": "k"}

    answer = admin_browser.post("/admin/backups/runs/", sent, headers=HTMX)

    (run,) = started(local_db)
    assert run["delete_bookings_requested"] is True
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#panel", "outerHTML")
    assert 'id="panel"' in answer.content.decode()


def test_an_old_login_is_asked_for_the_password_before_bookings_are_deleted(
    admin: User, seeded: Configuration, local_db: Any
) -> None:
    browser = signed_in(admin)
    stale = LoginSession.objects.get().authenticated_at.replace(year=2020)
    LoginSession.objects.update(authenticated_at=stale)
    sent = {"delete_bookings": "yes", "confirm": "DELETE BOOKINGS", "key": "k"}

    without = browser.post("/admin/backups/runs/", sent)
    wrong = browser.post("/admin/backups/runs/", sent | {"password": "wrong"})
    before = started(local_db)
    right = browser.post("/admin/backups/runs/", sent | {"password": PASSWORD})

    assert "Your password" in without.content.decode()
    assert (without.status_code, wrong.status_code, before) == (422, 422, [])
    assert right.status_code == 303
    assert len(started(local_db)) == 1


def test_a_second_start_shows_the_run_of_the_other(
    admin_browser: Client, super_admin: User, seeded: Configuration, local_db: Any
) -> None:
    signed_in(super_admin).post("/admin/backups/runs/", {"key": "a"})

    answer = admin_browser.post("/admin/backups/runs/", {"key": "b"}, follow=True)
    fragment = admin_browser.post("/admin/backups/runs/", {"key": "c"}, headers=HTMX)

    assert "A backup by ananya is already running" in answer.content.decode()
    assert fragment.status_code == 409
    assert "A backup by ananya is already running" in fragment.content.decode()
    assert len(started(local_db)) == 1


def test_a_start_needs_the_token_of_its_form(admin: User, seeded: Configuration, local_db: Any) -> None:
    browser = signed_in(admin)
    browser.handler.enforce_csrf_checks = True

    answer = browser.post("/admin/backups/runs/", {"key": "k"})

    assert answer.status_code == 403
    assert started(local_db) == []


def test_back_up_only_asks_for_no_words_and_deletes_no_booking(
    admin_browser: Client, seeded: Configuration, local_db: Any
) -> None:
    with override_settings(TEMPLEOPS=replace(seeded, cloud_url=NOBODY)):
        page = admin_browser.get("/admin/backups/confirm-delete/").content.decode()
        answer = admin_browser.post("/admin/backups/runs/", {"delete_bookings": hidden_of(page), "key": "k"})

    assert "Back up only" in page and "DELETE BOOKINGS" not in page and 'name="confirm"' not in page
    assert answer.status_code == 303
    (run,) = started(local_db)
    assert run["delete_bookings_requested"] is False


def test_where_a_failed_sync_ends_the_run_no_backup_is_promised(admin_browser: Client, seeded: Configuration) -> None:
    with override_settings(TEMPLEOPS=replace(seeded, cloud_url=NOBODY, sync_failure_policy="abort")):
        page = admin_browser.get("/admin/backups/confirm-delete/").content.decode()

    assert "no backup is made and nothing is deleted" in page and "Try to back up" in page
    assert "the backup is made" not in page and "Back up only" not in page


def test_without_bookings_there_are_no_words_to_type(
    admin_browser: Client, seeded: Configuration, local_db: Any, remote_db: Any
) -> None:
    for side in (local_db, remote_db):
        side.bookings.delete_many({})
        side.employee_bookings.delete_many({})

    page = admin_browser.get("/admin/backups/confirm-delete/").content.decode()

    assert "There are no bookings to delete" in page and 'name="confirm"' not in page
    assert hidden_of(page) == "no"


def test_buttons_that_are_blocked_look_again_by_themselves(admin_browser: Client, seeded: Configuration) -> None:
    with override_settings(TEMPLEOPS=replace(seeded, database_name="templ_db")):
        blocked = admin_browser.get("/admin/backups/_/counts/").content.decode()
    free = admin_browser.get("/admin/backups/_/counts/").content.decode()

    assert 'id="blocked-keep"' in blocked and 'hx-trigger="every 5s, run-changed' in blocked
    assert 'id="blocked-keep"' not in free and "every 5s" not in free


def hidden_of(page: str) -> str:
    found = re.search(r'name="delete_bookings" value="(\w+)"', page)
    assert found
    return found[1]
