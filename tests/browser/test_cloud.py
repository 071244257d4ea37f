"""Acceptance 19: in cloud mode there is an explanation and nothing to press."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.checked_page import CheckedPage


def test_19_cloud_mode(open_house: Callable[..., CheckedPage]) -> None:
    checked_page = open_house(PRIMARY_DATABASE="cloud")
    checked_page.sign_in()

    main = checked_page.page.locator("main")
    expect(main).to_contain_text("Backups are made in LOCAL mode only")
    expect(main).to_contain_text("Primary database: Cloud")
    expect(checked_page.page.locator("#trigger")).to_have_count(0)
    expect(checked_page.page.locator("#viewer")).to_have_count(0)
    expect(checked_page.page.locator(".shell > .side a", has_text="Backup Management")).to_contain_text("Cloud")
    tag, side = (checked_page.page.locator(f".shell > .side{inside}").bounding_box() for inside in (" .badge", ""))
    assert tag and side and tag["x"] + tag["width"] < side["x"] + side["width"] - 16
    checked_page.page.click("main summary")
    expect(main).to_contain_text("Backup operations are only available in LOCAL mode.")
    checked_page.check("19-cloud")
    expect(checked_page.page.locator(".run-mark, .shell > .side a:has-text('Restores')")).to_have_count(0)
    refused = checked_page.page.goto("/admin/backups/runs/")
    assert refused is not None and refused.status == 403
    expect(checked_page.page.locator("main")).to_contain_text("Backup operations are only available in LOCAL mode")
