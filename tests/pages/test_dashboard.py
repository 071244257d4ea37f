"""The home of Backup Management, and who sees it."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Sequence

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.models import User
from backups_app.records import Origin
from backups_app.use_cases.backups import backups
from backups_app.use_cases.listing import listing
from tests.conftest import NOBODY
from tests.journeys.conftest import Db
from tests.pages.conftest import signed_in
from tests.pages.test_kept_in_30_days import a_schedule

pytestmark = pytest.mark.django_db


def test_a_stranger_is_led_to_the_login_page_and_back(db: None) -> None:
    answer = Client().get("/admin/backups/")

    assert (answer.status_code, answer["Location"]) == (303, "/login/?next=%2Fadmin%2Fbackups%2F")


def test_htmx_of_a_stranger_is_asked_to_leave_the_page(db: None) -> None:
    answer = Client().get(
        "/admin/backups/_/status/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/admin/backups/"}
    )

    assert answer["HX-Redirect"] == "/login/?next=%2Fadmin%2Fbackups%2F"
    assert b"password" not in answer.content


def test_a_session_that_ended_is_stated_on_the_login_page(admin: User) -> None:
    browser = signed_in(admin)
    admin.login_sessions.all().delete()

    answer = browser.get("/admin/backups/", follow=True)

    assert "Your session ended. Sign in to go on." in answer.content.decode()


@pytest.mark.parametrize("role_id", [0, 1])
def test_administrators_see_the_branch_in_the_sidebar(db: None, role_id: int, super_admin: User, admin: User) -> None:
    browser = signed_in(super_admin if role_id == 0 else admin)

    page = browser.get("/").content.decode()

    assert 'href="/admin/backups/"' in page
    assert "Admin Management" in page


def test_staff_do_not_see_the_branch_and_get_a_page_that_names_their_role(staff: User, seeded: Configuration) -> None:
    browser = signed_in(staff)

    assert 'href="/admin/backups/"' not in browser.get("/").content.decode()
    answer = browser.get("/admin/backups/")
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "This page is for administrators" in page
    assert "meena" in page and "role 3" in page
    assert "System status" not in page


def test_a_role_taken_away_replaces_what_the_page_showed(admin: User, seeded: Configuration) -> None:
    browser = signed_in(admin)
    User.objects.filter(pk=admin.pk).update(role_id=2)

    answer = browser.get("/admin/backups/_/status/", headers={"HX-Request": "true"})

    assert answer.status_code == 403
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#main", "innerHTML")
    assert "<html" not in answer.content.decode()


def test_home_says_whether_one_is_protected_and_what_the_buttons_do(
    admin_browser: Client, seeded: Configuration
) -> None:
    page = admin_browser.get("/admin/backups/?counts=1").content.decode()

    assert "Not protected: no backup yet" in page
    for badge in ("Primary database: Local", "Backup available", "Sync enabled"):
        assert badge in page
    assert "Trigger Backup (Keep Bookings)" in page
    assert "Trigger Backup (Delete Bookings)" in page
    assert '<b class="num">1,240</b> bookings and <b class="num">312</b> employee bookings' in page
    assert '<b class="num">50</b> local, <b class="num">50</b> on Atlas' in page


def test_without_atlas_the_numbers_of_atlas_are_unknown(admin_browser: Client, seeded: Configuration) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=NOBODY)):
        page = admin_browser.get("/admin/backups/_/counts/").content.decode()

    assert "Atlas count unknown" in page
    assert "nothing is deleted" in page


def test_sync_off_shows_this_computer_alone(admin_browser: Client, seeded: Configuration) -> None:
    from backups_app.configuration import Secret

    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=Secret(""))):
        page = admin_browser.get("/admin/backups/?counts=1").content.decode()

    assert "Sync off" in page
    assert "Skipped: sync is off." in page
    assert "on Atlas" not in page.split('id="choices"')[1].split("</section>")[1]


def test_cloud_mode_explains_itself_and_offers_no_button(admin_browser: Client, seeded: Configuration) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, primary_database="cloud")):
        answer = admin_browser.get("/admin/backups/")
        refused = admin_browser.get("/admin/backups/runs/")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Backup operations are only available in LOCAL mode" in page
    assert "Trigger Backup" not in page
    assert refused.status_code == 403
    assert "Backup operations are only available in LOCAL mode" in refused.content.decode()


def test_hindi_and_dark_are_kept_and_written_into_the_page(admin_browser: Client, db: None) -> None:
    admin_browser.post("/prefs/", {"theme": "dark", "language": "hi", "next": "/"})

    page = admin_browser.get("/").content.decode()

    assert 'lang="hi"' in page
    assert 'data-theme="dark"' in page


def test_a_backup_that_vanishes_while_the_status_is_made_leaves_the_page_standing(
    admin_browser: Client, seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = backups.start_backup(
        created_by="ravi", delete_bookings=False, origin=Origin.WEB, now=timezone.now(), enqueue=False
    )
    backups.execute(backup_id=run.id)
    read_whole = listing.whole

    def whole_after_the_removal(listed: Sequence[RunRecord], *, configuration: Configuration) -> list[RunRecord]:
        shutil.rmtree(seeded.backup_dir / f"backup_{run.id}", ignore_errors=True)
        runs.collection(local_db).delete_many({})
        return read_whole(listed, configuration=configuration)

    monkeypatch.setattr(listing, "whole", whole_after_the_removal)

    status = admin_browser.get("/admin/backups/_/status/?said=asked")
    home = admin_browser.get("/admin/backups/")

    assert (status.status_code, home.status_code) == (200, 200)
    assert "Backups kept" in home.content.decode()
    assert "the last one:" not in home.content.decode()


def test_the_card_names_the_next_scheduled_backup_or_that_there_is_no_schedule(
    admin_browser: Client, seeded: Configuration
) -> None:
    assert 'href="/admin/backups/schedule/">No schedule</a>' in admin_browser.get("/admin/backups/").content.decode()

    hour = (timezone.localtime().hour + 12) % 24
    a_schedule("nightly", f"0 {hour} * * *")
    page = admin_browser.get("/admin/backups/_/status/").content.decode()

    assert "No schedule</a>" not in page
    assert re.search(rf"Next scheduled</dt>\s*<dd><time [^>]+>[^<]+, {hour:02}:00 IST</time><small>in 1[12] h", page)


def test_what_is_done_on_any_page_counts_on_the_next_home_page(admin_browser: Client, seeded: Configuration) -> None:
    assert "No schedule</a>" in admin_browser.get("/admin/backups/").content.decode()

    admin_browser.post("/admin/backups/schedule/new/", {"name": "nightly", "every": "day", "time": "02:00"})

    assert "No schedule</a>" not in admin_browser.get("/admin/backups/").content.decode()
