"""The pages that nobody wants to see: an old link, a page that is none, a fault of the server."""

from __future__ import annotations

import re
import shutil

from playwright.sync_api import expect

from tests.browser import temple_data
from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp
from tests.browser.test_restore import a_backup

SESSIONS = "backups_app_loginsession"


def test_an_old_link_to_a_backup_that_is_gone(checked_page: CheckedPage, running_app: RunningApp) -> None:
    backup_id = a_backup(running_app, "--keep-bookings")
    shutil.rmtree(running_app.backup_dir / f"backup_{backup_id}")
    checked_page.sign_in(to=f"/admin/backups/{backup_id}/restore/")

    expect(checked_page.page.locator("main .note")).to_be_focused()
    expect(checked_page.page.locator("main")).to_contain_text("This backup is no longer on the server")
    expect(checked_page.page.locator("main")).to_contain_text("Nobody recorded its removal")
    checked_page.check("21-gone")
    checked_page.page.click("text=Open the record of its run")
    expect(checked_page.page.locator("h1")).to_be_visible()


def test_an_address_that_is_none(checked_page: CheckedPage) -> None:
    checked_page.sign_in(to="/admin/backups/no-such-page/")

    expect(checked_page.page.locator("h1")).to_have_text("There is no such page")
    expect(checked_page.page.locator("h1")).to_be_focused()
    checked_page.check("21-not-found")


def test_a_fault_of_the_server_gives_a_reference_that_one_can_copy(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()
    checked_page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    spoil = "from django.db import connection as c; c.cursor().execute('UPDATE {} SET last_seen_at = {}')"
    running_app.manage("shell", "-c", spoil.format(SESSIONS, "hex(1)"))
    checked_page.provoke("status of 500")
    try:
        checked_page.page.click("#check-again")
        expect(checked_page.page.locator("#status, main")).to_contain_text(["Something went wrong on the server"])
        checked_page.page.goto("/admin/backups/audit/")
        expect(checked_page.page.locator("h1")).to_have_text("Something went wrong on the server")
        expect(checked_page.page.locator("main")).to_contain_text("Nothing was changed by this click.")
        checked_page.check("21-server-error")
        checked_page.page.click("text=Copy details")
        expect(checked_page.page.locator("#live")).to_have_text("Copied")
        copied = checked_page.page.evaluate("navigator.clipboard.readText()")
        assert re.search(r"Reference\s+[0-9a-f]{12}.*GET /admin/backups/audit/", " ".join(copied.split()))
    finally:
        running_app.manage("shell", "-c", spoil.format(SESSIONS, "authenticated_at"))


def test_a_kept_version_whose_document_changed_meanwhile_is_shown_again(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    for side, later in (("local", 1), ("remote", 0)):
        at = temple_data.START.replace(minute=later)
        running_app.database(side).rooms.replace_one({"_id": 0}, {"_id": 0, "name": side, "updatedAt": at})
    a_backup(running_app, "--keep-bookings")
    conflict = running_app.database().sync_conflicts.find_one({"collection": "rooms"})
    assert conflict is not None
    checked_page.sign_in(to=f"/admin/backups/conflicts/{conflict['_id']}/")
    running_app.database().rooms.update_one({"_id": 0}, {"$set": {"name": "edited meanwhile"}})
    checked_page.page.click("main button.primary")

    expect(checked_page.page.locator("#problem")).to_be_focused()
    expect(checked_page.page.locator("#problem")).to_contain_text("Nothing was written.")
    expect(checked_page.page.locator(".diff")).to_contain_text("edited meanwhile")
    checked_page.check("21-stale-version")
    checked_page.page.click("main button.primary")
    expect(checked_page.page.locator("main [role=alert]")).to_contain_text("Version restored.")
    assert running_app.database().rooms.find_one({"_id": 0})["name"] == "remote"
