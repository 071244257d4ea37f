"""Acceptance 16, and what lies beyond: from Load Backups to one value, versions, comparison, the trails."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Route, expect

from tests.browser import temple_data
from tests.browser.conftest import House
from tests.browser.look import Look


def a_backup(house: House) -> str:
    made = house.manage("backup_now", "--keep-bookings")
    assert made.returncode == 0, made.stderr
    return str(house.database().backup_metadata.find_one(sort=[("created_at", -1)])["_id"])


def test_16_from_load_backups_to_a_document_and_back_by_the_address(look: Look, house: House) -> None:
    backup_id = a_backup(house)
    look.sign_in()
    look.settle()

    held: list[Route] = []
    look.page.route("**/admin/backups/browse/", lambda route: held.append(route))
    look.page.click("#load-backups")
    expect(look.page.locator("#loading")).to_be_visible()
    expect(look.page.locator("#loading")).to_have_text("Loading backups…")
    expect(look.page.locator("#viewer")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    expect(look.page.locator("#backup")).to_be_visible()
    look.page.unroute("**/admin/backups/browse/")
    look.page.select_option("#backup", backup_id)
    expect(look.page.locator("#viewer table")).to_contain_text("devotees")
    look.check("16-collections")
    look.page.select_option("#collection", "bookings")
    expect(look.page.locator("#docs .doc")).to_have_count(25)
    look.page.locator("#q").press_sequentially("doe", delay=50)
    expect(look.page.locator("#docs")).to_contain_text("3 of 1,240 documents match “doe”")
    expect(look.page.locator("#docs mark")).to_have_count(3)
    expect(look.page.locator("#q")).to_be_focused()
    look.page.locator("#docs .doc summary").first.click()
    tree = look.page.locator("#docs .doc .tree").first
    expect(tree).to_contain_text("19 Jan 2026, 14:30:22 IST")
    expect(tree).to_contain_text("2026-01-19T09:00:22.000Z")
    for kind in ("ObjectId", "Int32", "Int64", "Decimal128", "Date"):
        expect(tree).to_contain_text(kind)
    look.settle()
    look.check("16-viewer")
    assert re.search(rf"backup={backup_id}.*collection=bookings.*q=doe", look.page.url)
    look.page.reload()
    expect(look.page.locator("#docs mark").first).to_be_visible()
    expect(look.page.locator("#q")).to_have_value("doe")

    look.page.locator("#docs .views a", has_text="Table").click()
    expect(look.page.locator("#docs table.data tbody tr")).to_have_count(3)
    expect(look.page).to_have_url(re.compile("view=table"))
    look.page.fill("#q", "")
    expect(look.page.locator("#docs table.data tbody tr")).to_have_count(25)
    look.settle()
    look.check("16-table")


def test_one_document_as_json_and_through_its_versions(look: Look, house: House) -> None:
    a_backup(house)
    first = temple_data.booking(0)["_id"]
    for side in ("local", "remote"):
        house.database(side).bookings.update_one({"_id": first}, {"$set": {"amount": 551}, "$unset": {"fee": ""}})
    time.sleep(1.1)
    backup_id = a_backup(house)
    look.sign_in(to=f"/admin/backups/browse/?backup={backup_id}&collection=bookings")
    look.page.locator("#docs .doc summary").first.click()

    look.page.locator("#docs .doc a", has_text="JSON").first.click()
    expect(look.page.locator("#docs pre.json").first).to_contain_text('"$oid"')
    look.page.locator("#docs .doc a", has_text="Versions").first.click()

    dialog = look.page.locator("dialog[open]")
    expect(dialog).to_contain_text("Now, in the database")
    expect(dialog).to_contain_text("551")
    look.check("17-versions", part=True, within="dialog")
    look.page.keyboard.press("Escape")
    look.page.goto("/admin/backups/compare/")
    look.page.click("main button.primary")
    look.page.click("#compare a[href*='collection=bookings'][href*='kind=changed']")
    expect(look.page.locator("#differing")).to_contain_text("bookings, changed: 1")
    look.check("17-compare")


def test_the_fields_the_audit_trail_conflicts_and_sessions(look: Look, house: House) -> None:
    backup_id = a_backup(house)
    look.sign_in(to=f"/admin/backups/browse/?backup={backup_id}&collection=bookings&view=fields")
    expect(look.page.locator("#docs")).to_contain_text("devotee.gotra")
    look.check("18-fields")

    look.page.click(".shell > .side a:has-text('Audit trail')")
    expect(look.page.locator("#audit")).to_contain_text("collection.view")
    look.page.select_option("#actor", "ananya")
    expect(look.page).to_have_url(re.compile("actor=ananya"))
    look.check("18-audit")

    look.page.click(".shell > .side a:has-text('Sync conflicts')")
    look.check("18-conflicts")
    look.page.goto("/sessions/")
    look.check("18-sessions")
