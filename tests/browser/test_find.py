"""Find everywhere: from the box at home to the backup that holds a deleted booking, and to its restore."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser import temple_data
from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp


def test_a_booking_deleted_after_a_season_is_found_and_restored(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    made = running_app.manage("backup_now", "--delete-bookings", "--confirm", "DELETE BOOKINGS")
    assert made.returncode == 0, made.stderr
    again = running_app.manage("backup_now", "--keep-bookings")
    assert again.returncode == 0, again.stderr
    page = checked_page.page
    checked_page.sign_in()
    page.fill("#find-q", "Lakshmi Iyer 1233")
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("Find everywhere")
    expect(page.locator("#more")).to_contain_text("Live data and 2 backups were searched.")
    expect(page.locator(".found")).to_have_count(1)
    expect(page.locator("#found-head")).to_contain_text("1 document found")
    expect(page.locator(".where")).to_contain_text("Deleted by the backup of")
    checked_page.wait_until_still()
    checked_page.check("17-found")
    page.locator(".found summary").first.click()
    expect(page.locator(".found .tree")).to_contain_text("Lakshmi Iyer")
    checked_page.check("17-found-open")
    page.locator(".where").get_by_role("link", name="Restore this…").click()
    expect(page.locator("main")).to_contain_text(str(temple_data.booking(1233)["_id"]))


def test_nothing_found_says_what_was_searched_and_how(checked_page: CheckedPage, running_app: RunningApp) -> None:
    checked_page.sign_in(to="/admin/backups/find/")
    checked_page.check("17-find")
    checked_page.page.fill("#find-q", "nobody of this name")
    checked_page.page.get_by_role("button", name="Find").click()

    expect(checked_page.page.locator("#more")).to_contain_text("Live data and 0 backups were searched.")
    expect(checked_page.page.locator("#found-head")).to_contain_text("Nothing contains “nobody of this name”.")
    checked_page.wait_until_still()
    checked_page.check("17-found-nothing")
