"""Acceptance 19: in cloud mode there is an explanation and nothing to press."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.look import Look


def test_19_cloud_mode(open_house: Callable[..., Look]) -> None:
    look = open_house(PRIMARY_DATABASE="cloud")
    look.sign_in()

    main = look.page.locator("main")
    expect(main).to_contain_text("Backups are made in LOCAL mode only")
    expect(main).to_contain_text("Primary database: Cloud")
    expect(look.page.locator("#trigger")).to_have_count(0)
    expect(look.page.locator("#viewer")).to_have_count(0)
    expect(look.page.locator(".shell > .side a", has_text="Backup Management")).to_contain_text("Cloud")
    tag, side = (look.page.locator(f".shell > .side{inside}").bounding_box() for inside in (" .badge", ""))
    assert tag and side and tag["x"] + tag["width"] < side["x"] + side["width"] - 16
    look.page.click("main summary")
    expect(main).to_contain_text("Backup operations are only available in LOCAL mode.")
    look.check("19-cloud")
    expect(look.page.locator(".run-mark, .shell > .side a:has-text('Restores')")).to_have_count(0)
    refused = look.page.goto("/admin/backups/runs/")
    assert refused is not None and refused.status == 403
    expect(look.page.locator("main")).to_contain_text("Backup operations are only available in LOCAL mode")
