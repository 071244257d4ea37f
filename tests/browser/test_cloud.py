"""Acceptance 19: in cloud mode there is an explanation and nothing to press."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import House, serving
from tests.browser.look import Look


@pytest.fixture
def cloud(_house: House) -> Iterator[str]:
    """The address of a second house over the same people, whose primary database is Atlas."""
    environment = {**_house.environment, "PRIMARY_DATABASE": "cloud"}
    with serving(replace(_house, environment=environment)) as address:
        yield address


def test_19_cloud_mode(cloud: str, browser: Browser) -> None:
    look = Look(browser.new_context(base_url=cloud).new_page())
    look.sign_in()

    main = look.page.locator("main")
    expect(main).to_contain_text("Backups are made in LOCAL mode only")
    expect(main).to_contain_text("Primary database: Cloud")
    expect(look.page.locator("#trigger")).to_have_count(0)
    expect(look.page.locator("#viewer")).to_have_count(0)
    expect(look.page.locator(".shell > .side a", has_text="Backup Management")).to_contain_text("Cloud")
    look.check("19-cloud")
    refused = look.page.goto("/admin/backups/runs/")
    assert refused is not None and refused.status == 403
    expect(look.page.locator("main")).to_contain_text("Backup operations are only available in LOCAL mode")
