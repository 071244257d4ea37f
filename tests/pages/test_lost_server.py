"""When a server is lost: a page asks it once, the card keeps what was known, a run that goes on is not "not found"."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from pymongo.errors import AutoReconnect

from backups_app.catalog.run import runs
from backups_app.configuration import Configuration, Secret
from backups_app.errors import DatabaseUnreachable
from backups_app.mongo import availability
from backups_app.pages import known_status
from backups_app.pages.home import live_counts
from backups_app.records import Side
from backups_app.runs.description import description
from backups_app.runs.steps import preflight
from backups_app.use_cases.listing import listing, present_counts
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.status import status
from tests.pages.conftest import a_run

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
HOME, STATUS, COUNTS = "/admin/backups/", "/admin/backups/_/status/", "/admin/backups/_/counts/"
NOBODY = Secret("mongodb://127.0.0.1:9/")


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(known_status, "_known", {})
    availability.forget_failures()
    yield
    availability.forget_failures()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for seconds waits for a moment."""
    for room, name in ((description, "LOOK"), (present_counts, "COUNT"), (readiness, "LOOK"), (status, "PROBE")):
        monkeypatch.setattr(room, f"{name}_SECONDS", 0.2)


@pytest.fixture
def asked(caplog: pytest.LogCaptureFixture) -> Callable[[], int]:
    """How often, since the last time, the driver looked for a server in vain."""
    caplog.set_level(logging.DEBUG, "pymongo.serverSelection")

    def count() -> int:
        failed = sum("Server selection failed" in record.getMessage() for record in caplog.records)
        caplog.clear()
        return failed

    return count


@pytest.mark.parametrize("which", ["local_url", "cloud_url"])
def test_a_page_asks_a_lost_server_once_and_the_next_page_not_at_all(
    admin_browser: Client, seeded: Configuration, which: str, impatient: None, asked: Callable[[], int]
) -> None:
    gone: dict[str, Any] = {which: NOBODY}
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, **gone)):
        found = []
        for path in (HOME, HOME, STATUS, COUNTS, "/admin/backups/list/", HOME):
            assert admin_browser.get(path).status_code == 200
            found.append(asked())

    assert found == [1, 0, 1, 1, 0, 0], "card and counts look anew, once; the rest believes them"


def found_lost(seeded: Configuration) -> None:
    """The local server was found lost a moment ago. It is back."""
    with pytest.raises(DatabaseUnreachable), availability.asking(Side.LOCAL, configuration=seeded, seconds=1):
        raise AutoReconnect("gone for a moment")


def test_a_start_asks_the_server_whatever_was_found_a_moment_ago(
    admin_browser: Client, seeded: Configuration, local_db: Any
) -> None:
    found_lost(seeded)

    answer = admin_browser.post("/admin/backups/runs/", {"key": "k"})

    assert answer.status_code == 303
    assert len(runs.recent(local_db)) == 1


def test_check_again_and_the_refreshed_card_ask_the_server_whatever_was_found_a_moment_ago(
    admin_browser: Client, seeded: Configuration
) -> None:
    for path in (f"{HOME}?check=1", STATUS):
        found_lost(seeded)

        card = admin_browser.get(path).content.decode().split('id="trigger"')[0]

        assert "cannot be reached" not in card
        assert card.count("Reachable") == 2


def test_the_card_is_shown_as_last_known_whatever_its_age_and_looks_by_itself(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin_browser.get(HOME)
    (known,) = known_status._known.values()
    known.system = dataclasses.replace(known.system, checked_at=known.system.checked_at - timedelta(hours=2))
    monkeypatch.setattr(status, "status", fails)

    page = admin_browser.get(HOME).content.decode()

    assert "Checked 2 h 0 min ago" in page
    assert 'hx-trigger="load, every 60s' in page
    assert 'could-not-check"' in page, "there, and hidden"


def fails(**_: Any) -> Any:
    raise RuntimeError("a probe broke")


def test_without_a_script_an_old_card_is_checked_again(admin_browser: Client, seeded: Configuration) -> None:
    admin_browser.get(HOME)
    (known,) = known_status._known.values()
    known.system = dataclasses.replace(known.system, checked_at=known.system.checked_at - timedelta(hours=2))

    page = admin_browser.get(f"{HOME}?counts=1").content.decode()

    assert "Checked a moment ago" in page


def test_a_look_that_breaks_leaves_the_card_as_it_was_and_says_so(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin_browser.get(HOME)
    monkeypatch.setattr(status, "status", fails)

    answer = admin_browser.get(STATUS, headers=HTMX)

    card = answer.content.decode()
    assert answer.status_code == 503
    assert "Couldn&#x27;t check. Showing what we knew at <time" in card.replace("'", "&#x27;")
    assert "could-not-check said" in card
    assert "Try again" in card
    assert "Not protected: no backup yet" in card
    assert 'id="status"' in card and "every 60s" in card, "it goes on looking"


def test_where_nothing_was_ever_known_the_home_page_still_stands(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "status", fails)

    answer = admin_browser.get(HOME)

    assert answer.status_code == 200
    assert "nothing is known yet" in answer.content.decode()
    assert "Trigger Backup (Keep Bookings)" in answer.content.decode()


def test_the_card_is_announced_only_when_it_says_something_else(admin_browser: Client, seeded: Configuration) -> None:
    same = admin_browser.get(f"{STATUS}?said=assurance_no_backup", headers=HTMX).content.decode()
    other = admin_browser.get(f"{STATUS}?said=not_elsewhere", headers=HTMX).content.decode()

    assert "data-announce" not in same
    assert 'data-announce="Not protected: no backup yet"' in other


def test_a_disk_that_is_full_before_anything_began_speaks_of_no_purge(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "needed_bytes", lambda data: 10**18)

    page = admin_browser.get(HOME).content.decode()

    assert "Not protected: The backup disk is full" in page
    assert "No backup can start." in page
    assert "The deletion step did not run" not in page


def test_an_unfinished_deletion_is_named_by_its_date_and_leads_to_its_run(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = a_run(status="partial", resume_available=True, dated_in_future=False)

    monkeypatch.setattr(listing, "list_runs", lambda **asked: [unfinished])

    card = admin_browser.get(STATUS).content.decode()

    assert "The deletion of the run of 19 Jan 2026, 16:44 IST is unfinished." in card
    assert 'href="/admin/backups/runs/20260119_111420/"' in card


def test_the_confirmation_opens_before_anybody_counted(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = admin_browser.get("/admin/backups/confirm-delete/?counted=1", headers=HTMX).content.decode()
    monkeypatch.setattr(live_counts, "now", fails)

    dialog = admin_browser.get("/admin/backups/confirm-delete/", headers=HTMX).content.decode()

    assert dialog.lstrip().startswith("<dialog")
    assert "Counting…" in dialog and dialog.count('class="skeleton"') == 6
    assert "employee_bookings" in dialog and "indexes kept" in dialog
    assert "Delete 1,552 booking documents after this backup?" in counted
    assert counted.lstrip().startswith("<form") and "data-focus" in counted


def test_a_run_that_nobody_can_see_at_this_moment_is_not_called_unknown(
    admin_browser: Client, seeded: Configuration, impatient: None
) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, local_url=NOBODY)):
        answer = admin_browser.get("/admin/backups/runs/20260119_111420/progress/", headers=HTMX)
        page = admin_browser.get("/admin/backups/runs/20260119_111420/")

    assert (answer.status_code, page.status_code) == (503, 503)
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#out-of-sight", "outerHTML")
    assert "The local MongoDB cannot be reached." in answer.content.decode()
    assert "goes on by itself" in answer.content.decode()
