"""The pages of pin, remove, release and accept, the list with its reasons and the trash, as people see them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from playwright.sync_api import expect

from backups_app.models import LoginSession, User
from backups_app.use_cases.retention import pins
from tests.browser.checked_page import LONG, CheckedPage
from tests.browser.in_process import HOUSE, served
from tests.browser.in_process import looked_at as looked_at
from tests.browser.in_process import one_connection as one_connection
from tests.pages.conftest import signed_in
from tests.retention.conftest import Temple
from tests.retention.conftest import temple as temple
from tests.retention.test_removal import DELETED, who


@pytest.fixture
def scene(temple: Temple) -> dict[str, str]:
    """A pinned backup, one that holds bookings, one older than a loss, one that goes, and two in the trash."""
    thrown = [temple.add(days=60), temple.add(days=70)]
    for backup_id in thrown:
        temple.remove(backup_id)
    pinned, holder = temple.add(days=20), temple.add(days=30, **DELETED)
    free = temple.add(days=1)
    temple.add(days=40, counts={"bookings": 81})
    temple.set_policy()
    pins.pin(backup_id=pinned, note="before the festival", **who(temple))
    return {"pinned": pinned, "holder": holder, "free": free, "loss": holder}


def test_the_pages_of_keeping_and_removing(
    scene: dict[str, str], temple: Temple, super_admin: User, looked_at: CheckedPage
) -> None:
    person = signed_in(super_admin)
    served(looked_at.page, person)
    LoginSession.objects.update(authenticated_at=timezone.now() - timedelta(hours=1))
    pages = {
        "31-list": "list/",
        "31-pin": f"{scene['pinned']}/pin/",
        "31-remove": f"{scene['free']}/remove/",
        "31-stays": f"{scene['holder']}/remove/",
        "31-release": f"{scene['holder']}/release/",
        "31-accept": f"{scene['loss']}/accept/",
        "31-rules": "schedule/",
    }
    for language in ("en-in", "hi") if LONG else ("en-in",):
        person.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
        for name, path in pages.items():
            looked_at.page.goto(f"{HOUSE}/admin/backups/{path}")
            looked_at.wait_until_still()
            expect(looked_at.page.locator("h1")).to_be_visible()
            looked_at.check(name if language == "en-in" else f"{name}-hindi")


def test_the_button_waits_for_the_typed_id(scene: dict[str, str], super_admin: User, looked_at: CheckedPage) -> None:
    served(looked_at.page, signed_in(super_admin))
    looked_at.page.goto(f"{HOUSE}/admin/backups/{scene['free']}/remove/")
    button, field = looked_at.page.locator("[data-confirm-submit]"), looked_at.page.locator("#confirm")
    field.fill("2025")
    expect(button).to_be_disabled()
    field.fill(scene["free"])
    expect(button).to_be_enabled()
