"""The frame of every page: what the sidebar offers and marks, and the mark of a run."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from django.test import Client, override_settings

from backups_app.configuration import Configuration
from backups_app.records import Phase, Status
from tests.pages.conftest import a_run

pytestmark = pytest.mark.django_db
DOT = "/admin/backups/_/dot/"


def marked(browser: Client, address: str) -> list[str]:
    """What the sidebar marks as the page one is on; twice, for it is also the phone's menu."""
    page = browser.get(address, follow=True).content.decode()
    return re.findall(r'<a href="([^"]+)" aria-current="page">', page)


@pytest.mark.parametrize(
    ("address", "mark"),
    [
        ("/", "/"),
        ("/admin/backups/", "/admin/backups/"),
        ("/admin/backups/restores/", "/admin/backups/restores/"),
        ("/admin/backups/compare/", "/admin/backups/compare/"),
        ("/admin/backups/list/", "/admin/backups/list/"),
        ("/admin/backups/sync/", "/admin/backups/sync/"),
        ("/admin/backups/conflicts/", "/admin/backups/sync/"),
        ("/admin/backups/audit/", "/admin/backups/audit/"),
    ],
)
def test_the_sidebar_marks_where_one_is(
    admin_browser: Client, configured: Configuration, address: str, mark: str
) -> None:
    assert marked(admin_browser, address) == [mark, mark]


@pytest.mark.parametrize("address", ["/admin/backups/list/", "/admin/backups/nothing-here/"])
def test_the_sidebar_speaks_the_language_of_the_page(
    admin_browser: Client, configured: Configuration, address: str
) -> None:
    for language, there, absent in [
        ("en-in", "Find everywhere", "हर जगह खोजें"),
        ("hi", "हर जगह खोजें", "Find everywhere"),
        ("en-in", "Find everywhere", "हर जगह खोजें"),
    ]:
        page = admin_browser.get(address, headers={"Accept-Language": language}).content.decode()
        sidebars = re.findall(r'<(?:aside|div) class="side">(.*?)</nav>', page, re.DOTALL)
        assert [there in one for one in sidebars] == [True, True]
        assert [absent in one for one in sidebars] == [False, False]


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        ("backup", "/admin/backups/list/"),
        ("restore", "/admin/backups/restores/"),
        ("test_copy", "/admin/backups/restores/"),
        ("rehearsal", "/admin/backups/restores/"),
    ],
)
def test_the_run_of_a_restore_is_under_restores(
    admin_browser: Client, configured: Configuration, local_db: Any, kind: str, mark: str
) -> None:
    choices = {"backup_id": "20260118_111420", "collections": ["bookings"], "mode": "add", "target": "temple",
               "in_place": kind == "restore", "include_purged": False, "document": None}  # fmt: skip
    parts: dict[str, Any] = {key: [] for key in ("taken", "left_out", "emptied", "collections", "unfinished")}
    restore = {**parts, "choices": choices, "sums": {}, "at_work": None}
    run = a_run(kind=kind, owner=None, **({} if kind == "backup" else {"restore": restore}))
    local_db.backup_metadata.insert_one(run)

    assert marked(admin_browser, f"/admin/backups/runs/{run['_id']}/") == [mark, mark]


def test_the_mark_of_a_run_is_sent_when_it_changes_and_only_then(
    admin_browser: Client, configured: Configuration, local_db: Any
) -> None:
    nothing = admin_browser.get(DOT)
    over = admin_browser.get(f"{DOT}?running=1")
    local_db.backup_metadata.insert_one(
        a_run(status=Status.IN_PROGRESS.value, phase=Phase.DUMPING.value, finished_at=None)
    )
    begun = admin_browser.get(f"{DOT}?id=run-dot-phone")
    goes_on = admin_browser.get(f"{DOT}?running=1")

    assert [nothing.status_code, goes_on.status_code] == [204, 204]
    assert "backup running" in begun.content.decode() and 'id="run-dot-phone"' in begun.content.decode()
    assert "running=1" in begun.content.decode() and "every 15s" in begun.content.decode()
    assert "backup running" not in over.content.decode() and "running=1" not in over.content.decode()


def test_in_cloud_mode_the_item_stays_and_says_so(admin_browser: Client, configured: Configuration) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(configured, primary_database="cloud")):
        page = admin_browser.get("/").content.decode()

    assert '<span class="badge info">Cloud</span>' in page and 'href="/admin/backups/"' in page
    assert "/admin/backups/restores/" not in page and "run-mark" not in page


def test_every_page_names_its_zone(admin_browser: Client, configured: Configuration) -> None:
    for address in ("/", "/sessions/", "/admin/backups/", "/admin/backups/audit/", "/admin/backups/restores/"):
        assert "All times in <b>IST (Asia/Kolkata)</b>" in admin_browser.get(address).content.decode(), address
