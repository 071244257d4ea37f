"""Acceptance 16, and what lies beyond: from Load Backups to one value, versions, comparison, the trails."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Route, expect

from tests.browser import temple_data
from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp


def a_backup(running_app: RunningApp) -> str:
    made = running_app.manage("backup_now", "--keep-bookings")
    assert made.returncode == 0, made.stderr
    return str(running_app.database().backup_metadata.find_one(sort=[("created_at", -1)])["_id"])


def test_16_from_load_backups_to_a_document_and_back_by_the_address(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    backup_id = a_backup(running_app)
    checked_page.sign_in()
    checked_page.wait_until_still()

    held: list[Route] = []
    checked_page.page.route("**/admin/backups/browse/", lambda route: held.append(route))
    checked_page.page.click("#load-backups")
    expect(checked_page.page.locator("#loading")).to_be_visible()
    expect(checked_page.page.locator("#loading")).to_have_text("Loading backups…")
    expect(checked_page.page.locator("#viewer")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    expect(checked_page.page.locator("#backup")).to_be_focused()
    expect(checked_page.page.locator("#live")).to_have_text("1 backup loaded")
    checked_page.page.unroute("**/admin/backups/browse/")
    checked_page.page.select_option("#backup", backup_id)
    expect(checked_page.page.locator("#viewer table")).to_contain_text("devotees")
    checked_page.check("16-collections")
    checked_page.page.select_option("#collection", "bookings")
    expect(checked_page.page.locator("#docs .doc")).to_have_count(25)
    expect(checked_page.page.locator("#live")).to_have_text("1,240 documents, page 1 of 50")
    expect(checked_page.page.locator("#docs")).to_contain_text("created 19 Jan 2026, 14:30 IST to")
    checked_page.page.locator("#q").press_sequentially("doe", delay=50)
    expect(checked_page.page.locator("#docs")).to_contain_text("3 of 1,240 documents match “doe”")
    expect(checked_page.page.locator("#docs mark")).to_have_count(3)
    expect(checked_page.page.locator("#q")).to_be_focused()
    expect(checked_page.page.locator("#live")).to_have_text("3 documents match")
    checked_page.page.locator("#docs .doc summary").first.click()
    tree = checked_page.page.locator("#docs .doc .tree").first
    expect(tree).to_contain_text("19 Jan 2026, 14:30:22 IST")
    expect(tree).to_contain_text("2026-01-19T09:00:22.000Z")
    for kind in ("ObjectId", "Int32", "Int64", "Decimal128", "Date"):
        expect(tree).to_contain_text(kind)
    checked_page.wait_until_still()
    checked_page.check("16-viewer")
    assert re.search(rf"backup={backup_id}.*collection=bookings.*q=doe", checked_page.page.url)
    checked_page.page.reload()
    expect(checked_page.page.locator("#docs mark").first).to_be_visible()
    expect(checked_page.page.locator("#q")).to_have_value("doe")

    checked_page.page.locator("#docs .views a", has_text="Table").click()
    expect(checked_page.page.locator("#docs table.data tbody tr")).to_have_count(3)
    expect(checked_page.page).to_have_url(re.compile("view=table"))
    checked_page.page.fill("#q", "")
    expect(checked_page.page.locator("#docs table.data tbody tr")).to_have_count(25)
    checked_page.wait_until_still()
    checked_page.check("16-table")


def test_turning_pages_opening_more_and_changing_the_view_keep_the_focus_where_it_helps(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    running_app.database().bookings.update_one({}, {"$set": {"slots": list(range(120)), "note": "om " * 400}})
    backup_id = a_backup(running_app)
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={backup_id}&collection=bookings")
    page = checked_page.page
    page.focus("#collection")
    page.select_option("#collection", "donations")
    expect(page.locator("#live")).to_have_text("1,254 documents, page 1 of 51")
    expect(page.locator("#collection")).to_be_focused()
    page.focus("#backup")
    page.go_back()
    expect(page.locator("#docs-heading")).to_have_text("bookings")
    page.click("#next-page")
    expect(page.locator("#docs-heading")).to_be_focused()
    expect(page.locator("#live")).to_have_text("1,240 documents, page 2 of 50")
    page.click("#view-json")
    expect(page.locator("#docs pre.json")).to_have_count(25)
    expect(page.locator("#view-json")).to_be_focused()
    page.click("#view-cards")
    page.locator("#docs .doc summary").first.click()
    page.locator("#docs .doc .tree summary", has_text="slots").click()
    page.locator("#docs .tree a.more", has_text="Show from 51 on").click()
    expect(page.locator("#docs .tree li:focus")).to_contain_text("50")
    page.locator("#docs .tree a.more", has_text="Show all 1,200").click()
    expect(page.locator("#docs .tree li:focus")).to_contain_text("note")
    page.context.grant_permissions(["clipboard-write"])  # a click is enough for the whole browser, not for its shell
    page.get_by_role("button", name="Copy").first.click()
    expect(page.locator("#live")).to_have_text("Copied")


def test_what_a_lost_connection_did_not_bring_can_be_tried_again(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    backup_id = a_backup(running_app)
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={backup_id}&collection=bookings")
    page = checked_page.page
    checked_page.provoke("ERR_INTERNET_DISCONNECTED|htmx:sendError")
    page.context.set_offline(True)
    page.click("#next-page")
    expect(page.locator("#offline")).to_contain_text("Connection lost.")
    expect(page.locator("#docs")).to_have_attribute("aria-busy", "false")
    page.context.set_offline(False)
    page.locator("#offline a", has_text="Try again").click()
    expect(page.locator("#docs .doc")).to_have_count(25)
    expect(page.locator("#offline")).to_be_hidden()


def test_one_search_through_all_collections(checked_page: CheckedPage, running_app: RunningApp) -> None:
    backup_id = a_backup(running_app)
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={backup_id}")
    page = checked_page.page
    page.fill("#q", "doe")
    page.keyboard.press("Enter")
    expect(page.locator("#docs")).to_contain_text("3 documents match in bookings.")
    expect(page.locator("#docs")).to_contain_text("The first 5 in donations.")
    expect(page).to_have_url(re.compile(f"backup={backup_id}.*q=doe"))
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#live")).to_contain_text("At least")
    page.locator("#docs .doc summary").first.click()
    expect(page.locator("#docs .doc .tree mark").first).to_have_text("Doe")
    checked_page.wait_until_still()
    checked_page.check("16-everywhere")
    page.reload()
    expect(page.locator("#docs")).to_contain_text("The first 5 in donations.")
    page.locator("#docs a", has_text="Search in donations").click()
    expect(page.locator("#collection")).to_have_value("donations")
    expect(page.locator("#q")).to_have_value("doe")
    page.fill("#q", "nobody is called so")
    page.locator("#docs a", has_text="Search in all collections").click()
    expect(page.locator("#docs")).to_contain_text("contains “nobody is called so”")
    expect(page.locator("#docs")).to_contain_text("Nothing in the")


def test_a_backup_is_verified_from_its_page(checked_page: CheckedPage, running_app: RunningApp) -> None:
    backup_id = a_backup(running_app)
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={backup_id}")
    page, verdict = checked_page.page, checked_page.page.locator("#verification")
    page.click("text=Verify this backup")
    expect(verdict).to_contain_text("This backup is good.")
    expect(verdict.locator("b")).to_be_focused()
    expect(page.locator("#live")).to_have_text("This backup is good.")
    checked_page.check("16-verified")

    file = next((running_app.backup_dir / f"backup_{backup_id}").glob("*/bookings.bson"))
    data = bytearray(file.read_bytes())
    data[:4] = b"\xff\xff\xff\x7f"
    file.write_bytes(data)
    page.goto(f"/admin/backups/browse/?backup={backup_id}&collection=bookings")
    expect(page.locator("#docs .note")).to_contain_text("Document 1 can't be read")
    page.locator("#docs .note button", has_text="Verify this backup").click()
    expect(verdict).to_contain_text("bookings.bson is not what was written")
    checked_page.check("16-damaged")
    page.locator("#docs .note a", has_text="Show raw bytes").click()
    expect(page.locator("pre.json")).to_contain_text("000000  ff ff ff 7f")
    page.click("text=Verify this backup")
    expect(verdict).to_contain_text("This backup is damaged.")
    checked_page.check("16-raw-bytes")


def test_a_backup_is_verified_and_everything_searched_without_a_script(
    running_app: RunningApp, new_context: Callable[..., BrowserContext]
) -> None:
    backup_id = a_backup(running_app)
    checked_page = CheckedPage(new_context(java_script_enabled=False).new_page())
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={backup_id}")
    checked_page.page.click("text=Verify this backup")
    expect(checked_page.page.locator("#verification")).to_contain_text("This backup is good.")
    checked_page.page.click("text=Look inside this backup")
    checked_page.page.fill("#q", "doe")
    checked_page.page.click("button[aria-label=Search]")
    expect(checked_page.page.locator("#docs")).to_contain_text("3 documents match in bookings.")


def test_a_backup_whose_files_are_gone_says_so(checked_page: CheckedPage, running_app: RunningApp) -> None:
    backup_id = a_backup(running_app)
    shutil.rmtree(running_app.backup_dir / f"backup_{backup_id}")
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={backup_id}")
    expect(checked_page.page.locator("#viewer .note")).to_contain_text(
        "The files of this backup are gone from the backup folder."
    )
    checked_page.check("16-gone")


def test_one_document_as_json_and_through_its_versions(checked_page: CheckedPage, running_app: RunningApp) -> None:
    a_backup(running_app)
    first = temple_data.booking(0)["_id"]
    for side in ("local", "remote"):
        running_app.database(side).bookings.update_one({"_id": first}, {"$set": {"amount": 551}, "$unset": {"fee": ""}})
    time.sleep(1.1)
    backup_id = a_backup(running_app)
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={backup_id}&collection=bookings")
    checked_page.page.locator("#docs .doc summary").first.click()

    checked_page.page.locator("#docs .doc a", has_text="JSON").first.click()
    expect(checked_page.page.locator("#docs pre.json").first).to_contain_text('"$oid"')
    checked_page.page.locator("#docs .doc a", has_text="Versions").first.click()

    dialog = checked_page.page.locator("dialog[open]")
    expect(dialog).to_contain_text("Now, in the database")
    expect(dialog).to_contain_text("551")
    checked_page.check("17-versions", part=True, within="dialog")
    checked_page.page.keyboard.press("Escape")
    checked_page.page.goto("/admin/backups/compare/")
    checked_page.page.click("main button.primary")
    checked_page.page.click("#compare a[href*='collection=bookings'][href*='kind=changed']")
    expect(checked_page.page.locator("#differing")).to_contain_text("bookings, changed: 1")
    checked_page.check("17-compare")
    checked_page.page.click("main button.primary")
    expect(checked_page.page.locator("#live")).to_contain_text("only in B: ")
    checked_page.page.click("#compare a:has-text('Swap')")
    expect(checked_page.page.locator("#compare")).to_contain_text("Documents changed: 1")


def test_the_fields_the_audit_trail_conflicts_and_sessions(checked_page: CheckedPage, running_app: RunningApp) -> None:
    backup_id = a_backup(running_app)
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={backup_id}&collection=bookings&view=fields")
    expect(checked_page.page.locator("#docs")).to_contain_text("devotee.gotra")
    checked_page.check("18-fields")

    checked_page.page.click(".shell > .side a:has-text('Audit trail')")
    checked_page.page.check("input[name=looking]")
    expect(checked_page.page.locator("#audit")).to_contain_text("collection.view")
    checked_page.page.select_option("#actor", "ananya")
    expect(checked_page.page).to_have_url(re.compile("actor=ananya"))
    checked_page.check("18-audit")

    checked_page.page.click(".shell > .side a:has-text('Sync')")
    checked_page.page.click("#main a:has-text('Conflicts')")
    checked_page.check("18-conflicts")
    checked_page.page.goto("/sessions/")
    checked_page.check("18-sessions")
