"""The pages that nobody wants to see: an old link, a page that is none, a fault of the server."""

from __future__ import annotations

import re
import shutil

from playwright.sync_api import expect

from tests.browser import temple_data
from tests.browser.conftest import House
from tests.browser.look import Look
from tests.browser.test_restore import a_backup

SESSIONS = "backups_app_loginsession"


def test_an_old_link_to_a_backup_that_is_gone(look: Look, house: House) -> None:
    backup_id = a_backup(house, "--keep-bookings")
    shutil.rmtree(house.backup_dir / f"backup_{backup_id}")
    look.sign_in(to=f"/admin/backups/{backup_id}/restore/")

    expect(look.page.locator("main .note")).to_be_focused()
    expect(look.page.locator("main")).to_contain_text("This backup is no longer on the server")
    expect(look.page.locator("main")).to_contain_text("Nobody recorded its removal")
    look.check("21-gone")
    look.page.click("text=Open the record of its run")
    expect(look.page.locator("h1")).to_be_visible()


def test_an_address_that_is_none(look: Look) -> None:
    look.sign_in(to="/admin/backups/no-such-page/")

    expect(look.page.locator("h1")).to_have_text("There is no such page")
    expect(look.page.locator("h1")).to_be_focused()
    look.check("21-not-found")


def test_a_fault_of_the_server_gives_a_reference_that_one_can_copy(look: Look, house: House) -> None:
    look.sign_in()
    look.settle()
    look.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    spoil = "from django.db import connection as c; c.cursor().execute('UPDATE {} SET last_seen_at = {}')"
    house.manage("shell", "-c", spoil.format(SESSIONS, "hex(1)"))
    look.provoke("status of 500")
    try:
        look.page.click("#check-again")
        expect(look.page.locator("#status, main")).to_contain_text(["Something went wrong on the server"])
        look.page.goto("/admin/backups/audit/")
        expect(look.page.locator("h1")).to_have_text("Something went wrong on the server")
        expect(look.page.locator("main")).to_contain_text("Nothing was changed by this click.")
        look.check("21-server-error")
        look.page.click("text=Copy details")
        expect(look.page.locator("#live")).to_have_text("Copied")
        copied = look.page.evaluate("navigator.clipboard.readText()")
        assert re.search(r"Reference\s+[0-9a-f]{12}.*GET /admin/backups/audit/", " ".join(copied.split()))
    finally:
        house.manage("shell", "-c", spoil.format(SESSIONS, "authenticated_at"))


def test_a_kept_version_whose_document_changed_meanwhile_is_shown_anew(look: Look, house: House) -> None:
    for side, later in (("local", 1), ("remote", 0)):
        at = temple_data.START.replace(minute=later)
        house.database(side).rooms.replace_one({"_id": 0}, {"_id": 0, "name": side, "updatedAt": at})
    a_backup(house, "--keep-bookings")
    conflict = house.database().sync_conflicts.find_one({"collection": "rooms"})
    assert conflict is not None
    look.sign_in(to=f"/admin/backups/conflicts/{conflict['_id']}/")
    house.database().rooms.update_one({"_id": 0}, {"$set": {"name": "edited meanwhile"}})
    look.page.click("main button.primary")

    expect(look.page.locator("#problem")).to_be_focused()
    expect(look.page.locator("#problem")).to_contain_text("Nothing was written.")
    expect(look.page.locator(".diff")).to_contain_text("edited meanwhile")
    look.check("21-stale-version")
    look.page.click("main button.primary")
    expect(look.page.locator("main [role=alert]")).to_contain_text("Put back.")
    assert house.database().rooms.find_one({"_id": 0})["name"] == "remote"
