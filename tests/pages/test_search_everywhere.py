"""Search in all collections of a backup: grouped, in the address, going on by itself, stopped, and to its end."""

from __future__ import annotations

import html
import re
from functools import partial
from pathlib import Path

import bson
import pytest
from django.test import Client

from backups_app.browsing.search import search_all
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent
from tests.pages.test_browser import HTMX, ID, get

pytestmark = pytest.mark.django_db

WHERE = f"/admin/backups/browse/?backup={ID}"
MORE = {**HTMX, "HX-Target": "more"}


@pytest.fixture
def folder(configured: Configuration) -> Path:
    """Three collections: two with a Doe or more in them, one without."""
    folder = configured.backup_dir / f"backup_{ID}" / "temple_db"
    folder.mkdir(parents=True, mode=0o700)
    names = {
        "bookings": ["John Doe", "Jane Doe", "Lakshmi"],
        "donations": [f"Doe {n}" for n in range(12)],
        "rooms": ["Room"],
    }
    for name, people in names.items():
        documents = [{"_id": n, "name": person} for n, person in enumerate(people)]
        (folder / f"{name}.bson").write_bytes(b"".join(bson.encode(document) for document in documents))
    return folder


def test_the_overview_offers_it_and_results_are_grouped_by_collection(admin_browser: Client, folder: Path) -> None:
    overview = get(admin_browser, WHERE)
    page = get(admin_browser, f"{WHERE}&q=doe")

    assert "Search in all collections" in overview and 'name="q"' in overview
    assert re.findall(r'<h4 class="group"><code>(\w+)</code></h4>', page) == ["bookings", "donations"]
    assert "At least 7 documents match “doe”" in page
    assert "2 documents match in bookings." in page and "The first 5 in donations." in page
    assert f'href="/admin/backups/browse/?backup={ID}&amp;collection=donations&amp;q=doe"' in page
    assert "John <mark>Doe</mark>" in page
    assert page.count('<details class="doc"') == 7


def test_the_number_is_exact_where_everything_was_searched(admin_browser: Client, folder: Path) -> None:
    assert "2 documents in the 3 collections match “j”" in get(admin_browser, f"{WHERE}&q=j")
    assert "1 document in the 3 collections matches “lakshmi”" in get(admin_browser, f"{WHERE}&q=lakshmi")
    assert "Nothing in the 3 collections contains “xyz”." in get(admin_browser, f"{WHERE}&q=xyz")
    assert "A search has 1 to 256 characters." in get(admin_browser, f"{WHERE}&q={'x' * 300}")


def further(page: str) -> str:
    return html.unescape(re.search(r'id="more"[^>]*hx-get="([^"]+)"', page)[1])  # type: ignore[index]


def test_without_time_it_goes_on_by_itself_until_the_end_and_finds_the_same(
    admin_browser: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = get(admin_browser, f"{WHERE}&q=doe")
    monkeypatch.setattr(search_all, "find", partial(search_all.find, seconds=0))
    parts = [get(admin_browser, f"{WHERE}&q=doe")]
    while 'hx-trigger="load' in parts[-1]:
        parts.append(get(admin_browser, further(parts[-1]), headers=MORE))

    together = "".join(parts)
    assert len(parts) > 3 and "<html" not in parts[1]
    assert "Looking for “doe”…" in parts[0] or "At least" in parts[0]
    assert "All 3 collections were searched." in parts[-1]
    assert re.findall(r"/document/\?collection=(\w+)&amp;number=(\d+)&amp;mark=doe\" hx", together) == re.findall(
        r"/document/\?collection=(\w+)&amp;number=(\d+)&amp;mark=doe\" hx", whole
    )
    assert re.findall(r'<h4 class="group"><code>(\w+)', together) == ["bookings", "donations"]
    assert 'id="search-head" class="hint num" hx-swap-oob="true"' in parts[-1]


def test_stop_leaves_what_was_found_and_searches_nothing(
    admin_browser: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_all, "find", partial(search_all.find, seconds=0))
    page = get(admin_browser, f"{WHERE}&q=doe")
    stop = html.unescape(re.search(r'id="stop-search"[^>]*hx-get="([^"]+)"', page)[1])  # type: ignore[index]
    monkeypatch.setattr(search_all, "find", None)

    stopped = get(admin_browser, stop, headers=MORE)

    assert "Search further" in stopped and "every" not in stopped and "load delay" not in stopped
    assert "The search was stopped." in stopped


def test_a_damaged_collection_is_named(admin_browser: Client, folder: Path) -> None:
    (folder / "bookings.bson").write_bytes((folder / "bookings.bson").read_bytes()[:-5])

    page = get(admin_browser, f"{WHERE}&q=doe")

    assert re.search(r"Not searched to the end, for damage:\s*<code>bookings</code>", page)
    assert "2 documents match in bookings." in page


def test_one_look_is_recorded_and_its_parts_are_not(admin_browser: Client, folder: Path) -> None:
    get(admin_browser, f"{WHERE}&q=doe")
    get(admin_browser, f"{WHERE}&q=doe&within=donations&cursor=3&here=2&found=4", headers=MORE)

    assert [row.target for row in AuditEvent.objects.filter(action="collection.view")] == [f"{ID}/*"]
