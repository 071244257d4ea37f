"""What stands there while one waits, when nothing answers, and when the server fails."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp
from tests.browser.test_home import a_good_backup
from tests.browser.test_run import SLOW, much_data, watched_backup


def test_a_lost_connection_is_stated_and_taken_back(checked_page: CheckedPage, running_app: RunningApp) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()
    expect(checked_page.page.locator("#offline")).to_be_hidden()
    checked_page.provoke("ERR_INTERNET_DISCONNECTED|htmx:sendError")
    checked_page.page.context.set_offline(True)
    checked_page.page.click("#check-again")
    expect(checked_page.page.locator("#offline")).to_contain_text("Connection lost.")
    checked_page.page.screenshot(path="tests/output/21-offline.png")
    checked_page.page.context.set_offline(False)
    checked_page.page.click("#check-again")
    expect(checked_page.page.locator("#offline")).to_be_hidden()


def test_a_fault_of_the_server_stands_where_the_answer_was_to_stand(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    a_good_backup(running_app)
    checked_page.sign_in()
    checked_page.wait_until_still()
    fault = '<div class="note bad" role="alert"><b>Something went wrong on the server</b></div>'
    checked_page.provoke("status of 500")
    checked_page.page.route("**/admin/backups/browse/", lambda route: route.fulfill(status=500, body=fault))
    checked_page.page.click("#load-backups")

    expect(checked_page.page.locator("main")).to_contain_text("Something went wrong on the server")
    expect(checked_page.page.locator("#status")).to_be_visible()


def test_the_status_card_keeps_what_was_known_and_says_so_while_nothing_answers(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    a_good_backup(running_app)
    checked_page.sign_in()
    checked_page.wait_until_still()
    card = checked_page.page.locator("#status")
    expect(card).to_contain_text("Backed up, but only on this computer's disk")
    expect(card.locator(".could-not-check")).to_be_hidden()
    checked_page.provoke("ERR_FAILED|htmx:sendError")
    checked_page.page.route("**/_/status/**", lambda route: route.abort())
    checked_page.page.click("#check-again")

    expect(card.locator(".could-not-check")).to_contain_text(
        re.compile(r"Couldn't check\. Showing what we knew at \d\d:\d\d:\d\d IST\.\s+Try again")
    )
    expect(card).to_contain_text("Backed up, but only on this computer's disk")
    checked_page.check("21-could-not-check")
    checked_page.page.unroute("**/_/status/**")
    checked_page.page.click("#try-again")
    expect(card.locator(".could-not-check")).to_be_hidden()


def test_what_a_proxy_says_for_a_server_that_is_away_is_shown_nowhere(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()
    checked_page.provoke("status of 502|Status Error Code 502")
    checked_page.page.route("**/_/status/**", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    checked_page.page.click("#check-again")

    expect(checked_page.page.locator("#offline")).to_be_visible()
    expect(checked_page.page.locator("#status .could-not-check")).to_be_visible()
    expect(checked_page.page.locator("body")).not_to_contain_text("Bad Gateway")
    checked_page.page.unroute("**/_/status/**")
    checked_page.page.click("#try-again")
    expect(checked_page.page.locator("#offline")).to_be_hidden()


def a_question_that_counts(checked_page: CheckedPage) -> list[Route]:
    """The red button was pressed. What the count was asked for is held back here, as soon as it is asked."""
    checked_page.sign_in()
    checked_page.wait_until_still()
    held: list[Route] = []
    checked_page.page.route("**/confirm-delete/?counted=1", lambda route: held.append(route))
    checked_page.page.click("#delete-button")
    return held


def test_the_question_is_there_at_once_and_counts_while_it_is_open(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    held = a_question_that_counts(checked_page)

    dialog = checked_page.page.locator("dialog[open]")
    expect(dialog.locator("h2")).to_have_text("Delete the bookings after this backup?")
    expect(dialog).to_contain_text("Counting…")
    expect(dialog.locator(".skeleton")).to_have_count(6)
    expect(checked_page.page.locator("#confirm")).to_be_disabled()
    expect(dialog.locator("h2")).to_be_focused()
    checked_page.page.keyboard.type("DELETE BOOKINGS")  # too early: its space presses nothing
    expect(dialog).to_have_count(1)
    checked_page.check("07-counting", part=True, within="dialog")
    running_app.wait_until(lambda: checked_page.page.evaluate("true") and held)
    held.pop().continue_()
    expect(dialog.locator("h2")).to_have_text("Delete 1,552 booking documents after this backup?")
    expect(checked_page.page.locator("#confirm")).to_be_focused()
    expect(checked_page.page.locator("#confirm")).to_have_accessible_description(
        re.compile("Delete 1,552 booking documents")
    )
    expect(dialog.locator("[data-confirm-submit]")).to_be_disabled()


def test_escape_ends_the_question_while_it_counts_and_nothing_comes_back(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    held = a_question_that_counts(checked_page)
    expect(checked_page.page.locator("dialog[open]")).to_contain_text("Counting…")
    running_app.wait_until(lambda: checked_page.page.evaluate("true") and held)
    checked_page.page.keyboard.press("Escape")
    expect(checked_page.page.locator("dialog")).to_have_count(0)
    expect(checked_page.page.locator("#delete-button")).to_be_focused()
    with checked_page.page.expect_response("**/confirm-delete/?counted=1"):
        held.pop().continue_()
    checked_page.wait_until_still()

    expect(checked_page.page.locator("dialog")).to_have_count(0)
    expect(checked_page.page.locator("#delete-button")).to_be_focused()


def test_a_role_that_is_lost_closes_the_question_and_says_why(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    role = "from backups_app.models import User; User.objects.filter(username='ravi').update(role_id={})"
    checked_page.sign_in("ravi")
    checked_page.wait_until_still()
    checked_page.page.click("#delete-button")
    expect(checked_page.page.locator("#confirm")).to_be_focused()
    checked_page.page.locator("#confirm").press_sequentially("DELETE BOOKINGS")
    running_app.manage("shell", "-c", role.format(3))
    try:
        # What polls may have been answered before the button could be.
        checked_page.page.evaluate("document.querySelector('[data-confirm-submit]')?.click()")

        expect(checked_page.page.locator("main")).to_contain_text("This page is for administrators")
        expect(checked_page.page.locator("dialog, #trigger")).to_have_count(0)
        expect(checked_page.page.locator("#denied")).to_be_focused()
    finally:
        running_app.manage("shell", "-c", role.format(1))
    assert running_app.database().backup_metadata.count_documents({}) == 0


def test_a_run_is_watched_on_when_the_database_that_holds_it_does_not_answer(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    watched_backup(checked_page, running_app)
    checked_page.provoke("status of 503")
    running_app.local_line.refuse()

    message = checked_page.page.locator("#out-of-sight")
    expect(message).to_contain_text("The local MongoDB cannot be reached.", timeout=40_000)
    expect(message).to_contain_text("goes on by itself")
    expect(checked_page.page.locator("#run-heading")).to_have_text("Backup in progress")
    expect(checked_page.page.locator("#progress .colls li").first).to_be_visible()
    running_app.local_line.heal()
    expect(checked_page.page.locator("#run-heading")).to_contain_text(
        re.compile("Backup (failed|finished)"), timeout=150_000
    )
    expect(message).to_have_count(0)


def test_a_person_who_confirms_while_another_run_goes_on_watches_that_one(
    checked_page: CheckedPage, another_look: CheckedPage, running_app: RunningApp
) -> None:
    much_data(running_app)
    checked_page.sign_in()
    checked_page.wait_until_still()
    checked_page.page.click("#delete-button")
    expect(checked_page.page.locator("#confirm")).to_be_focused()
    checked_page.page.locator("#confirm").press_sequentially("DELETE BOOKINGS")
    another_look.sign_in("ravi")
    another_look.wait_until_still()
    running_app.local_line.throttle(SLOW)
    another_look.page.click("#keep-button")
    expect(another_look.page.locator("#run-heading")).to_have_text("Backup in progress")
    checked_page.page.click("[data-confirm-submit]")

    expect(checked_page.page.locator("dialog")).to_have_count(0)
    expect(checked_page.page.locator("#panel .note")).to_contain_text("A backup by ravi is already running")
    expect(checked_page.page.locator("#run-heading")).to_be_focused()
    checked_page.page.click("#panel .technical > summary")
    expect(checked_page.page.locator("#panel .technical pre")).to_contain_text('"status": "in_progress"')
    running_app.local_line.heal()
    expect(checked_page.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    assert running_app.database().backup_metadata.count_documents({}) == 1
    assert another_look.faults == []


def test_what_was_pressed_turns_and_takes_no_second_press(checked_page: CheckedPage, running_app: RunningApp) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()
    held: list[Route] = []
    checked_page.page.route("**/admin/backups/runs/", lambda route: held.append(route))
    checked_page.page.click("#keep-button")

    expect(checked_page.page.locator("#keep-button")).to_be_disabled()
    turning = checked_page.page.evaluate("getComputedStyle(document.getElementById('keep-button'), '::after').content")
    assert turning == '""'
    checked_page.page.screenshot(path="tests/output/21-pressed.png")
    held[0].continue_()
    expect(checked_page.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    assert running_app.database().backup_metadata.count_documents({}) == 1


def test_the_password_can_be_shown(checked_page: CheckedPage) -> None:
    checked_page.page.goto("/login/")
    checked_page.page.fill("#password", "secret")
    checked_page.page.click("[data-show]")
    expect(checked_page.page.locator("#password")).to_have_attribute("type", "text")
    expect(checked_page.page.locator("[data-show]")).to_have_attribute("aria-pressed", "true")
    checked_page.page.click("[data-show]")
    expect(checked_page.page.locator("#password")).to_have_attribute("type", "password")
