"""Hindi on a wide screen and on a dark phone: the states an administrator meets, no text clipped, no English left."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser import temple_data
from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp
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


def in_hindi(checked_page: CheckedPage) -> None:
    checked_page.sign_in()
    checked_page.page.context.add_cookies([{"name": "django_language", "value": "hi", "url": checked_page.page.url}])


def check(checked_page: CheckedPage, name: str, *, within: str = "") -> None:
    """Look at the page as it stands, and read it."""
    checked_page.wait_until_still()
    expect(checked_page.page.locator("html")).to_have_attribute("lang", "hi")
    left = english_left(checked_page.page.locator("body").inner_html(), names=NAMES)
    assert not left, f"{name}: {left}"
    checked_page.check(f"hindi-{name}", part=bool(within), within=within)
    assert clipped(checked_page.page) == []


def clipped(page: Page) -> object:
    return page.evaluate(CLIPPED)


def test_hindi_from_home_to_a_success(checked_page: CheckedPage, running_app: RunningApp) -> None:
    in_hindi(checked_page)
    checked_page.page.goto("/admin/backups/?counts=1")
    check(checked_page, "first")
    checked_page.page.click("#delete-button")
    expect(checked_page.page.locator("dialog[open] #confirm")).to_be_focused()
    check(checked_page, "dialog", within="dialog")
    checked_page.page.locator("#confirm").press_sequentially("DELETE BOOKINGS")
    checked_page.page.click("[data-confirm-submit]")
    expect(checked_page.page.locator("#run-heading")).to_have_text("बैकअप पूरा हुआ", timeout=60_000)
    check(checked_page, "success")
    checked_page.page.goto("/admin/backups/")
    check(checked_page, "home")
    for name in ("audit", "restores", "conflicts", "runs"):
        checked_page.page.goto(f"/admin/backups/{name}/")
        check(checked_page, name)


def test_hindi_when_atlas_is_lost(checked_page: CheckedPage, running_app: RunningApp) -> None:
    in_hindi(checked_page)
    running_app.atlas_line.hang_up()
    running_app.manage("backup_now", "--delete-bookings", "--confirm", "DELETE BOOKINGS")
    run = running_app.database().backup_metadata.find_one(sort=[("created_at", -1)])
    assert run is not None and run["status"] == "partial"
    checked_page.page.goto(f"/admin/backups/runs/{run['_id']}/")
    expect(checked_page.page.locator("main")).to_contain_text("Atlas का MongoDB कनेक्शन लेकर तुरंत बंद कर देता है।")
    check(checked_page, "partial")
    checked_page.page.goto("/admin/backups/?check=1")
    listed = checked_page.page.locator("#status .attention")
    expect(listed.locator("> b")).to_have_text("ध्यान देना है", timeout=60_000)
    partial = listed.locator("li", has_text="पिछला काम आंशिक रहा।")
    expect(partial.locator("a")).to_have_text("वह बैकअप देखें")
    expect(partial.locator("a")).to_have_attribute("href", f"/admin/backups/runs/{run['_id']}/")
    expect(listed).to_contain_text("Atlas का MongoDB कनेक्शन लेकर तुरंत बंद कर देता है।")
    check(checked_page, "attention")


def test_hindi_in_the_viewer_and_a_restore(checked_page: CheckedPage, running_app: RunningApp) -> None:
    backup_id = a_backup(running_app, "--keep-bookings")
    running_app.database().devotees.delete_many({"_id": {"$lt": 30}})
    in_hindi(checked_page)
    page = checked_page.page
    page.goto(f"/admin/backups/browse/?backup={backup_id}")
    check(checked_page, "viewer")
    page.goto(f"/admin/backups/{backup_id}/restore/?step=3&collection=devotees&mode=replace&where=here")
    expect(page.locator("#to-confirm")).to_be_visible(timeout=60_000)
    check(checked_page, "preview")
    page.click("#to-confirm")
    expect(page.locator("#confirm")).to_be_visible()
    check(checked_page, "confirm")
    page.fill("#confirm", "RESTORE")
    page.click("[data-confirm-submit]")
    expect(page.locator("#run-heading")).to_have_text("वापसी पूरी हुई", timeout=60_000)
    check(checked_page, "restored")
