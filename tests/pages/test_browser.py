"""Looking into backups: from the list to one value, by links and forms alone, and by htmx."""

from __future__ import annotations

import html
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import bson
import pytest
from django.test import Client
from django.utils import timezone

from backups_app.browsing.search import search
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent
from backups_app.pages.viewer.document_view import plain_id
from backups_app.records import Origin
from backups_app.use_cases.backups import backups

pytestmark = pytest.mark.django_db

ID = "20260101_090000"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def a_backup(configured: Configuration) -> Path:
    """A folder as somebody's mongodump leaves it: 60 bookings, and a collection with odd documents."""
    folder = configured.backup_dir / f"backup_{ID}" / "temple_db"
    folder.mkdir(parents=True, mode=0o700)
    (configured.backup_dir / f"backup_{ID}").chmod(0o700)
    bookings = [
        {
            "_id": bson.ObjectId(f"507f1f77bcf86cd7994{number:05x}"),
            "name": name,
            "amount": number,
            "paid": number % 2 == 0,
        }
        for number, name in enumerate(["John Doe", "Jane Doe", "M. Doeraiswamy"] + [f"Devotee {n}" for n in range(57)])
    ]
    odd: list[dict[str, Any]] = [
        {
            "_id": 1,
            "<b>key</b>": "<script>alert(1)</script>",
            "slots": list(range(120)),
            "devotee": {"gotra": "Kashyapa"},
        },
        {"_id": 2, "long": "x" * 2000, "when": bson.datetime_ms.DatetimeMS(1737277222000)},
    ]
    (folder / "bookings.bson").write_bytes(b"".join(bson.encode(document) for document in bookings))
    (folder / "odd.bson").write_bytes(b"".join(bson.encode(document) for document in odd))
    return folder


def get(browser: Client, address: str, **kwargs: Any) -> str:
    answer = browser.get(address, **kwargs)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def test_without_backups_the_viewer_says_what_to_do(admin_browser: Client, configured: Configuration) -> None:
    assert "No backups yet." in get(admin_browser, "/admin/backups/browse/")


def test_load_backups_lists_them_and_a_backup_its_collections(admin_browser: Client, a_backup: Path) -> None:
    listed = get(admin_browser, "/admin/backups/browse/")
    opened = get(admin_browser, f"/admin/backups/browse/?backup={ID}")

    assert f'value="{ID}"' in listed and "1 Jan 2026, 14:30 IST" in listed
    assert "bookings · 60 docs" in opened
    assert "Nobody has verified this folder" in opened


def test_pages_of_documents_and_the_jump_to_one(admin_browser: Client, a_backup: Path) -> None:
    first = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings")
    third = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings&page=3")

    assert "1–25 of 60" in first and "of 3" in first
    assert "51–60 of 60" in third
    assert "page=2" in third and "page=4" not in third


def test_the_table_shows_the_fields_of_the_page_and_keeps_its_place_in_the_address(
    admin_browser: Client, a_backup: Path
) -> None:
    page = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings&view=table&page=2")

    assert page.count("<tr>") == 26
    assert re.search(r'<th scope="col" class="r">\s*<a href="[^"]*sort=amount"', page)
    assert re.search(
        r'<td class="r" data-label="amount">\s*<span class="t-num" dir="auto" title="Int32"\s*>25</span>', page
    )
    assert "page=3&amp;view=table" in page and 'name="view" value="table"' in page


def test_a_table_of_odd_documents_leaves_gaps_counts_items_and_escapes(admin_browser: Client, a_backup: Path) -> None:
    page = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=odd&view=table")

    assert "[ ] 120 items" in page
    assert "&lt;b&gt;key&lt;/b&gt;" in page and "<b>key</b>" not in page
    assert '<span class="hint">–</span>' in page


def test_a_table_is_sorted_flattened_and_shows_the_chosen_columns(
    admin_browser: Client, configured: Configuration, local_db: Any
) -> None:
    people = ("Ravi", "Meena", "anita")
    local_db.visits.insert_many(
        [{"_id": at, "devotee": {"name": name, "age": 30 + at}, "gift": 100000 * at} for at, name in enumerate(people)]
    )
    run = backups.start_backup(
        created_by="ravi", delete_bookings=False, origin=Origin.WEB, now=timezone.now(), enqueue=False
    )
    backups.execute(backup_id=run["_id"])
    here = f"/admin/backups/browse/?backup={run['_id']}&collection=visits&view=table"

    by_name = get(admin_browser, f"{here}&sort=devotee.name")
    by_gift = get(admin_browser, f"{here}&sort=-gift&col=gift")

    assert [by_name.index(f">{name}<") for name in ("anita", "Meena", "Ravi")] == sorted(
        by_name.index(f">{name}<") for name in people
    )
    assert 'aria-sort="ascending"' in by_name and "All documents of this collection are sorted." in by_name
    assert by_gift.index(">2,00,000<") < by_gift.index(">1,00,000<")
    assert 'data-label="devotee.name"' not in by_gift and "Columns: 2 more" in by_gift


def test_a_search_keeps_the_table(admin_browser: Client, a_backup: Path) -> None:
    page = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings&view=table&q=doe")

    assert "<mark>Doe</mark>" in page and '<table class="stack data">' in page


def test_a_plain_number_is_a_plain_id(admin_browser: Client, a_backup: Path) -> None:
    page = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=odd")

    assert re.search(r"<code[^>]*>1</code>", page) and "$number" not in page
    assert [plain_id(address) for address in ('{"$numberInt": "17"}', '{"$oid": "17"}', "B-17")] == [
        "17",
        '{"$oid": "17"}',
        "B-17",
    ]


def test_two_backups_of_one_minute_are_distinguished_by_their_seconds(admin_browser: Client, a_backup: Path) -> None:
    shutil.copytree(a_backup.parent, a_backup.parent.with_name("backup_20260101_090007"))
    shutil.copytree(a_backup.parent, a_backup.parent.with_name("backup_20260102_090007"))

    page = get(admin_browser, "/admin/backups/compare/")

    assert "1 Jan 2026, 14:30:00 IST" in page and "1 Jan 2026, 14:30:07 IST" in page
    assert "2 Jan 2026, 14:30 IST" in page


def test_a_search_marks_what_it_found(admin_browser: Client, a_backup: Path) -> None:
    page = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings&q=doe")

    assert "3 of 60 documents match “doe”" in page
    assert "John <mark>Doe</mark>" in page
    assert "M. <mark>Doe</mark>raiswamy" in page


def test_a_match_that_the_line_does_not_show_by_itself_is_shown_with_its_field(
    admin_browser: Client, a_backup: Path
) -> None:
    page = partial(get, admin_browser)
    where = f"/admin/backups/browse/?backup={ID}&collection=odd"

    assert '<span class="k">devotee.gotra</span>: <mark>Kashyapa</mark>' in page(f"{where}&q=kashyapa")
    assert '<span class="k">slots.77</span>: <mark>77</mark>' in page(f"{where}&q=slots:77")
    assert "found-in" not in page(where) and "found-in" not in page(f"{where.replace('odd', 'bookings')}&q=doe")


def test_of_a_long_text_the_part_around_the_match_is_shown(admin_browser: Client, a_backup: Path) -> None:
    documents = [{"_id": 1, "name": "A", "notes": "x" * 300 + " Kashyapa " + "y" * 300}]
    (a_backup / "long.bson").write_bytes(b"".join(bson.encode(document) for document in documents))

    page = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=long&q=kashyapa")

    assert re.search(r'<span class="k">notes</span>: …x{23} <mark>Kashyapa</mark> y{47}…', page)


def test_a_search_without_a_match_offers_to_clear_it_and_to_look_elsewhere(
    admin_browser: Client, a_backup: Path
) -> None:
    page = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings&q=xyz")

    assert "Nothing in bookings contains “xyz”." in page
    assert "Clear search" in page
    assert f'href="/admin/backups/browse/?backup={ID}&amp;q=xyz"' in page


def test_a_search_without_time_goes_on_counts_to_the_end_and_can_be_stopped(
    admin_browser: Client, a_backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "find", partial(search.find, seconds=0))
    more = {**HTMX, "HX-Target": "more"}
    parts = [get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings&q=doe")]
    stop = html.unescape(re.search(r'id="stop-search"[^>]*hx-get="([^"]+)"', parts[0])[1])  # type: ignore[index]
    while 'hx-trigger="load' in parts[-1]:
        further = re.search(r'id="more"[^>]*hx-get="([^"]+)"', parts[-1])
        assert further is not None
        parts.append(get(admin_browser, html.unescape(further[1]), headers=more))
    stopped = get(admin_browser, stop, headers=more)

    assert len(parts) > 2 and "At least 1 document matches" in parts[0]
    assert "3 of 60 documents match “doe”" in parts[-1] and 'hx-swap-oob="true"' in parts[-1]
    assert "All 60 documents were searched." in parts[-1] and 'data-announce="' in parts[-1]
    assert "The search was stopped." in stopped and "Search further" in stopped and "load delay" not in stopped
    assert "searched 1 of 60" in stopped


def test_a_search_of_too_many_characters_is_stated(admin_browser: Client, a_backup: Path) -> None:
    page = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings&q={'x' * 300}")

    assert "A search has 1 to 256 characters." in page


def test_htmx_gets_the_documents_alone(admin_browser: Client, a_backup: Path) -> None:
    address = f"/admin/backups/browse/?backup={ID}&collection=bookings&q=doe"

    page = get(admin_browser, address, headers={**HTMX, "HX-Target": "docs"})

    title, fragment = page.split("</title>")
    assert title.startswith("<title>bookings ·") and fragment.lstrip().startswith('<div id="docs"')
    assert "<html" not in page


def test_going_back_in_the_history_gets_the_whole_page(admin_browser: Client, a_backup: Path) -> None:
    headers = {**HTMX, "HX-History-Restore-Request": "true"}

    assert "<html" in get(admin_browser, f"/admin/backups/browse/?backup={ID}", headers=headers)


def test_a_document_shows_its_types_dates_in_ist_and_everything_escaped(admin_browser: Client, a_backup: Path) -> None:
    page = get(admin_browser, f"/admin/backups/{ID}/document/?collection=odd&number=0")
    dated = get(admin_browser, f"/admin/backups/{ID}/document/?collection=odd&number=1")

    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;key&lt;/b&gt;" in page
    assert "120 items" in page
    assert "19 Jan 2025, 14:30:22 IST" in dated and "2025-01-19T09:00:22.000Z" in dated


def test_json_is_extended_json(admin_browser: Client, a_backup: Path) -> None:
    page = get(admin_browser, f"/admin/backups/{ID}/document/?collection=bookings&number=0&view=json")

    assert "&quot;$oid&quot;: &quot;507f1f77bcf86cd799400000&quot;" in page


def test_a_long_array_and_a_long_text_come_piece_by_piece(admin_browser: Client, a_backup: Path) -> None:
    page = get(admin_browser, f"/admin/backups/{ID}/document/?collection=odd&number=0")
    rest = get(
        admin_browser, f"/admin/backups/{ID}/document/items/?collection=odd&number=0&path=2&from=50", headers=HTMX
    )
    text = get(admin_browser, f"/admin/backups/{ID}/document/value/?collection=odd&number=1&path=1")

    assert "Show from 51 on, of 120" in page
    assert ">99</span>" in rest and "Show from 101 on, of 120" in rest
    assert "x" * 2000 in text


def test_the_fields_of_a_collection(admin_browser: Client, a_backup: Path) -> None:
    page = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings&view=fields")

    assert "From the first 60 of 60 documents." in page
    assert "<code>amount</code>" in page and "Int32" in page and "100 %" in page


def test_opening_a_collection_is_recorded_and_turning_its_pages_is_not(admin_browser: Client, a_backup: Path) -> None:
    get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings")
    get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=bookings&page=2")

    (seen,) = AuditEvent.objects.filter(action="collection.view")
    assert (seen.actor, seen.target) == ("ravi", f"{ID}/bookings")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/admin/backups/browse/?backup=20250101_000000", 404),
        ("/admin/backups/browse/?backup=../../etc", 422),
        (f"/admin/backups/{ID}/document/?collection=bookings&number=60", 404),
        (f"/admin/backups/{ID}/document/?collection=nothing&number=0", 404),
        (f"/admin/backups/{ID}/document/?collection=bookings&number=-1", 422),
        (f"/admin/backups/{ID}/document/?collection=../../../etc/passwd&number=0", 404),
    ],
)
def test_what_is_not_there_or_not_an_id_is_stated(
    admin_browser: Client, a_backup: Path, address: str, status: int
) -> None:
    assert admin_browser.get(address).status_code == status


def test_a_damaged_document_shows_its_bytes(admin_browser: Client, a_backup: Path) -> None:
    data = bytearray((a_backup / "odd.bson").read_bytes())
    data[4] = 0x99  # no such type
    (a_backup / "odd.bson").write_bytes(data)

    listed = get(admin_browser, f"/admin/backups/browse/?backup={ID}&collection=odd")
    raw = get(admin_browser, f"/admin/backups/{ID}/document/?collection=odd&number=0")

    assert "Document 1 can't be read" in listed
    assert "000000  " in raw


def test_a_backup_that_vanished_is_not_found(admin_browser: Client, a_backup: Path) -> None:
    shutil.rmtree(a_backup.parent)

    assert admin_browser.get(f"/admin/backups/browse/?backup={ID}&collection=bookings").status_code == 404
