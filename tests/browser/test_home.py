"""Acceptance 4 to 8: am I protected, what will the buttons do, and the confirmation of the red one."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser import history
from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp


def a_good_backup(running_app: RunningApp) -> None:
    made = running_app.manage("backup_now", "--keep-bookings")
    assert made.returncode == 0, made.stderr


def test_4_the_home_page_when_all_is_well(checked_page: CheckedPage, running_app: RunningApp) -> None:
    history.nine_backups(running_app)
    checked_page.sign_in()
    checked_page.wait_until_still()

    expect(checked_page.page.locator("#status")).to_contain_text("Backed up, but only on this computer's disk")
    for badge in ("Primary database: Local", "Backup available", "Sync enabled"):
        expect(checked_page.page.locator("#status .badge", has_text=badge)).to_be_visible()
    expect(checked_page.page.locator("#status .facts > div")).to_have_count(7)
    expect(checked_page.page.locator("#status")).to_contain_text("our built-in engine")
    expect(checked_page.page.locator("#trigger .steps li")).to_have_count(4)
    expect(checked_page.page.locator("#choices")).to_contain_text("Deletes 1,240 bookings and 312 employee bookings")
    expect(checked_page.page.locator("#choices section").first).to_contain_text(
        "Activities log deleted: 50 local, 50 on Atlas"
    )
    expect(checked_page.page.locator("#load-backups")).to_have_text(re.compile("Load Backups"))
    checked_page.check("04-home")
    checked_page.page.click("#viewer a:has-text('All backups')")
    for status, times in (("Success", 8), ("Partial", 1), ("Failed", 1)):
        expect(checked_page.page.locator("#runs .badge", has_text=status)).to_have_count(times)
    expect(checked_page.page.locator(".chart rect")).to_have_count(10)
    checked_page.page.locator("#runs summary", has_text="More").first.click()
    checked_page.check("04-backups")


def test_5_with_atlas_switched_off_nothing_would_be_deleted(checked_page: CheckedPage, running_app: RunningApp) -> None:
    a_good_backup(running_app)
    running_app.atlas_line.refuse()
    checked_page.sign_in()
    checked_page.page.wait_for_selector("#status >> text=Atlas can't be reached", timeout=30_000)
    checked_page.page.wait_for_selector("#choices >> text=Atlas count unknown", timeout=30_000)

    expect(checked_page.page.locator("#status .facts")).to_contain_text("Not reachable")
    expect(checked_page.page.locator("#keep-button")).to_be_enabled()
    checked_page.check("05-atlas-off")
    checked_page.page.click("#delete-button")
    dialog = checked_page.page.locator("dialog[open]")
    expect(dialog).to_contain_text("nothing will be deleted", timeout=30_000)
    expect(dialog.locator("[data-confirm-submit]")).to_have_text(re.compile("Back up only"))
    checked_page.check("05-atlas-off-dialog", part=True, within="dialog")


def test_7_and_8_the_red_button_asks_for_the_words(checked_page: CheckedPage, running_app: RunningApp) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()

    checked_page.page.click("#delete-button")
    dialog = checked_page.page.locator("dialog[open]")
    submit = dialog.locator("[data-confirm-submit]")
    expect(dialog.locator("h2")).to_have_text("Delete 1,552 booking documents after this backup?")
    expect(dialog).to_contain_text("1,238")
    expect(dialog).to_contain_text("Database temple_db")
    expect(checked_page.page.locator("#confirm")).to_be_focused()
    expect(submit).to_be_disabled()
    checked_page.check("07-confirm", part=True, within="dialog")

    checked_page.page.fill("#confirm", "delete bookings")
    expect(submit).to_be_disabled()
    checked_page.page.evaluate("document.querySelector('[data-confirm-submit]').disabled = false")
    submit.click()
    expect(dialog.locator("#confirm-problem")).to_be_focused()
    expect(dialog).to_contain_text("Type the words exactly: DELETE BOOKINGS. Nothing was started.")
    expect(checked_page.page.locator("#confirm")).to_have_value("delete bookings")
    checked_page.check("08-wrong-words", part=True, within="dialog")

    checked_page.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(checked_page.page.locator("#delete-button")).to_be_focused()

    checked_page.page.click("#delete-button")
    expect(checked_page.page.locator("#confirm")).to_be_focused()
    checked_page.page.locator("#confirm").press_sequentially("DELETE BOOKINGS")
    expect(submit).to_be_enabled()
    checked_page.check("08-right-words", part=True, within="dialog")
    assert running_app.database().backup_metadata.count_documents({"delete_bookings_requested": True}) == 0


DRAWN_AS_CHOSEN = """name => [...document.querySelectorAll(`.prefs-menu button[name=${name}]`)].filter(e => {
    const style = getComputedStyle(e);
    return style.backgroundColor !== 'rgba(0, 0, 0, 0)' && style.borderTopColor === style.color;
}).map(e => e.getAttribute('aria-pressed') === 'true')"""


def test_dark_and_hindi_are_chosen_and_kept(checked_page: CheckedPage, running_app: RunningApp) -> None:
    a_good_backup(running_app)
    checked_page.sign_in()
    checked_page.page.click(".prefs-menu > summary")
    checked_page.page.click("button[name=theme][value=dark]")
    checked_page.page.click(".prefs-menu > summary")
    for one in ("theme", "language"):
        assert checked_page.page.evaluate(DRAWN_AS_CHOSEN, one) == [True], f"the chosen {one} is marked, and no other"
    checked_page.page.screenshot(path="tests/output/20-preferences.png")
    checked_page.page.click("button[name=language][value=hi]")
    checked_page.wait_until_still()

    expect(checked_page.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(checked_page.page.locator("html")).to_have_attribute("lang", "hi")
    expect(checked_page.page.locator("#choices")).to_contain_text("1,240")
    checked_page.check("20-hindi")
