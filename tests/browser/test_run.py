"""Acceptance 9 to 15: a run that one watches, cancels, shares, and each way it can end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import temple_data
from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp
from tests.browser.test_home import a_good_backup

SLOW = 900_000
"""Bytes a second of the local line: a backup one can watch."""


BATCHES = 12_000
"""Bytes more in a document: then the two largest collections are copied in several batches each."""


def much_data(running_app: RunningApp, padding: int = 1500) -> None:
    running_app.empty()
    temple_data.fill(running_app.database(), running_app.database("remote"), padding=padding)


def start_keeping(checked_page: CheckedPage) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()
    checked_page.page.click("#keep-button")
    expect(checked_page.page.locator("#run-heading")).to_be_visible()


def start_deleting(checked_page: CheckedPage) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()
    checked_page.page.click("#delete-button")
    expect(checked_page.page.locator("#confirm")).to_be_focused()  # as soon as it is counted
    checked_page.page.locator("#confirm").press_sequentially("DELETE BOOKINGS")
    checked_page.page.click("[data-confirm-submit]")
    expect(checked_page.page.locator("dialog[open]")).to_have_count(0)
    expect(checked_page.page.locator("#run-heading")).to_be_visible()


def watched_backup(
    checked_page: CheckedPage, running_app: RunningApp, after: Callable[[RunningApp], None] | None = None
) -> None:
    """Start a run over a slow line, after something else, and come to where it copies."""
    much_data(running_app)
    if after:
        after(running_app)
    start_keeping(checked_page)
    running_app.local_line.throttle(SLOW)
    expect(checked_page.page.locator("#progress")).to_contain_text("Step 2 of 4", timeout=60_000)
    checked_page.page.wait_for_selector(".colls li", timeout=20_000)


def an_earlier_backup(running_app: RunningApp) -> None:
    a_good_backup(running_app)
    running_app.database().activities.insert_one({"_id": "since then"})


def share(page: Page) -> float:
    """How much of the running step is done, from 0 to 1."""
    bar = page.locator("#progress > progress")
    return float(bar.get_attribute("value") or 0) / float(bar.get_attribute("max") or 1)


def run_of(running_app: RunningApp) -> dict[str, Any]:
    found = running_app.database().backup_metadata.find_one(sort=[("created_at", -1)])
    assert found is not None
    return dict(found)


def copied_part_of(running_app: RunningApp, name: str) -> float:
    """How much of a collection the run has copied, from 0 to 1."""
    step = next(step for step in run_of(running_app)["steps"] if step["name"] == "dump")
    return next((one["done"] / one["total"] for one in step.get("labels", []) if one["name"] == name), 0.0)


def test_9_10_11_a_run_is_watched_by_two_and_started_once(
    checked_page: CheckedPage, another_look: CheckedPage, running_app: RunningApp
) -> None:
    another_look.sign_in("ravi", to="/")
    much_data(running_app, padding=BATCHES)
    start_keeping(checked_page)
    running_app.local_line.throttle(SLOW * 4)
    running_app.wait_until(lambda: copied_part_of(running_app, "donations") and copied_part_of(running_app, "devotees"))
    running_app.local_line.throttle(SLOW // 12)
    expect(checked_page.page.locator("#progress")).to_contain_text("docs/s")
    another_look.page.goto("/admin/backups/")
    expect(another_look.page.locator("#panel")).to_contain_text("by ananya")
    checked_page.page.reload()
    expect(checked_page.page.locator("#run-heading")).to_have_text("Backup in progress")
    assert abs(share(checked_page.page) - share(another_look.page)) < 0.25
    expect(checked_page.page.locator(".stepper li.now")).to_contain_text("Backing up and verifying")
    expect(checked_page.page.locator("#cancel-link")).to_be_visible()
    expect(another_look.page.locator("#keep-button")).to_be_disabled()
    # In one go: the buttons look again by themselves.
    another_look.page.evaluate(
        "(() => { const button = document.getElementById('keep-button'); button.disabled = false; button.click() })()"
    )
    expect(another_look.page.locator("#panel .note")).to_contain_text("A backup by ananya is already running")
    checked_page.check("10-running")
    bars = checked_page.page.locator(".colls progress")
    assert len(set(bars.evaluate_all("all => all.map(bar => bar.position)"))) >= 3, "of different length"
    another_look.check("11-already-running")
    running_app.manage("shell", "-c", "from backups_app.models import LoginSession as S; "
                                "S.objects.filter(user__username='ravi').delete()")  # fmt: skip
    expect(another_look.page).to_have_url(re.compile("/login/.*ended"))
    expect(another_look.page.locator("h1")).to_have_text("Sign in")
    expect(another_look.page.locator(".shell, #panel")).to_have_count(0)
    running_app.local_line.heal()
    expect(checked_page.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    assert running_app.database().backup_metadata.count_documents({}) == 1
    assert another_look.faults == []


def test_three_clicks_make_one_run(checked_page: CheckedPage, running_app: RunningApp) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()

    checked_page.page.evaluate("for (let i = 0; i < 3; i++) document.getElementById('keep-button').click()")

    expect(checked_page.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    assert running_app.database().backup_metadata.count_documents({}) == 1


def test_12_a_cancelled_run_deletes_nothing_and_leaves_no_folder(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    watched_backup(checked_page, running_app)
    running_app.local_line.throttle(SLOW // 12)  # so that it does not end while the dialog is examined

    checked_page.page.click("#cancel-link")
    dialog = checked_page.page.locator("dialog[open]")
    expect(dialog).to_contain_text("Stop this backup?")
    expect(dialog.locator("button", has_text="Keep going")).to_be_focused()
    checked_page.check("12-cancel-dialog", part=True, within="dialog")
    dialog.locator("button", has_text="Stop backup").click()
    running_app.wait_until(lambda: run_of(running_app)["cancel_requested"])
    running_app.local_line.throttle(SLOW)

    expect(checked_page.page.locator("#run-heading")).to_have_text(
        "Backup cancelled. The deletion step did not run.", timeout=30_000
    )
    expect(checked_page.page.locator("#panel")).to_contain_text("Stopped by ananya")
    expect(checked_page.page.locator("#panel")).to_contain_text(re.compile(r"pulled \d+ and pushed \d+ documents?"))
    running_app.local_line.heal()
    checked_page.wait_until_still()
    checked_page.check("12-cancelled")
    assert [path.name for path in running_app.backup_dir.iterdir() if path.is_dir()] == []
    assert running_app.database().activities.count_documents({}) == 50


def test_13_success_says_what_was_saved_and_deleted_and_stops_asking(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    start_deleting(checked_page)
    expect(checked_page.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)

    panel = checked_page.page.locator("#panel")
    expect(checked_page.page.locator("#run-heading")).to_be_focused()
    table = panel.get_by_role("table", name="How far the deletion went")
    expect(table.locator("thead th")).to_have_text(["Collection", "Atlas", "This computer"])
    deleted = (("activities", "50"), ("bookings", "1,240"), ("employee_bookings", "312"))
    cells = [cell for name, count in deleted for cell in (name, *[f"{count} of {count} deleted"] * 2)]
    expect(table.locator("tbody td")).to_have_text(cells)
    run = run_of(running_app)
    expect(panel).to_contain_text(f"{len(run['collections_backed_up'])} collections, 4,317 documents")
    expect(checked_page.page.locator("#choices")).to_contain_text("Deletes 0 bookings and 0 employee bookings")
    checked_page.wait_until_still()
    checked_page.check("13-success")
    asked: list[str] = []
    checked_page.page.on("request", lambda request: asked.append(request.url))
    checked_page.page.wait_for_timeout(3_000)
    assert [url for url in asked if "progress" in url] == []


def test_14_atlas_cut_in_the_middle_of_its_purge_then_resumed(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    atlas, local = running_app.database("remote"), running_app.database()
    start_deleting(checked_page)
    running_app.wait_until(lambda: run_of(running_app)["phase"] == "purging_remote")
    running_app.atlas_line.throttle(400_000)
    running_app.wait_until(lambda: atlas.activities.count_documents({}) == 0)
    running_app.atlas_line.hang_up()

    expect(checked_page.page.locator("#run-heading")).to_have_text(
        "Backup saved, but the deletion on Atlas is not finished", timeout=120_000
    )
    left = atlas.bookings.count_documents({})
    panel = checked_page.page.locator("#panel")
    expect(panel).to_contain_text("the deletion on this computer did not begin")
    expect(panel.locator(".stepper .warn h3")).to_contain_text("Delete on Atlas: stopped half-way")
    expect(panel.locator("td.c-bad").first).to_contain_text("stopped")
    expect(panel).to_contain_text("not begun")
    expect(panel.locator("button", has_text="Resume the deletion")).to_be_visible()
    expect(panel.locator("a", has_text="Keep after all")).to_be_visible()
    assert local.bookings.count_documents({}) == 1240 and left > 0
    running_app.atlas_line.heal()
    checked_page.page.goto("/admin/backups/")
    checked_page.page.wait_for_selector("#status >> text=unfinished")
    checked_page.wait_until_still()
    checked_page.check("14-partial")

    synced = running_app.manage("backup_sync", "--json")
    assert synced.returncode == 0, synced.stderr
    assert (atlas.bookings.count_documents({}), local.bookings.count_documents({})) == (left, 1240)

    checked_page.page.click("text=Resume the deletion")
    expect(checked_page.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    assert (atlas.bookings.count_documents({}), local.bookings.count_documents({})) == (0, 0)
    checked_page.wait_until_still()
    checked_page.check("14-resumed")


def test_15_a_local_server_cut_while_dumping_is_a_failed_run_that_deleted_nothing(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    watched_backup(checked_page, running_app, after=an_earlier_backup)
    running_app.local_line.hang_up()
    checked_page.page.wait_for_timeout(1_500)
    running_app.local_line.heal()
    running_app.wait_until(lambda: run_of(running_app)["status"] == "failed", seconds=150)
    checked_page.page.goto("/admin/backups/")

    expect(checked_page.page.locator("#run-heading")).to_contain_text("The deletion step did not run.")
    expect(checked_page.page.locator("#panel .badge", has_text="Failed")).to_be_visible()
    expect(checked_page.page.locator("#panel")).to_contain_text("Last good backup:")
    expect(checked_page.page.locator("#panel")).to_contain_text(re.compile(r"pulled \d+ and pushed \d+ documents?"))
    assert checked_page.page.locator("#panel details.technical").get_attribute("open") is None
    assert running_app.database().activities.count_documents({}) == 1
    checked_page.wait_until_still()
    checked_page.check("15-failed")


def test_the_end_of_a_run_tears_nothing_from_a_person_who_types_elsewhere(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    watched_backup(checked_page, running_app, after=a_good_backup)
    page = checked_page.page
    assert page.title().startswith("Backup in progress ·")
    page.click("#load-backups")
    listens = "!!document.querySelector('#backup')?.['htmx-internal-data']"
    running_app.wait_until(lambda: page.evaluate(listens))  # htmx does so a moment after the form stands there
    earlier = running_app.database().backup_metadata.find_one({"status": "success"}, sort=[("_id", 1)])
    page.select_option("#backup", value=earlier["_id"])  # not the new one, should its run have ended by now
    page.locator("#q").press_sequentially("laksh")
    page.set_viewport_size({"width": 1280, "height": 400})
    page.evaluate("document.querySelector('#q').scrollIntoView({block: 'start'})")
    where = "document.querySelector('#q').getBoundingClientRect().top"
    before = page.evaluate(where)
    page.evaluate(
        "window.spoken = []; new MutationObserver(() => spoken.push(document.querySelector('#live').textContent))"
        ".observe(document.querySelector('#live'), {childList: true, characterData: true, subtree: true})"
    )
    running_app.local_line.heal()

    expect(page.locator("#run-heading")).to_have_text("Backup finished", timeout=120_000)
    checked_page.wait_until_still()
    assert "Backup finished" in page.evaluate("spoken"), "the status card speaks there too, after it"

    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("mi")
    expect(page.locator("#q")).to_have_value("lakshmi")
    assert abs(page.evaluate(where) - before) < 60, "what one reads stays where it is"
    assert page.title().startswith("Backup finished ·")
