"""Find everywhere as a page: the box at home, results that come as the search goes on, and the way to a restore."""

from __future__ import annotations

import dataclasses
import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from backups_app.browsing.search import everywhere
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent
from backups_app.use_cases.finding import finding
from tests.conftest import NOBODY
from tests.pages.test_beyond import a_backup
from tests.pages.test_browser import HTMX, get
from tests.pages.test_hindi import read

pytestmark = pytest.mark.django_db
FIND = "/admin/backups/find/"


@pytest.fixture
def two_backups(seeded: Configuration, local_db: Any, remote_db: Any) -> tuple[str, str]:
    """Two backups; between them the amount of one booking was changed."""
    now, names = timezone.now(), {"name": "Lakshmi Iyer"}
    for database in (local_db, remote_db):
        database.bookings.update_one(
            {"_id": 7}, {"$set": names | {"amount": 501, "updatedAt": now - timedelta(days=2)}}
        )
    first = a_backup(now - timedelta(minutes=2))
    for database in (local_db, remote_db):
        database.bookings.update_one({"_id": 7}, {"$set": {"amount": 551, "updatedAt": now}})
    return first, a_backup(now)


@pytest.fixture(autouse=True)
def _each_call_does_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every search goes on, whatever the machine."""
    for function in (finding.begin, finding.go_on):
        defaults = function.__kwdefaults__
        assert defaults is not None and "seconds" in defaults
        monkeypatch.setitem(defaults, "seconds", 0.0)


def further(page: str) -> str:
    (link,) = re.findall(r'id="more"[^>]*hx-get="([^"]+)"', page)
    return html.unescape(link)


def to_its_end(browser: Client, page: str) -> list[str]:
    """Return every part that comes after this page, as htmx asks for them."""
    parts = []
    while 'id="more"' in page and "hx-get" in page.partition('id="more"')[2].partition(">")[0]:
        page = get(browser, further(page), headers={**HTMX, "HX-Target": "more"})
        parts.append(page)
    return parts


def test_the_box_stands_on_the_home_page_and_leads_there(admin_browser: Client, seeded: Configuration) -> None:
    home = get(admin_browser, "/admin/backups/")
    page = get(admin_browser, FIND)

    assert f'action="{FIND}"' in home and f'href="{FIND}"' in home
    assert "Searches live data and every backup" in page and "How to search" in page
    assert not AuditEvent.objects.filter(action="find").exists()


def test_a_time_series_is_named_as_not_searched_in_both_languages(
    admin_browser: Client, hindi: Client, seeded: Configuration, local_db: Any
) -> None:
    local_db.create_collection("weather", timeseries={"timeField": "at", "metaField": "where"})
    local_db.weather.insert_one({"at": timezone.now(), "where": "gopuram"})
    a_backup(timezone.now())

    first = get(admin_browser, f"{FIND}?q=gopuram")
    last = [first, *to_its_end(admin_browser, first)][-1]
    in_hindi = read_to_its_end(hindi, f"{FIND}?q=gopuram", names=("gopuram",))

    assert "Not live" not in first + last
    assert "1 part could not be searched" in last and "<code>weather</code>" in last
    assert "a time-series is not searched in backups, which hold its measurements in buckets." in last
    assert "बैकअप में टाइम-सीरीज़ नहीं खोजी जाती" in in_hindi


def test_results_come_as_the_search_goes_on_and_each_is_one(
    admin_browser: Client, two_backups: tuple[str, str], local_db: Any, remote_db: Any
) -> None:
    for side in (local_db, remote_db):
        side.bookings.delete_one({"_id": 7})

    first = get(admin_browser, f"{FIND}?q=%22Lakshmi+Iyer%22")
    parts = to_its_end(admin_browser, first)
    every = "".join([first, *parts])

    assert len(parts) >= 3 and every.count('<article class="found"') == 1
    assert every.count("hx-swap-oob") > 3, "the older backup is added to the card that is shown"
    last = parts[-1]
    assert "1 document found for “&quot;Lakshmi Iyer&quot;”" in last
    assert "Live data and 2 backups were searched." in last
    assert "Not live; last found in the backup of" in every
    assert "2 versions that differ" in every, "its amount was changed between the two"
    link = f"/admin/backups/{two_backups[1]}/restore/?step=2&amp;collection=bookings&amp;id="
    assert link in every
    restore = html.unescape(re.findall(rf'href="({re.escape(link)}[^"]*)"', every)[0])
    assert admin_browser.get(restore).status_code == 200
    assert AuditEvent.objects.filter(action="find").count() == 1


def test_without_a_script_links_go_on_and_show_all_that_was_found(
    admin_browser: Client, two_backups: tuple[str, str]
) -> None:
    page = get(admin_browser, f"{FIND}?q=%22Lakshmi+Iyer%22")
    for _ in range(20):
        link = re.search(r'<noscript><a class="btn sm" href="([^"]+)"', page)
        if link is None:
            break
        page = get(admin_browser, html.unescape(link[1]))

    assert "Live data and 2 backups were searched." in page
    assert page.count('<article class="found"') == 1 and "Live here and on Atlas" in page


def test_stopped_it_stands_still_and_goes_on_when_asked(admin_browser: Client, two_backups: tuple[str, str]) -> None:
    page = get(admin_browser, f"{FIND}?q=doe")
    stopped = get(admin_browser, f"{further(page)}&stop=1", headers={**HTMX, "HX-Target": "more"})

    assert "0 of 2 backups were searched." in stopped and "and all older ones." in stopped
    assert "The search was stopped." in stopped and "Search further" in stopped and "hx-trigger" not in stopped
    assert '<article class="found"' not in stopped


def test_a_common_word_says_that_there_is_more(admin_browser: Client, two_backups: tuple[str, str]) -> None:
    every = "".join(to_its_end(admin_browser, get(admin_browser, f"{FIND}?q=doe")))

    assert "More documents of <code>bookings</code> match than are shown." in every


def test_a_search_that_ended_early_says_how_far_it_came_and_leads_to_the_rest(
    admin_browser: Client, two_backups: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who looks for a deleted booking must not take live documents for all that there is."""
    monkeypatch.setattr(everywhere, "DOCUMENTS_LIMIT", 1)

    page = get(admin_browser, f"{FIND}?q=%22Lakshmi+Iyer%22")
    every = "".join([page, *to_its_end(admin_browser, page)])
    lost = get(admin_browser, f"{FIND}?q=%22Lakshmi+Iyer%22&lost=1")

    assert "Enough was found, so the search ended after 0 of 2 backups." in every
    assert "Live data was not searched to its end." in every and "and all older ones." in every
    assert f'href="{FIND}?q=%22Lakshmi+Iyer%22&amp;lost=1"' in every
    assert "so the search ended after" not in lost


def test_what_is_only_live_is_in_none_of_the_backups_searched(
    admin_browser: Client, two_backups: tuple[str, str], local_db: Any
) -> None:
    local_db.bookings.insert_one({"_id": 9001, "name": "Meenakshi"})

    first = get(admin_browser, f"{FIND}?q=meenakshi")
    every = "".join([first, *to_its_end(admin_browser, first)])

    assert "in none of the backups searched" in every and "Live data and 2 backups were searched." in every


def test_only_what_is_not_live(admin_browser: Client, two_backups: tuple[str, str], local_db: Any) -> None:
    local_db.bookings.delete_one({"_id": 8})

    first = get(admin_browser, f"{FIND}?q=John+Doe&lost=1")
    every = "".join([first, *to_its_end(admin_browser, first)])

    assert every.count('<article class="found"') == 1 and "Live on Atlas, not on this computer" in every
    assert "2 backups were searched for what is not live." in every


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("q=" + "x" * 300, "A search has 1 to 256 characters."),
        ("q=doe&search=gone.1", "The results of this search are gone"),
    ],
)
def test_what_cannot_be_searched_says_why(
    admin_browser: Client, seeded: Configuration, asked: str, message: str
) -> None:
    assert message in get(admin_browser, f"{FIND}?{asked}")


def test_a_damaged_backup_is_named(
    admin_browser: Client, two_backups: tuple[str, str], configured: Configuration
) -> None:
    next((configured.backup_dir / f"backup_{two_backups[0]}").glob("*/bookings.bson")).write_bytes(b"\xff" * 40)

    first = get(admin_browser, f"{FIND}?q=%22Lakshmi+Iyer%22")
    every = "".join([first, *to_its_end(admin_browser, first)])

    assert "2 parts could not be searched, or not to their end" in every and "<code>backup_damaged</code>" in every


def test_backups_are_searched_while_the_database_is_away(
    admin_browser: Client, two_backups: tuple[str, str], configured: Configuration
) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(configured, local_url=NOBODY)):
        first = get(admin_browser, f"{FIND}?q=%22Lakshmi+Iyer%22")
        every = "".join([first, *to_its_end(admin_browser, first)])

    assert "2 backups were searched; live data could not be searched." in every
    assert (
        "Live on Atlas; this computer's database could not be asked" in every
        and "<code>database_unreachable</code>" in every
    )


def read_to_its_end(hindi: Client, address: str, *, names: tuple[str, ...]) -> str:
    """Return the last page of a search without a script, every one of them in Hindi."""
    page = read(hindi, address, names=names)
    for _ in range(20):
        link = re.search(r'<noscript><a class="btn sm" href="([^"]+)"', page)
        if link is None:
            break
        page = read(hindi, html.unescape(link[1]), names=names)
    return page


def test_the_page_in_hindi(hindi: Client, two_backups: tuple[str, str], local_db: Any, remote_db: Any) -> None:
    names = ("amount", "Iyer")
    for side in (local_db, remote_db):
        side.bookings.delete_one({"_id": 7})
    page = read_to_its_end(hindi, f"{FIND}?q=%22Lakshmi+Iyer%22", names=names)
    read(hindi, f"{FIND}?q=doe&search=gone.1", names=("doe",))
    read(hindi, FIND)

    assert "बैकअप में मिला" in page
