"""Every page by the keyboard alone and without a script; how heavy and how quick they are."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import temple_data
from tests.browser.checked_page import LONG, PHONE, WIDE, CheckedPage
from tests.browser.conftest import RunningApp
from tests.browser.test_home import a_good_backup
from tests.conftest import PASSWORD
from tests.security.matrix import PAGES

BASE = "/admin/backups"
HOME_KILOBYTES = 180
TRIES = 5
OUTSIDE = -1
"""Where the focus is on none of the stops: on the page itself, between the last and the first."""

# What has the focus, whether one sees that it has, and which of all stops it is.
STOPS = """[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')]
  .filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true})
    && !e.closest('[popover]:not(:popover-open)')
    && !(e.type === 'radio' && !e.checked && e.form.querySelector(`[name="${e.name}"]:checked`)))"""
HERE = f"""() => {{ const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  return {{at: {STOPS}.indexOf(e), what: e.outerHTML.slice(0, 120), outline: parseFloat(style.outlineWidth),
    seen: box.bottom > 0 && box.top < innerHeight && box.width > 0}} }}"""
# Noted by the page as each Tab is let go: to ask from here after each took twice as long.
NOTE_EACH_TAB = f"""() => {{ window.tabbed = [];
  addEventListener('keyup', event => {{ if (event.key === 'Tab') window.tabbed.push(({HERE})()) }}, true) }}"""
# Ways that only a script opens: an element that asks for something, and is neither a link, nor a form, nor in one that
# can be sent, nor asks by itself.
ONLY_BY_SCRIPT = """[...document.querySelectorAll('[hx-get], [hx-post]')].filter(e => !(
  e.matches('a[href], form[action]') || e.matches('details') && e.querySelector('a[href]')
  || e.form && e.form.action && [...e.form.querySelectorAll('button')].some(b => b.checkVisibility())
  || /load|every|(run|copies)-changed/.test(e.getAttribute('hx-trigger') || ''))).map(e => e.outerHTML.slice(0, 160))"""


ELSEWHERE = {
    "login": "test_access.py", "accept": "test_backup_acts.py", "release": "test_backup_acts.py",
    "notification": "test_notifications.py", "remove_copy": "test_restore.py", "unknown_copies": "test_copies.py",
    "clear_target": "test_copies.py", "remove_copy_at": "test_copies.py",
}  # fmt: skip
"""Pages that need more than a temple with two backups, and the file that opens them in the browser."""

PARTS = {
    "status", "counts", "dot", "compare_progress", "restore_preview", "retention_preview", "schedule_preview",
    "verify_progress", "progress", "runs", "copies_progress", "unknown_progress",
}  # fmt: skip
"""Parts of pages, and addresses that lead to one."""


@pytest.fixture(scope="module")
def running_app(_running_app: RunningApp) -> RunningApp:
    """The house with a small temple, filled once: these tests only look."""
    _running_app.empty()
    temple_data.fill(_running_app.database("local"), _running_app.database("remote"))
    return _running_app


@pytest.fixture(scope="module")
def addresses(running_app: RunningApp) -> Iterator[dict[str, str]]:
    """Every page of a temple with two backups and a conflict, each with something on it."""
    for side, later in (("local", 1), ("remote", 0)):
        at = temple_data.START.replace(minute=later)
        running_app.database(side).rooms.replace_one({"_id": 0}, {"_id": 0, "name": side, "updatedAt": at})
    a_good_backup(running_app)
    running_app.database().donations.update_many({"_id": {"$lt": 3}}, {"$set": {"value": -1}})
    time.sleep(1.1)
    a_good_backup(running_app)
    b, a = (run["_id"] for run in running_app.database().backup_metadata.find(sort=[("_id", -1)]))
    conflict = running_app.database().sync_conflicts.find_one()
    assert conflict is not None
    place = {"backup": b, "collection": "bookings"}
    document = {"collection": "bookings", "number": 0}
    restore = {"collection": "donations", "mode": "overwrite"}
    schedule = ("backup_schedule", "add", "--name", "nightly", "--do", "backup", "--cron", "0 2 1 1 *")
    assert running_app.manage(*schedule).returncode == 0
    yield {
        "dashboard": "/",
        "home": f"{BASE}/",
        "confirm": f"{BASE}/confirm-delete/",
        "list": f"{BASE}/list/",
        "backups": f"{BASE}/browse/",
        "collections": f"{BASE}/browse/?{urlencode({'backup': b})}",
        **{
            view: f"{BASE}/browse/?{urlencode(place | {'view': view})}" for view in ("cards", "json", "table", "fields")
        },
        "search": f"{BASE}/browse/?{urlencode(place | {'q': 'doe'})}",
        "everywhere": f"{BASE}/browse/?{urlencode({'backup': b, 'q': 'doe'})}",
        "find": f"{BASE}/find/?{urlencode({'q': 'lakshmi'})}",
        "verify": f"{BASE}/{b}/verify/",
        "document": f"{BASE}/{b}/document/?{urlencode(document)}",
        "document-json": f"{BASE}/{b}/document/?{urlencode(document | {'view': 'json'})}",
        "items": f"{BASE}/{b}/document/items/?{urlencode(document | {'path': '10', 'from': 0})}",
        "value": f"{BASE}/{b}/document/value/?{urlencode(document | {'path': '1'})}",
        "versions": f"{BASE}/versions/?{urlencode(place | {'number': 0})}",
        "compare": f"{BASE}/compare/?{urlencode({'a': a, 'b': b, 'collection': 'donations', 'kind': 'changed'})}",
        "sync": f"{BASE}/sync/",
        "conflicts": f"{BASE}/conflicts/?all",
        "conflict": f"{BASE}/conflicts/{conflict['_id']}/",
        "run": f"{BASE}/runs/{b}/",
        "restores": f"{BASE}/restores/",
        "undo": f"{BASE}/restores/{b}/undo/",
        "cancel": f"{BASE}/runs/{b}/cancel/",
        "keep": f"{BASE}/runs/{b}/keep/",
        "restore-what": f"{BASE}/{b}/restore/",
        "restore-how": f"{BASE}/{b}/restore/?{urlencode(restore | {'step': 2})}",
        "schedule": f"{BASE}/schedule/",
        "schedule-edit": f"{BASE}/schedule/edit/nightly/",
        "schedule-new": f"{BASE}/schedule/new/",
        "audit": f"{BASE}/audit/",
        "audit-problem": f"{BASE}/audit/?from=2026-02-30",
        "sync-log": f"{BASE}/syncs/{b}/",
        "sessions": "/sessions/",
        "account": "/account/",
        "people": "/people/",
        "step-up": "/step-up/?next=/account/",
        "notifications": f"{BASE}/notifications/",
        "copies": f"{BASE}/copies/",
        "pin": f"{BASE}/{b}/pin/",
        "remove": f"{BASE}/{a}/remove/",
        "stays": f"{BASE}/{b}/remove/",
        "not-found": "/no-such-page/",
        "removed": f"{BASE}/runs/20200101_000000/",
    }
    running_app.manage("backup_schedule", "remove", "nightly")


def test_every_page_that_there_is_stands_among_the_addresses_or_in_another_file(addresses: dict[str, str]) -> None:
    listed = {name for address in addresses.values() if (name := name_of(address))}
    pages = {name for name, method in PAGES if method == "GET"} - PARTS

    assert pages - listed == set(ELSEWHERE)
    assert [file for file in ELSEWHERE.values() if not Path(__file__).with_name(file).is_file()] == []


def test_the_pages_of_people_and_of_one_schedule_are_examined(
    checked_page: CheckedPage, addresses: dict[str, str]
) -> None:
    checked_page.sign_in()
    for name in ("account", "people", "step-up", "schedule-edit", "undo", "cancel", "keep"):
        checked_page.page.goto(addresses[name])
        checked_page.wait_until_still()
        checked_page.check(f"32-{name}")


def name_of(address: str) -> str:
    """Return the name of the page behind an address; empty where there is none."""
    try:
        return resolve(urlsplit(address).path).url_name or ""
    except Resolver404:
        return ""


def go_round(page: Page, name: str) -> None:
    """Press Tab until it has gone round the page. Every stop has to be reached, in sight, and marked."""
    stops = page.evaluate(f"{STOPS}.length")
    page.evaluate(NOTE_EACH_TAB)
    reached: set[int] = set()
    for presses in (stops + 2, stops + 8):
        for _ in range(presses):
            page.keyboard.press("Tab")
        reached |= {checked_stop(one, name) for one in page.evaluate("window.tabbed")} - {OUTSIDE}
        if len(reached) >= stops:
            return
    missed = page.evaluate(f"{STOPS}.map(e => e.outerHTML.slice(0, 120))")
    pytest.fail(f"{name}: Tab never came to {[missed[n] for n in range(stops) if n not in reached][:4]}")


def checked_stop(here: dict[str, Any], name: str) -> int:
    """Return which of all stops had the focus, OUTSIDE for none. One that has it shows it, and is in sight."""
    if here["at"] != OUTSIDE:
        assert here["outline"] >= 2, f"{name}: no focus to be seen on {here['what']}"
        assert here["seen"], f"{name}: the focus is out of sight on {here['what']}"
    return int(here["at"])


def test_every_page_can_be_gone_round_by_the_keyboard_and_says_nothing_to_the_console(
    checked_page: CheckedPage, running_app: RunningApp, addresses: dict[str, str]
) -> None:
    checked_page.sign_in()
    speak(checked_page, running_app, "en-in")
    for name, address in (addresses | views_of_nothing(running_app)).items():
        opened_in(checked_page, address, language="en-in")
        checked_page.wait_until_still()
        if name in addresses:
            go_round(checked_page.page, name)
        assert checked_page.faults == [], address


def test_no_page_fails_or_says_a_word_to_the_console_in_hindi(
    checked_page: CheckedPage, running_app: RunningApp, addresses: dict[str, str]
) -> None:
    checked_page.sign_in()
    speak(checked_page, running_app, "hi")
    for address in (addresses | views_of_nothing(running_app)).values():
        opened_in(checked_page, address, language="hi")


def speak(checked_page: CheckedPage, running_app: RunningApp, language: str) -> None:
    """Choose the language of the pages."""
    checked_page.page.context.add_cookies([{"name": "django_language", "value": language, "url": running_app.address}])


def opened_in(checked_page: CheckedPage, address: str, *, language: str) -> None:
    """Open a page, which is in this language and leaves the console empty."""
    answer = checked_page.page.goto(address)
    assert answer is not None and answer.status < 500, address
    expect(checked_page.page.locator("html")).to_have_attribute("lang", language)
    assert checked_page.faults == [], address


def views_of_nothing(running_app: RunningApp) -> dict[str, str]:
    """Return the views of a collection without documents."""
    newest = running_app.database().backup_metadata.find_one(sort=[("_id", -1)])
    assert newest is not None and running_app.database().activities.count_documents({}) == 0, "the run has emptied them"
    empty = {"backup": newest["_id"], "collection": "activities"}
    return {
        f"empty-{view}": f"{BASE}/browse/?{urlencode(empty | {'view': view})}"
        for view in ("cards", "json", "table", "fields")
    }


def test_every_page_is_whole_without_a_script(
    addresses: dict[str, str], running_app: RunningApp, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}).new_page()
    page.goto("/login/")
    page.fill("#username", "ananya")
    page.fill("#password", PASSWORD)
    page.click("main button.primary")
    page.goto(addresses["home"])
    expect(page.locator("#choices")).to_contain_text("Deletes 1,240 bookings")
    for name, address in addresses.items():
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        assert page.locator(".js-only:visible").count() == 0, name
        assert page.evaluate(ONLY_BY_SCRIPT) == [], name
        for width, height in (WIDE, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
            if LONG:
                page.screenshot(path=f"tests/output/no-script-{name}-{width}.png", full_page=True)


@pytest.mark.parametrize("size", [WIDE, PHONE] if LONG else [PHONE], ids=["wide", "phone"][-2 if LONG else -1 :])
def test_without_a_script_one_follows_links_and_sends_forms_everywhere(
    addresses: dict[str, str],
    running_app: RunningApp,
    new_context: Callable[..., BrowserContext],
    size: tuple[int, int],
) -> None:
    page = new_context(java_script_enabled=False, viewport={"width": size[0], "height": size[1]}).new_page()
    page.goto(f"/login/?next={BASE}/browse/")
    page.fill("#username", "ravi")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.select_option("#backup", index=1)
    page.click("form[role=search] noscript button")
    page.click("main table a:has-text('bookings') >> nth=0")
    page.click(".views a:has-text('Table')")
    expect(page.locator("table.data tbody tr")).to_have_count(25)
    page.click("#next-page")
    expect(page.locator(".pager").first).to_contain_text("26–50 of 1,240")
    page.fill("#page", "50")
    page.click(".pager noscript button")
    expect(page.locator(".pager").first).to_contain_text("1,226–1,240 of 1,240")
    page.click("table.data tbody a >> nth=0")
    expect(page.locator(".tree")).to_contain_text("gotra")
    page.click("main a:has-text('Versions')")
    expect(page.locator("main")).to_contain_text("Now, in the database")
    page.goto(addresses["audit"])
    page.select_option("#actor", "ravi")
    page.check("input[name=looking]")
    page.click("main noscript button")
    expect(page).to_have_url(re.compile("actor=ravi"))
    expect(page.locator("#audit")).to_contain_text("Viewed a collection")
    page.goto(addresses["compare"])
    expect(page.locator("#differing")).to_contain_text("donations, changed: 3")
    expect(page.locator(".diff")).to_have_count(3)
    page.click(".prefs-menu > summary")
    page.click("button[name=theme][value=dark]")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(addresses["audit"])
    page.fill("#from", "2026-02-01")
    page.fill("#to", "2026-01-01")
    page.click("main noscript button")
    expect(page.locator("#from-problem")).to_have_text("The first day comes after the last one.")
    page.click("#problem a")
    expect(page).to_have_url(re.compile("#from$"))
    page.goto(addresses["sessions"])
    page.click("main tr:has-text('This one') button")
    expect(page.locator("h1")).to_have_text("Sign in")


def test_the_home_page_is_light(checked_page: CheckedPage, addresses: dict[str, str]) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()
    parts: dict[str, int] = checked_page.page.evaluate(
        """Object.fromEntries(['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))
        .map(entry => [new URL(entry.name).pathname, entry.encodedBodySize]))"""
    )
    kilobytes = sum(parts.values()) / 1024
    firsts, fragments = [], []
    for _ in range(TRIES):
        checked_page.page.goto(addresses["home"])
        firsts.append(
            checked_page.page.evaluate("(e => e.responseStart - e.requestStart)(performance.getEntries()[0])")
        )
    own = [f"{BASE}/_/{name}/" for name in ("status", "counts", "dot")]
    for address in (*own, addresses["cards"], addresses["search"]):
        fragments.append((min(checked_page.page.evaluate(TIMED, address) for _ in range(TRIES)), address))
    print(f"home page: {kilobytes:.0f} KB in {len(parts)} requests, first byte {min(firsts):.0f} ms")
    print("\n".join(f"{milliseconds:6.0f} ms  {address}" for milliseconds, address in sorted(fragments)))

    assert kilobytes < HOME_KILOBYTES, parts


TIMED = """async address => { const began = performance.now();
  const answer = await fetch(address, {headers: {'HX-Request': 'true'}}); await answer.text();
  return answer.ok ? performance.now() - began : Infinity }"""
