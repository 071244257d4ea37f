"""Every view of every collection of the demo, before and after a deletion: no fault anywhere. In Hindi, next door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from backups_app.configuration import Configuration
from backups_app.management.demo import filling, temple
from backups_app.models import User
from backups_app.records import Origin, Side
from backups_app.use_cases.backups import backups
from tests.pages.conftest import signed_in
from tests.pages.crawler import crawl, pages_without_id

pytestmark = pytest.mark.django_db

VIEWS = ("cards", "json", "table", "fields")
NOT_LINKED = {
    "login", "step_up", "confirm_deletion", "versions", "remove_copy", "compare_progress", "copies_progress", "runs",
}  # fmt: skip
"""Pages, and parts of pages, that no link of a Super Admin leads to before there is a backup."""
COLLECTIONS = {collection.name for collection in temple.collections() if "viewOn" not in collection.options}


@pytest.fixture
def demo(configured: Configuration, local_db: Any, remote_db: Any) -> Iterator[Configuration]:
    """The temple of `make run`, on both sides."""
    filling.fill(sides={Side.LOCAL: local_db, Side.REMOTE: remote_db}, now=timezone.now())
    yield configured
    for side in (local_db, remote_db):
        side.client.drop_database(filling.MARKS)


def a_run(*, minutes_ago: int, delete_bookings: bool) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    run = backups.start_backup(
        created_by="ravi", delete_bookings=delete_bookings, origin=Origin.WEB, now=at, enqueue=False
    )
    assert backups.execute(backup_id=run["_id"])["status"] == "success"


def no_page_fails_before_and_after_a_deletion(browser: Client, language: str) -> None:
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    a_run(minutes_ago=9, delete_bookings=False)
    before = crawl(browser, start="/")
    a_run(minutes_ago=6, delete_bookings=True)
    a_run(minutes_ago=3, delete_bookings=False)
    after = crawl(browser, start="/")

    for seen in (before, after):
        assert seen.failed == []
        assert {(collection, view) for collection in COLLECTIONS for view in VIEWS} <= seen.collections


def test_no_page_fails_before_and_after_a_deletion(admin_browser: Client, demo: Configuration) -> None:
    no_page_fails_before_and_after_a_deletion(admin_browser, "en-in")


def test_no_page_fails_before_there_is_anything(admin_browser: Client, configured: Configuration) -> None:
    seen = crawl(admin_browser, start="/")

    assert seen.failed == [] and len(seen.visited) > 10


def test_every_page_without_an_id_is_reached_by_links(super_admin: User, configured: Configuration) -> None:
    """Red after a page that has no entry in the menu."""
    seen = crawl(signed_in(super_admin), start="/")

    reached = {kind[0].removeprefix("pages:") for kind in seen.visited}
    unlinked = set(pages_without_id()) - reached
    assert unlinked == NOT_LINKED, sorted(unlinked)
