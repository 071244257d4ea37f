"""Sixty hostile values in every place that shows one: nothing runs with the policy off, nothing offends it when on."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Browser, Dialog, Page

from tests.browser import temple_data
from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp
from tests.browser.hostile import PAYLOADS

WATCH = """
window.ran = [];
for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = (...given) => { window.ran.push(name); };
window.offences = [];
document.addEventListener('securitypolicyviolation',
  e => window.offences.push(e.violatedDirective + ' ' + e.blockedURI));
"""
FOREIGN = """
[...document.querySelectorAll('*')].flatMap(e => [...e.attributes].filter(a => a.name.startsWith('on')
  || /^\\s*(javascript|data):/i.test(a.value) && ['href', 'src', 'action', 'data', 'xlink:href'].includes(a.name)
  || /alert\\(1\\)/.test(a.value) && /^(data-)?hx-/.test(a.name))
  .map(a => e.tagName + ' ' + a.name + '=' + a.value.slice(0, 60)))
  .concat([...document.querySelectorAll('iframe, object, embed, base')].map(e => e.outerHTML.slice(0, 60)))
"""
DRAWN = """async () => {
  const late = performance.now() + 15000;
  const isDrawn = () => document.readyState === 'complete' && !document.querySelector(
    '.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added, [hx-get][hx-trigger="load delay:50ms"]');
  const frame = () => new Promise(requestAnimationFrame);
  while (!isDrawn()) {
    if (performance.now() > late) throw new Error('what htmx asked for never came');
    await frame();
  }
  await frame();
  await frame();
}"""
"""Until what htmx asked for stands on the page and was drawn: then whatever could run there has begun. The page may
evaluate no text, so `wait_for_function` cannot."""
STIR = """
for (const e of document.querySelectorAll('main *')) for (const kind of ['mouseover', 'focus', 'mouseenter'])
  e.dispatchEvent(new Event(kind, {bubbles: true}));
for (const e of document.querySelectorAll('details')) e.open = true;
"""
EVIL = PAYLOADS[11]
ALL = "\n".join(PAYLOADS)
COPY = "hostile_copy"
LONG = os.environ.get("TEMPLEOPS_LONG") == "1"


def test_there_are_sixty() -> None:
    assert len(set(PAYLOADS)) >= 60


@pytest.fixture
def hostile(running_app: RunningApp) -> Iterator[dict[str, str]]:
    """Hostile values, keys, collection names, people, notes and conflicts; two backups. Returns what pages need."""
    local, remote = running_app.database(), running_app.database("remote")
    values = [{"_id": number, "value": text, "name": text} for number, text in enumerate(PAYLOADS)]
    keys = [{"_id": 1000 + number, text.replace(".", "_").lstrip("$"): "key"} for number, text in enumerate(PAYLOADS)]
    ids = [{"_id": text} for text in PAYLOADS]
    local["hostile"].insert_many(values + keys + ids)
    local["hostile"].insert_one(
        {"_id": "list", "list": PAYLOADS, "deep": {text[:40].replace(".", "_"): text for text in PAYLOADS[:20]}}
    )
    for text in PAYLOADS[:: 1 if LONG else 4]:  # each collection is a file, a sync and a restore
        local[text.replace("$", "")].insert_one({"_id": text})
    for side, later in ((local, 1), (remote, 0)):
        at = temple_data.START + timedelta(minutes=later)
        side["conflicts"].insert_many(
            [{"_id": text, "value": f"{text}{later}", "all": PAYLOADS, "updatedAt": at} for text in PAYLOADS]
        )
    first = made(running_app)
    local["hostile"].update_many({"_id": {"$lt": 1000}}, {"$set": {"value": f"changed {EVIL}"}})
    second = made(running_app)
    sentences = dict.fromkeys(("created_by", "note", "error_message", "steps.0.sentence", "steps.1.sentence"), ALL)
    local["backup_metadata"].update_one(
        {"_id": second}, {"$set": {**sentences, "warnings": PAYLOADS, "status": "partial", "steps.0.state": "warning"}}
    )
    copied = restored(running_app, first)
    conflict = local["sync_conflicts"].find_one({"all.0": {"$exists": True}}) or local["sync_conflicts"].find_one()
    assert conflict is not None
    person(running_app)
    yield {"a": first, "b": second, "copied": copied, "conflict": str(conflict["_id"])}
    local.client.drop_database(COPY)
    running_app.manage("shell", "-c", (
        "from backups_app.models import User\n"
        "User.objects.filter(username='ananya').update(first_name='Ananya', last_name='')\n"
    ))  # fmt: skip


def made(running_app: RunningApp) -> str:
    sentences = running_app.manage("backup_now", "--keep-bookings", "--note", EVIL)
    assert sentences.returncode in (0, 3), sentences.stderr
    return str(running_app.database()["backup_metadata"].find_one(sort=[("created_at", -1)])["_id"])


def restored(running_app: RunningApp, backup_id: str) -> str:
    """Collections with hostile names, restored into a test copy; what its record says is hostile, too."""
    names = ",".join(["hostile", *(text for text in PAYLOADS[::4] if "," not in text and "$" not in text)])
    sentences = running_app.manage(
        "backup_restore", backup_id, "--collections", names, "--to", COPY, "--confirm", "RESTORE"
    )
    assert sentences.returncode in (0, 3), sentences.stderr
    runs = running_app.database()["backup_metadata"]
    run = runs.find_one({"kind": "test_copy"})
    assert run is not None
    runs.update_one({"_id": run["_id"]}, {"$set": {"created_by": ALL, "error_message": ALL, "note": ALL}})
    return str(run["_id"])


def person(running_app: RunningApp) -> None:
    """Somebody whose name is hostile, and audit rows of theirs."""
    running_app.manage("shell", "-c", (
        "from backups_app.models import User; from backups_app.access.trail import audit\n"
        "from django.utils import timezone\n"
        f"User.objects.filter(username='ananya').update(first_name={EVIL[:30]!r}, last_name={PAYLOADS[0][:30]!r})\n"
        f"for text in {PAYLOADS!r}:\n"
        "    audit.record(actor=text, origin='api', action=text[:60], target=text, result=text[:60], address='::1',\n"
        "                 details={text: text}, now=timezone.now())\n"
    ))  # fmt: skip


def addresses(known: dict[str, str]) -> list[str]:
    """Every page that shows something that was stored or typed."""
    base = "/admin/backups"
    a, b = known["a"], known["b"]
    browse = [
        f"{base}/browse/?{urlencode({'backup': a, 'collection': 'hostile', 'view': view, 'per': 100, 'page': page})}"
        for view in ("cards", "json", "table", "fields")
        for page in (1, 2)
    ]
    typed = [
        f"{base}/browse/?{urlencode({'backup': a, 'collection': 'hostile', 'q': text})}"
        for text in ("value:<script>", *PAYLOADS[:: 1 if LONG else 6])
    ]
    chosen = [("collection", "hostile"), *(("collection", text) for text in PAYLOADS[::4])]
    restore = [
        f"{base}/{a}/restore/?{urlencode([('step', step), *chosen, ('where', where), ('to', COPY)])}"
        for step, where in ((1, "here"), (2, "here"), (3, "here"), (4, "here"), (4, "copy"))
    ]
    for text in (EVIL, PAYLOADS[48]):
        typed_in = {"collection": "hostile", "id": text, "mode": text, "where": "copy", "to": text}
        restore += [f"{base}/{a}/restore/?{urlencode({'step': step, **typed_in})}" for step in (2, 3)]
    documents = [
        f"{base}/{a}/document/?{urlencode({'collection': 'hostile', 'number': number, 'view': view, 'mark': EVIL})}"
        for number in (0, 11, 48, 62, 73, 184)
        for view in ("tree", "json")
    ]
    others = [
        f"{base}/", f"{base}/runs/", f"{base}/runs/{a}/", f"{base}/runs/{b}/", f"{base}/conflicts/?all",
        f"{base}/conflicts/{known['conflict']}/", f"{base}/audit/", f"{base}/audit/?page=2",
        f"{base}/audit/?{urlencode({'actor': EVIL})}", f"{base}/compare/?{urlencode({'a': a, 'b': b})}",
        f"{base}/compare/?{urlencode({'a': a, 'b': b, 'collection': 'hostile'})}",
        f"{base}/versions/?{urlencode({'backup': a, 'collection': 'hostile', 'number': 11})}",
        f"{base}/browse/?{urlencode({'backup': a})}",
        f"{base}/browse/?{urlencode({'backup': EVIL, 'collection': EVIL})}",
        f"{base}/browse/?{urlencode({'backup': a, 'collection': EVIL})}",
        f"{base}/runs/{quote(EVIL, safe='')}/", f"/{quote(EVIL, safe='')}/", f"/login/?{urlencode({'next': EVIL})}",
        f"/login/?{urlencode({'next': 'javascript:alert(1)'})}", "/sessions/", "/",
    ]  # fmt: skip
    dialogs = [f"{base}/runs/{b}/{act}/" for act in ("cancel", "keep")]
    dialogs += [
        f"{base}/confirm-delete/", f"{base}/restores/", f"{base}/runs/{known['copied']}/",
        f"{base}/restores/remove-copy/?{urlencode({'name': COPY})}",
        f"{base}/restores/remove-copy/?{urlencode({'name': EVIL})}", f"{base}/conflicts/{quote(EVIL, safe='')}/",
    ]  # fmt: skip
    return browse + typed + restore + documents + dialogs + others


def names_in_pieces() -> list[str]:
    """All payloads, in as few names of a person as they fit into."""
    pieces = [""]
    for text in PAYLOADS:
        if len(pieces[-1]) + len(text) > 150:
            pieces.append("")
        pieces[-1] += text
    return pieces


def rename(running_app: RunningApp, name: str) -> None:
    """Give the person who is signed in another name."""
    path = running_app.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(path, timeout=20) as database:
        database.execute("UPDATE backups_app_user SET first_name = ?, last_name = '' WHERE username = 'ananya'", [name])


def visit(page: Page, address: str) -> list[str]:
    """Open a page, stir everything on it, and return what ran or stands there that could."""
    page.goto(address, wait_until="load")
    page.evaluate(DRAWN)
    page.evaluate(STIR)
    page.evaluate(DRAWN)
    found: list[Any] = [*page.evaluate("window.ran"), *page.evaluate(FOREIGN)]
    return [f"{address}: {one}" for one in found]


def test_nothing_runs_with_the_policy_off_and_nothing_offends_it_when_on(
    running_app: RunningApp, hostile: dict[str, str], browser: Browser
) -> None:
    """Both in one test: the hostile house takes longer to build than to walk through."""
    without_policy(running_app, hostile, browser)
    with_policy(running_app, hostile, browser)


def without_policy(running_app: RunningApp, hostile: dict[str, str], browser: Browser) -> None:
    context = browser.new_context(base_url=running_app.address, bypass_csp=True)
    context.add_init_script(WATCH)
    page = context.new_page()
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    CheckedPage(page).sign_in()
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(2)>')")
    page.wait_for_function("window.ran.length > 0")  # the watch sees what runs, and the policy is really off

    found: list[str] = []
    showing = 0
    for address in addresses(hostile):
        found += visit(page, address)
        showing += "alert(1)" in (page.text_content("main") or "")
    for text in names_in_pieces():
        rename(running_app, text)
        found += visit(page, "/sessions/")

    context.close()
    assert found == []
    assert dialogs == []
    assert showing >= 50, "the values are there to be read, as text"


def with_policy(running_app: RunningApp, hostile: dict[str, str], browser: Browser) -> None:
    context = browser.new_context(base_url=running_app.address)
    context.add_init_script(WATCH)
    page = context.new_page()
    CheckedPage(page).sign_in()
    offences: list[str] = []

    for address in addresses(hostile)[:: 1 if LONG else 2]:
        offences += visit(page, address)
        offences += [f"{address}: {one}" for one in page.evaluate("window.offences")]

    context.close()
    assert offences == []
