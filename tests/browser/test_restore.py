"""Acceptance 18: two collections put back, then made exactly like the backup; what was emptied stands apart."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import temple_data
from tests.browser.checked_page import OUTPUT, CheckedPage
from tests.browser.conftest import RunningApp
from tests.conftest import PASSWORD


def a_backup(running_app: RunningApp, *arguments: str) -> str:
    made = running_app.manage("backup_now", *arguments)
    assert made.returncode == 0, made.stderr
    return str(running_app.database().backup_metadata.find_one(sort=[("created_at", -1)])["_id"])


def cells(page: Page, name: str) -> list[str]:
    """The numbers of one collection's row."""
    row = page.locator("main table.stack tbody tr", has=page.locator("code", has_text=re.compile(f"^{name}$")))
    return [text.strip() for text in row.locator("td.r").all_inner_texts()]


def finished(page: Page) -> None:
    expect(page.locator("#run-heading")).to_have_text("Restore finished", timeout=60_000)
    expect(page.locator(".shell > .side [aria-current=page]")).to_have_text("Restores")


def test_18_two_collections_are_added_and_then_replaced(checked_page: CheckedPage, running_app: RunningApp) -> None:
    page, database = checked_page.page, running_app.database()
    backup_id = a_backup(running_app, "--delete-bookings", "--confirm", "DELETE BOOKINGS")
    database.devotees.delete_many({"_id": {"$lt": 30}})
    database.devotees.update_many({"_id": {"$gte": 100, "$lt": 104}}, {"$set": {"name": "Edited by hand"}})
    database.devotees.insert_many([{"_id": 90_000 + number, "name": "New"} for number in range(5)])
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={backup_id}")
    page.click("#restore-ways")

    emptied = page.locator("fieldset.emptied")
    expect(emptied).to_contain_text("Emptied on purpose by the run of")
    for name in ("bookings", "employee_bookings", "activities"):
        expect(emptied.locator(f"input[value={name}]")).not_to_be_checked()
    expect(emptied).to_contain_text("1,240 in the backup")
    checked_page.check("18-restore-what")
    page.click("main button.primary")
    expect(page.locator("#problem")).to_be_focused()
    expect(page.locator("#collections-problem")).to_have_text("Choose at least one collection.")
    expect(page).to_have_title(re.compile("^Error: "))
    page.click("#problem a")
    expect(page.locator("#collections")).to_be_focused()
    page.check("input[value=devotees]")
    page.check("input[value=bookings]")
    page.click("main button.primary")

    expect(page.locator("#step-heading")).to_be_focused()
    expect(page).to_have_title(re.compile("Step 2 of 4"))
    checked_page.check("18-restore-how")
    page.click("main button.primary")
    expect(page.locator("#to-confirm")).to_be_visible(timeout=20_000)
    assert cells(page, "bookings") == ["1,240", "0", "0", "0", "0"]
    assert cells(page, "devotees") == ["30", "0", "0", "899", "9"]
    page.locator("summary", has_text="Sample documents").click()
    checked_page.check("18-restore-preview")
    page.go_back()
    expect(page.locator("#step-heading")).to_have_text("Choose how and where")
    page.go_forward()
    page.click("#to-confirm")
    expect(page.locator("#step-heading")).to_have_text("Add 1,270 documents?")
    checked_page.check("18-restore-confirm-add")
    page.click("[data-confirm-submit]")
    finished(page)

    assert cells(page, "bookings")[:4] == ["1,240", "0", "0", "0"]
    assert cells(page, "devotees")[:4] == ["30", "0", "0", "899"]
    for word in ("Checked the backup", "Safety backup made", "Written", "Verified", "The next sync carries the result"):
        expect(page.locator("#panel")).to_contain_text(word)
    checked_page.check("18-restore-result")
    assert database.bookings.count_documents({}) == 1240
    assert database.devotees.count_documents({"name": "Edited by hand"}) == 4
    replaced(checked_page, running_app, backup_id)


def replaced(checked_page: CheckedPage, running_app: RunningApp, backup_id: str) -> None:
    """The same backup again, devotees exactly as they were: the word has to be typed, and it can be undone."""
    page, database = checked_page.page, running_app.database()
    before = {document["_id"]: document for document in database.devotees.find()}
    time.sleep(1.1)
    page.goto(f"/admin/backups/{backup_id}/restore/?step=2&collection=devotees")
    page.check("input[value=replace]")
    page.click("main button.primary")
    expect(page.locator("#to-confirm")).to_be_visible(timeout=20_000)
    assert cells(page, "devotees") == ["0", "4", "5", "929", "0"]
    page.click("#to-confirm")
    expect(page.locator("#step-heading")).to_have_text("Overwrite 4, delete 5 documents?")
    expect(page.locator("[data-confirm-submit]")).to_be_disabled()
    checked_page.check("18-restore-confirm-replace")
    page.locator("#confirm").press_sequentially("restore")
    expect(page.locator("[data-confirm-submit]")).to_be_disabled()
    page.keyboard.press("Enter")
    page.evaluate("document.querySelector('[data-confirm-submit]').disabled = false")
    page.click("[data-confirm-submit]")
    expect(page.locator("#problem")).to_be_focused()
    expect(page.locator("#problem a")).to_have_attribute("href", "#confirm")
    expect(page.locator("#confirm-problem")).to_have_text("Type the word exactly: RESTORE. Nothing was started.")
    expect(page).to_have_title(re.compile("^Error: "))
    checked_page.check("18-restore-problem")
    page.fill("#confirm", "RESTORE")
    page.click("[data-confirm-submit]")
    finished(page)

    assert cells(page, "devotees")[:4] == ["0", "4", "5", "929"]
    assert database.devotees.count_documents({}) == 933
    run_id = page.url.rstrip("/").rsplit("/", 1)[-1]
    page.goto("/admin/backups/list/")
    expect(page.locator("#runs tr", has_text=run_id)).to_contain_text("safety backup")
    page.goto(f"/admin/backups/runs/{run_id}/")
    page.click("#undo")
    expect(page.locator("#to-confirm")).to_be_visible(timeout=20_000)
    assert cells(page, "devotees") == ["5", "4", "0", "929", "0"]
    page.click("#to-confirm")
    page.fill("#confirm", "RESTORE")
    page.click("[data-confirm-submit]")
    finished(page)
    assert {document["_id"]: document for document in database.devotees.find()} == before


def test_a_test_of_a_restore_a_test_copy_and_one_document(checked_page: CheckedPage, running_app: RunningApp) -> None:
    page = checked_page.page
    backup_id = a_backup(running_app, "--keep-bookings")
    first = temple_data.booking(0)["_id"]
    running_app.database().bookings.update_one({"_id": first}, {"$set": {"amount": 551}})
    checked_page.sign_in(to="/admin/backups/restores/")
    checked_page.check("18-restores-empty")
    page.click("#rehearse-button")
    expect(page.locator("#run-heading")).to_have_text("Restore test passed: 15 of 15 collections match", timeout=60_000)
    checked_page.check("18-restore-tested")
    page.goto(f"/admin/backups/{backup_id}/restore/?step=2&collection=rooms&collection=priests")
    page.check("input[value=copy]")
    page.click("main button.primary")
    page.click("#to-confirm", timeout=20_000)
    page.click("[data-confirm-submit]")
    expect(page.locator("#run-heading")).to_have_text("Test copy is ready", timeout=60_000)

    page.click(".shell > .side a:has-text('Restores')")
    expect(page.locator(".verdict")).to_contain_text("Restore tested")
    checked_page.check("18-restores")
    page.click("text=Remove…")
    expect(page.locator("dialog[open] button", has_text="Keep it")).to_be_focused()
    checked_page.check("18-restore-remove-copy", part=True, within="dialog")
    page.click("dialog[open] .danger")
    expect(page.locator("main [role=alert]")).to_contain_text("The test copy was removed.")
    assert not [name for name in running_app.local.client().list_database_names() if "restore" in name]

    page.goto(f"/admin/backups/browse/?backup={backup_id}&collection=bookings")
    page.locator("#docs .doc summary").first.click()
    page.locator("#docs .doc a", has_text="Restore this…").first.click()
    page.check("input[value=overwrite]")
    page.click("main button.primary")
    expect(page.locator("#preview")).to_contain_text("551", timeout=20_000)
    checked_page.check("18-restore-document")


@pytest.fixture
def plain(running_app: RunningApp, new_context: Callable[..., BrowserContext]) -> Page:
    """A browser without JavaScript."""
    return new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}).new_page()


def test_the_four_steps_without_javascript(plain: Page, running_app: RunningApp) -> None:
    backup_id = a_backup(running_app, "--keep-bookings")
    running_app.database().donations.delete_many({"_id": {"$lt": 200}})
    plain.goto(f"/login/?next=/admin/backups/{backup_id}/restore/")
    plain.fill("#username", "ananya")
    plain.fill("#password", PASSWORD)
    plain.click("main button.primary")

    plain.check("input[value=donations]")
    plain.click("main button.primary")
    plain.check("input[value=replace]")
    plain.click("main button.primary")
    plain.click("#to-confirm", timeout=20_000)
    plain.click("[data-confirm-submit]")
    expect(plain.locator("#confirm-problem")).to_contain_text("Type the word exactly: RESTORE")
    plain.fill("#confirm", "RESTORE")
    plain.click("[data-confirm-submit]")
    expect(plain.locator("#run-heading")).to_have_text("Restore finished", timeout=60_000)
    plain.screenshot(path=OUTPUT / "18-restore-no-script.png", full_page=True)
    assert running_app.database().donations.count_documents({"_id": {"$lt": 200}}) == 200


def test_a_restore_is_watched_while_it_runs_and_stopped_before_it_writes(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    page = checked_page.page
    running_app.empty()
    temple_data.fill(running_app.database(), running_app.database("remote"), padding=1500)
    backup_id = a_backup(running_app, "--keep-bookings")
    running_app.database().donations.delete_many({"_id": {"$lt": 200}})
    checked_page.sign_in(to=f"/admin/backups/{backup_id}/restore/?step=3&collection=donations")
    page.click("#to-confirm", timeout=20_000)
    expect(page.locator("[data-confirm-submit]")).to_be_visible()
    running_app.local_line.throttle(300_000)
    page.click("[data-confirm-submit]")
    expect(page.locator("#run-heading")).to_have_text("Restore in progress", timeout=30_000)
    expect(page.locator(".stepper")).to_contain_text("Making the safety backup", timeout=30_000)
    page.wait_for_selector(".colls li", timeout=30_000)

    checked_page.check("18-restore-running")
    page.click("#cancel-link")
    expect(page.locator("dialog[open]")).to_contain_text("Nothing was written yet.")
    page.click("dialog[open] .danger")

    expect(page.locator("#run-heading")).to_have_text("Cancelled. Nothing was written.", timeout=60_000)
    running_app.local_line.heal()
    assert running_app.database().donations.count_documents({"_id": {"$lt": 200}}) == 0
