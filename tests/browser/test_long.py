"""Acceptance 17: a collection of a million documents, in a folder that somebody's mongodump left."""

from __future__ import annotations

import time
from datetime import timedelta

import bson
from playwright.sync_api import expect

from tests.browser import temple_data
from tests.browser.checked_page import LONG, CheckedPage
from tests.browser.conftest import DATABASE, RunningApp

MILLION = 1_000_000
BACKUP_ID = "20260101_090000"
JUMPS = (("10000", "2,49,976–2,50,000"), ("30000", "7,49,976–7,50,000"), ("20000", "4,99,976–5,00,000"))
LAST = f"B-{MILLION - 1:07d}"


def a_million_bookings(running_app: RunningApp) -> None:
    """A quarter of a gigabyte of bookings, numbered from B-0000000 on. The last one bears a name of its own."""
    folder = running_app.backup_dir / f"backup_{BACKUP_ID}" / DATABASE
    folder.mkdir(parents=True)
    common = {"name": "Lakshmi Iyer", "ritual": "Archana", "amount": 501, "note": "Paid at the counter. " * 6}
    at = temple_data.START + timedelta(days=1)
    frame = bson.encode({"_id": 0, "number": "B-0000000", **common, "updatedAt": at})
    before_id, before_number = frame.index(b"_id\0") + 4, frame.index(b"B-0000000")
    between, rest = frame[before_id + 4 : before_number], frame[before_number + 9 :]
    with (folder / "long.bson").open("wb") as file:
        for number in range(MILLION - 1):
            file.write(frame[:before_id] + number.to_bytes(4, "little") + between + b"B-%07d" % number + rest)
        file.write(bson.encode({"_id": MILLION - 1, "number": LAST, **common, "name": "Counter", "updatedAt": at}))


def test_17_a_million_documents_are_as_quick_as_ten(checked_page: CheckedPage, running_app: RunningApp) -> None:
    a_million_bookings(running_app)
    checked_page.sign_in(to=f"/admin/backups/browse/?backup={BACKUP_ID}&collection=long")
    docs = checked_page.page.locator("#docs")
    expect(docs.locator("#page")).to_be_visible(timeout=60_000)
    expect(docs).to_contain_text("of 40,000")

    times = []
    for number, documents in JUMPS:
        checked_page.page.fill("#page", number)
        began = time.monotonic()
        checked_page.page.keyboard.press("Enter")
        expect(docs).to_contain_text(f"{documents} of 10,00,000")
        times.append(time.monotonic() - began)
    print(f"pages in the middle of a million documents: {', '.join(f'{took:.2f} s' for took in times)}")
    checked_page.wait_until_still()
    checked_page.check("17-page-20000")

    began = time.monotonic()
    checked_page.page.fill("#q", LAST)
    expect(docs).to_contain_text(f"1 of 10,00,000 documents matches “{LAST}”")
    took = time.monotonic() - began
    print(f"the last booking number of a million: {took:.2f} s")
    expect(docs.locator("mark")).to_have_text(LAST)
    checked_page.wait_until_still()
    checked_page.check("17-found")

    # Every booking holds this word somewhere, and only the last one in its name: each has to be looked at.
    checked_page.page.fill("#q", "name:counter")
    expect(docs.locator("#more")).to_contain_text("of 10,00,000")
    first = docs.locator("#more .num").inner_text()
    expect(docs.locator("#more .num")).not_to_have_text(first)
    checked_page.page.screenshot(path="tests/output/17-searching.png")
    if LONG:
        expect(docs.locator("mark").first).to_be_visible(timeout=120_000)
        expect(docs).to_contain_text("All 10,00,000 documents were searched.")
    else:
        checked_page.page.click("#stop-search")
        expect(docs.locator("#search-further")).to_be_visible()
        expect(checked_page.page.locator("#live")).to_have_text("The search was stopped.")
        stood = docs.locator("#more .num").inner_text()
        checked_page.wait_until_still()
        expect(docs.locator("#more .num")).to_have_text(stood)
        checked_page.page.click("#search-further")
        expect(docs.locator("#more .num")).not_to_have_text(stood)
