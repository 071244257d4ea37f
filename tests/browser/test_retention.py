"""The simulator of retention in a browser: it answers as one types."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.checked_page import CheckedPage


@pytest.mark.parametrize("language", ["en-in", "hi"])
def test_the_simulator_answers_as_one_types(checked_page: CheckedPage, language: str) -> None:
    page = checked_page.page
    checked_page.sign_in(to="/admin/backups/schedule/")
    if language == "hi":
        page.context.add_cookies([{"name": "django_language", "value": "hi", "url": page.url}])
        page.reload()
    checked_page.check(f"retention_{language}", within="#retention")

    for rule in ("last", "daily", "weekly", "monthly"):
        page.locator(f"#keep-{rule}").fill("0")

    expect(page.locator("#simulation [role=alert]")).to_be_visible()
    page.locator("#keep-last").fill("2")
    expect(page.locator("#simulation table")).to_be_attached()
