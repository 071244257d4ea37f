"""Hindi on a wide screen and on a dark phone: the states an administrator meets, no text clipped, no English left."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser import temple_data
from tests.browser.conftest import House
from tests.browser.look import Look
from tests.browser.test_restore import a_backup
from tests.pages.english_left import english_left

PEOPLE = tuple(word for name in temple_data.NAMES for word in name.split())
NAMES = (
    *("ananya", "Ananya", "ravi", "Ravi", "meena", "Meena", "root", "Chromium", "Jan"),
    *("activities", "bookings", *temple_data.OTHERS, *PEOPLE),
)
CLIPPED = """() => [...document.querySelectorAll('main *, dialog[open] *, header *, nav *')].filter(e => {
    const style = getComputedStyle(e);
    return e.childElementCount === 0 && e.innerText && style.overflowX === 'hidden' && !e.closest('.vh, .prev, code')
        && style.clip === 'auto' && e.scrollWidth > e.clientWidth + 1;
}).map(e => e.outerHTML.slice(0, 160))"""


def in_hindi(look: Look) -> None:
    look.sign_in()
    look.page.context.add_cookies([{"name": "django_language", "value": "hi", "url": look.page.url}])


def check(look: Look, name: str, *, within: str = "") -> None:
    """Look at the page as it stands, and read it."""
    look.settle()
    expect(look.page.locator("html")).to_have_attribute("lang", "hi")
    left = english_left(look.page.locator("body").inner_html(), names=NAMES)
    assert not left, f"{name}: {left}"
    look.check(f"hindi-{name}", part=bool(within), within=within)
    assert clipped(look.page) == []


def clipped(page: Page) -> object:
    return page.evaluate(CLIPPED)


def test_hindi_from_home_to_a_success(look: Look, house: House) -> None:
    in_hindi(look)
    look.page.goto("/admin/backups/?counts=1")
    check(look, "first")
    look.page.click("#delete-button")
    expect(look.page.locator("dialog[open] #confirm")).to_be_focused()
    check(look, "dialog", within="dialog")
    look.page.locator("#confirm").press_sequentially("DELETE BOOKINGS")
    look.page.click("[data-confirm-submit]")
    expect(look.page.locator("#run-heading")).to_have_text("बैकअप पूरा हुआ", timeout=60_000)
    check(look, "success")
    look.page.goto("/admin/backups/")
    check(look, "home")
    for name in ("audit", "restores", "conflicts", "runs"):
        look.page.goto(f"/admin/backups/{name}/")
        check(look, name)


def test_hindi_when_atlas_is_lost(look: Look, house: House) -> None:
    in_hindi(look)
    house.atlas_line.hang_up()
    house.manage("backup_now", "--delete-bookings", "--confirm", "DELETE BOOKINGS")
    run = house.database().backup_metadata.find_one(sort=[("created_at", -1)])
    assert run is not None and run["status"] == "partial"
    look.page.goto(f"/admin/backups/runs/{run['_id']}/")
    expect(look.page.locator("main")).to_contain_text("Atlas का MongoDB कनेक्शन लेकर तुरंत बंद कर देता है।")
    check(look, "partial")
    look.page.goto("/admin/backups/?check=1")
    expect(look.page.locator("#status")).to_contain_text("ध्यान दें: पिछला काम आंशिक रहा।", timeout=60_000)
    check(look, "attention")


def test_hindi_in_the_viewer_and_a_restore(look: Look, house: House) -> None:
    backup_id = a_backup(house, "--keep-bookings")
    house.database().devotees.delete_many({"_id": {"$lt": 30}})
    in_hindi(look)
    page = look.page
    page.goto(f"/admin/backups/browse/?backup={backup_id}")
    check(look, "viewer")
    page.goto(f"/admin/backups/{backup_id}/restore/?step=3&collection=devotees&mode=replace&where=here")
    expect(page.locator("#to-confirm")).to_be_visible(timeout=60_000)
    check(look, "preview")
    page.click("#to-confirm")
    expect(page.locator("#confirm")).to_be_visible()
    check(look, "confirm")
    page.fill("#confirm", "RESTORE")
    page.click("[data-confirm-submit]")
    expect(page.locator("#run-heading")).to_have_text("वापसी पूरी हुई", timeout=60_000)
    check(look, "restored")
