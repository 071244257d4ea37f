"""The page Notifications with every state of a channel and of a message; and an e-mail as a mail program shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from backups_app.configuration import Configuration, Secret
from backups_app.messages.protection import notifications as messages
from backups_app.models import Notification, User
from backups_app.notification import channels
from backups_app.notification.content import Content
from backups_app.notification.wording import worded
from tests.browser.checked_page import OUTPUT, PHONE, WIDE, CheckedPage

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/admin/backups/notifications/"
CONTENT = Content(
    title=messages.BACKUP_FAILED(),
    lines=("The backup disk is full. Nothing was deleted. Free some space, and make a backup.",),
    facts=(
        (messages.RUN(), "20261128_023000"), (messages.STARTED_AT(), timezone.now()),
        (messages.SAVED(), messages.SAVED_VALUE(
            collections=messages.COLLECTIONS(n=15), documents=messages.DOCUMENTS(n=23_861), size="12.40 MB")),
        (messages.CODE(), "disk_full"),
    ),
    path="/admin/backups/runs/20261128_023000/",
)  # fmt: skip
MESSAGES: tuple[tuple[str, int, str, dict[str, int], int], ...] = (
    ("sent", 1, "", {}, 0),
    ("waiting", 4, "mail_server_unreachable", {}, 0),
    ("waiting", 0, "", {}, 0),
    ("given_up", 78, "mail_refused", {"reply": 554}, 0),
    ("sent", 2, "", {}, 1),
)
"""State, tries, problem, its facts, interruptions."""


@pytest.fixture
def notifications_page(live_server: LiveServer, browser: Browser, super_admin: User) -> Iterator[CheckedPage]:
    """A mail server that does not answer, two services, a healthcheck, and a message in each state."""
    current = Configuration(
        email_url=Secret("smtp://127.0.0.1:9"), site_url="https://backup.temple.example",
        notify_urls=(Secret("json://127.0.0.1:9/hook"), Secret("nonsense://x")),
        healthcheck_url=Secret("http://127.0.0.1:9/ping"),
    )  # fmt: skip
    super_admin.email = "ananya.krishnamurthy@sri-venkateswara-temple.example"
    super_admin.save()
    mail, service = channels.key_of_person(super_admin), channels.key_of_url("json://127.0.0.1:9/hook")
    for number, (state, attempts, code, facts, twice) in enumerate(MESSAGES):
        at = timezone.now() - timedelta(hours=number + 1)
        Notification.objects.create(
            event=f"e{number}", channel=(mail, service)[number % 2], kind="failed", language="en-in",
            content=CONTENT.as_document(), state=state, attempts=attempts, interruptions=twice, problem_code=code,
            problem_facts=facts, message_id=f"<{number}@x>", created_at=at, next_attempt_at=at,
            sent_at=at if state == "sent" else None,
        )  # fmt: skip
    with override_settings(TEMPLEOPS=current), closing(browser.new_context(base_url=live_server.url)) as context:
        watched = CheckedPage(context.new_page())
        yield watched
    assert watched.faults == []


@pytest.mark.parametrize("language", ["en-in", "hi"])
def test_the_page_in_every_state(notifications_page: CheckedPage, language: str) -> None:
    notifications_page.sign_in(to=PAGE)
    notifications_page.page.context.add_cookies(
        [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": notifications_page.page.url}]
    )
    notifications_page.page.goto(PAGE)
    notifications_page.wait_until_still()

    notifications_page.check(f"60-notifications-{language}")

    notifications_page.page.locator("table a").first.click()
    notifications_page.wait_until_still()
    notifications_page.check(f"61-message-{language}")


def test_a_test_is_sent_from_the_page_without_a_script(notifications_page: CheckedPage) -> None:
    notifications_page.sign_in(to=PAGE)

    notifications_page.page.get_by_role("button", name="Send a test").first.click()
    notifications_page.wait_until_still()

    assert notifications_page.page.locator(".note.bad").count() == 1
    notifications_page.check("62-notifications-tested")


@pytest.mark.parametrize("language", ["en-in", "hi"])
def test_an_e_mail_fits_wide_and_narrow_light_and_dark(page: Page, tmp_path: Path, language: str) -> None:
    message = worded(CONTENT, kind="failed", language=language, site_url="https://backup.temple.example")
    file = tmp_path / "mail.html"
    file.write_text(message.html, encoding="utf-8")
    OUTPUT.mkdir(exist_ok=True)
    for (width, height), scheme in ((WIDE, "light"), (PHONE, "dark")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(file.as_uri())
        page.screenshot(path=OUTPUT / f"63-mail-{language}-{scheme}-{width}.png", full_page=True)

        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
