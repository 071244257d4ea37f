"""Acceptance 20: the red path from the home page to its result with JavaScript off, and by the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.checked_page import LONG, OUTPUT, PHONE, WIDE, CheckedPage
from tests.browser.conftest import RunningApp
from tests.conftest import PASSWORD


@pytest.fixture(params=[WIDE, PHONE] if LONG else [PHONE], ids=lambda size: str(size[0]))
def plain(running_app: RunningApp, new_context: Callable[..., BrowserContext], request: pytest.FixtureRequest) -> Page:
    """A browser without JavaScript: a phone's, and in the long form a wide one, too."""
    width, height = request.param
    return new_context(java_script_enabled=False, viewport={"width": width, "height": height}).new_page()


def test_20_the_red_path_without_javascript(plain: Page, running_app: RunningApp) -> None:
    plain.goto("/login/?next=/admin/backups/")
    plain.fill("#username", "ananya")
    plain.fill("#password", PASSWORD)
    plain.click("main button.primary")
    plain.click("#check-again")
    expect(plain.locator("#status")).to_contain_text("Not protected: no backup yet")
    plain.click("#delete-button")
    expect(plain.locator("h1")).to_have_text("Delete 1,552 booking documents after this backup?")
    plain.fill("#confirm", "nonsense")
    plain.click("main button.danger")
    expect(plain.locator("#confirm-problem")).to_contain_text("Nothing was started.")
    plain.screenshot(path=OUTPUT / "20-no-script-confirm.png", full_page=True)
    plain.fill("#confirm", "DELETE BOOKINGS")
    plain.click("main button.danger")
    expect(plain).to_have_url(re.compile("/admin/backups/runs/"))
    expect(plain.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    plain.screenshot(path=OUTPUT / "20-no-script-result.png", full_page=True)
    assert running_app.database().bookings.count_documents({}) == 0

    plain.click("text=Look inside this backup")
    plain.select_option("#collection", "bookings")
    plain.click("form[role=search] noscript button")
    expect(plain.locator("#docs .doc")).to_have_count(25)
    plain.fill("#q", "doe")
    plain.click("form[role=search] noscript button")
    expect(plain.locator("#docs")).to_contain_text("3 of 1,240 documents match")
    plain.locator("#docs .doc summary").first.click()
    plain.locator("#docs .doc a", has_text="Open document").first.click()
    expect(plain.locator(".tree")).to_contain_text("Kashyapa")


def focused(page: Page) -> dict[str, Any]:
    found = page.evaluate(
        """() => { const e = document.activeElement, outline = parseFloat(getComputedStyle(e).outlineWidth);
        return {id: e.id, text: e.textContent.trim().slice(0, 40), outline} }"""
    )
    return dict(found)


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the element with this id has the focus; every stop on the way must be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        here = focused(page)
        assert here["outline"] >= 2 or here["id"] == "main", f"no focus to be seen on {here}"
        if here["id"] == wanted:
            return
    pytest.fail(f"Tab never came to #{wanted}")


def test_20_the_red_path_by_the_keyboard_alone(checked_page: CheckedPage, running_app: RunningApp) -> None:
    page = checked_page.page
    page.goto("/login/?next=/admin/backups/")
    page.keyboard.type("ananya")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Backup Management")
    checked_page.wait_until_still()

    tab_to(page, "delete-button")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_focused()
    page.keyboard.type("DELETE BOOKINGS")
    page.keyboard.press("Enter")

    expect(page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    expect(page.locator("#run-heading")).to_be_focused()
    assert running_app.database().bookings.count_documents({}) == 0
