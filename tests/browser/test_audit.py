"""The audit trail: who, what, when, narrowed by a form, reported row by row; a wrong date is stated where it stands."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp


def test_the_trail_of_a_run_is_read_narrowed_and_followed(
    checked_page: CheckedPage, another_look: CheckedPage, running_app: RunningApp
) -> None:
    another_look.sign_in("meena")
    running_app.manage("backup_now", "--delete-bookings", "--confirm", "DELETE BOOKINGS")
    checked_page.sign_in(to="/admin/backups/audit/")
    page = checked_page.page
    checked_page.wait_until_still()
    checked_page.check("audit")
    first = page.locator("#audit tbody tr", has_text="meena").first
    expect(page.locator("#audit")).to_contain_text("Access denied")
    expect(first).to_contain_text("Staff · web")

    page.select_option("#action", "purge.remote")
    expect(page).to_have_url(re.compile("action=purge.remote"))
    page.select_option("#result", "done")
    expect(page).to_have_url(re.compile("result=done"))
    expect(page.locator("#live")).to_have_text(re.compile("entr(y|ies)"))
    page.locator("#audit summary").first.click()
    expect(page.locator("#audit .more").first).to_contain_text("On Atlas")
    expect(page.locator("#audit .more table tbody tr").first).to_be_visible()
    checked_page.check("audit-open")
    page.locator("#audit .more a", has_text="Open this run").first.click()
    expect(page.locator("h1")).to_be_visible()

    page.goto("/admin/backups/audit/?action=backup.finished")
    page.locator("#audit summary").first.click()
    page.locator("#audit .more a", has_text="sync").first.click()
    expect(page.locator("h1")).to_contain_text("The sync of")
    checked_page.check("sync-log")


def test_days_in_the_wrong_order_are_stated_at_once_and_mended(checked_page: CheckedPage) -> None:
    checked_page.sign_in(to="/admin/backups/audit/?to=2026-01-01")
    page = checked_page.page
    page.fill("#from", "2026-02-01")

    expect(page.locator("#problem")).to_be_focused()
    expect(page.locator("#problem")).to_contain_text("The first day comes after the last one.")
    expect(page.locator("#from-problem")).to_have_text("The first day comes after the last one.")
    checked_page.check("audit-problem")
    page.click("#problem a")
    expect(page.locator("#from")).to_be_focused()
    page.fill("#from", "2026-01-01")
    expect(page.locator("#problem")).to_have_count(0)
    expect(page.locator("#from-problem")).to_be_hidden()


def test_an_address_with_a_wrong_date_is_a_page_with_its_problem(checked_page: CheckedPage) -> None:
    checked_page.sign_in(to="/admin/backups/audit/?from=2026-99-99")

    expect(checked_page.page).to_have_title(re.compile("^Error: "))
    expect(checked_page.page.locator("#problem")).to_be_focused()
    expect(checked_page.page.locator("#from")).to_have_attribute("aria-invalid", "true")
