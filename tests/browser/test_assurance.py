"""The card's sentence, its next step and its four marks, as people see them; the other states: tests/journeys."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp
from tests.browser.test_home import a_good_backup


def test_the_next_missing_step_is_a_button_that_mends_it(checked_page: CheckedPage, running_app: RunningApp) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()
    card = checked_page.page.locator("#status")
    expect(card.locator(".verdict.bad")).to_contain_text("Not protected: no backup yet")
    expect(card.locator(".next-steps a")).to_have_attribute("href", "#trigger")
    checked_page.check("22-no-backup")

    a_good_backup(running_app)
    checked_page.page.click("#check-again")
    expect(card.locator(".verdict.warn")).to_contain_text("Backed up, but only on this computer's disk")
    expect(card.locator(".four-marks li.ok")).to_have_count(1)
    checked_page.check("22-only-here")
    card.locator("a", has_text="Add a copy elsewhere").click()
    expect(checked_page.page.locator("main")).to_contain_text("BACKUP_TARGETS")
    checked_page.page.goto("/admin/backups/")

    card.locator("button", has_text="Test a restore now").click()
    expect(checked_page.page.locator("#run-heading")).to_contain_text("Restore test passed", timeout=60_000)
    checked_page.page.goto("/admin/backups/")
    expect(card.locator(".four-marks li.ok")).to_have_count(2)
    expect(card).to_contain_text("A restore took")
    checked_page.page.click(".prefs-menu > summary")
    checked_page.page.click("button[name=language][value=hi]")
    checked_page.wait_until_still()
    expect(card.locator(".verdict.warn")).to_contain_text("केवल इसी कंप्यूटर की डिस्क पर")
    checked_page.check("22-hindi")
