"""What stands there while one waits, when nothing answers, and when the server fails."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.browser.conftest import House
from tests.browser.look import Look
from tests.browser.test_home import a_good_backup
from tests.browser.test_run import SLOW, much_data, watched_backup


def test_a_lost_connection_is_said_and_taken_back(look: Look, house: House) -> None:
    look.sign_in()
    look.settle()
    expect(look.page.locator("#offline")).to_be_hidden()
    look.provoke("ERR_INTERNET_DISCONNECTED|htmx:sendError")
    look.page.context.set_offline(True)
    look.page.click("#check-again")
    expect(look.page.locator("#offline")).to_contain_text("Connection lost.")
    look.page.screenshot(path="tests/output/21-offline.png")
    look.page.context.set_offline(False)
    look.page.click("#check-again")
    expect(look.page.locator("#offline")).to_be_hidden()


def test_a_fault_of_the_server_stands_where_the_answer_was_to_stand(look: Look, house: House) -> None:
    a_good_backup(house)
    look.sign_in()
    look.settle()
    fault = '<div class="note bad" role="alert"><b>Something went wrong on the server</b></div>'
    look.provoke("status of 500")
    look.page.route("**/admin/backups/browse/", lambda route: route.fulfill(status=500, body=fault))
    look.page.click("#load-backups")

    expect(look.page.locator("main")).to_contain_text("Something went wrong on the server")
    expect(look.page.locator("#status")).to_be_visible()


def test_the_status_card_keeps_what_was_known_and_says_so_while_nothing_answers(look: Look, house: House) -> None:
    a_good_backup(house)
    look.sign_in()
    look.settle()
    card = look.page.locator("#status")
    expect(card).to_contain_text("Your data is protected")
    expect(card.locator(".could-not-check")).to_be_hidden()
    look.provoke("ERR_FAILED|htmx:sendError")
    look.page.route("**/_/status/**", lambda route: route.abort())
    look.page.click("#check-again")

    expect(card.locator(".could-not-check")).to_contain_text(
        re.compile(r"Couldn't check\. Showing what we knew at \d\d:\d\d:\d\d IST\.\s+Try again")
    )
    expect(card).to_contain_text("Your data is protected")
    look.check("21-could-not-check")
    look.page.unroute("**/_/status/**")
    look.page.click("#try-again")
    expect(card.locator(".could-not-check")).to_be_hidden()


def test_what_a_proxy_says_for_a_server_that_is_away_is_shown_nowhere(look: Look, house: House) -> None:
    look.sign_in()
    look.settle()
    look.provoke("status of 502|Status Error Code 502")
    look.page.route("**/_/status/**", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    look.page.click("#check-again")

    expect(look.page.locator("#offline")).to_be_visible()
    expect(look.page.locator("#status .could-not-check")).to_be_visible()
    expect(look.page.locator("body")).not_to_contain_text("Bad Gateway")
    look.page.unroute("**/_/status/**")
    look.page.click("#try-again")
    expect(look.page.locator("#offline")).to_be_hidden()


def a_question_that_counts(look: Look) -> list[Route]:
    """The red button was pressed. What the count was asked for is held back here, as soon as it is asked."""
    look.sign_in()
    look.settle()
    held: list[Route] = []
    look.page.route("**/confirm-delete/?counted=1", lambda route: held.append(route))
    look.page.click("#delete-button")
    return held


def test_the_question_is_there_at_once_and_counts_while_it_is_open(look: Look, house: House) -> None:
    held = a_question_that_counts(look)

    dialog = look.page.locator("dialog[open]")
    expect(dialog.locator("h2")).to_have_text("Delete the bookings after this backup?")
    expect(dialog).to_contain_text("Counting…")
    expect(dialog.locator(".skeleton")).to_have_count(6)
    expect(look.page.locator("#confirm")).to_be_disabled()
    expect(dialog.locator("h2")).to_be_focused()
    look.page.keyboard.type("DELETE BOOKINGS")  # too early: its space presses nothing
    expect(dialog).to_have_count(1)
    look.check("07-counting", part=True, within="dialog")
    house.wait_until(lambda: look.page.evaluate("true") and held)
    held.pop().continue_()
    expect(dialog.locator("h2")).to_have_text("Delete 1,552 booking documents after this backup?")
    expect(look.page.locator("#confirm")).to_be_focused()
    expect(look.page.locator("#confirm")).to_have_accessible_description(re.compile("Delete 1,552 booking documents"))
    expect(dialog.locator("[data-confirm-submit]")).to_be_disabled()


def test_escape_ends_the_question_while_it_counts_and_nothing_comes_back(look: Look, house: House) -> None:
    held = a_question_that_counts(look)
    expect(look.page.locator("dialog[open]")).to_contain_text("Counting…")
    house.wait_until(lambda: look.page.evaluate("true") and held)
    look.page.keyboard.press("Escape")
    expect(look.page.locator("dialog")).to_have_count(0)
    expect(look.page.locator("#delete-button")).to_be_focused()
    with look.page.expect_response("**/confirm-delete/?counted=1"):
        held.pop().continue_()
    look.settle()

    expect(look.page.locator("dialog")).to_have_count(0)
    expect(look.page.locator("#delete-button")).to_be_focused()


def test_a_role_that_is_lost_closes_the_question_and_says_why(look: Look, house: House) -> None:
    role = "from backups_app.models import User; User.objects.filter(username='ravi').update(role_id={})"
    look.sign_in("ravi")
    look.settle()
    look.page.click("#delete-button")
    expect(look.page.locator("#confirm")).to_be_focused()
    look.page.locator("#confirm").press_sequentially("DELETE BOOKINGS")
    house.manage("shell", "-c", role.format(3))
    try:
        # What polls may have been told before the button could be.
        look.page.evaluate("document.querySelector('[data-confirm-submit]')?.click()")

        expect(look.page.locator("main")).to_contain_text("This page is for administrators")
        expect(look.page.locator("dialog, #trigger")).to_have_count(0)
        expect(look.page.locator("#denied")).to_be_focused()
    finally:
        house.manage("shell", "-c", role.format(1))
    assert house.database().backup_metadata.count_documents({}) == 0


def test_a_run_is_watched_on_when_the_database_that_holds_it_does_not_answer(look: Look, house: House) -> None:
    watched_backup(look, house)
    look.provoke("status of 503")
    house.local_line.refuse()

    said = look.page.locator("#out-of-sight")
    expect(said).to_contain_text("The local MongoDB cannot be reached.", timeout=40_000)
    expect(said).to_contain_text("goes on by itself")
    expect(look.page.locator("#run-heading")).to_have_text("Backup in progress")
    expect(look.page.locator("#progress .colls li").first).to_be_visible()
    house.local_line.heal()
    expect(look.page.locator("#run-heading")).to_contain_text(re.compile("Backup (failed|finished)"), timeout=150_000)
    expect(said).to_have_count(0)


def test_whoever_confirms_while_another_run_goes_on_watches_that_one(
    look: Look, another_look: Look, house: House
) -> None:
    much_data(house)
    look.sign_in()
    look.settle()
    look.page.click("#delete-button")
    expect(look.page.locator("#confirm")).to_be_focused()
    look.page.locator("#confirm").press_sequentially("DELETE BOOKINGS")
    another_look.sign_in("ravi")
    another_look.settle()
    house.local_line.throttle(SLOW)
    another_look.page.click("#keep-button")
    expect(another_look.page.locator("#run-heading")).to_have_text("Backup in progress")
    look.page.click("[data-confirm-submit]")

    expect(look.page.locator("dialog")).to_have_count(0)
    expect(look.page.locator("#panel .note")).to_contain_text("A backup by ravi is already running")
    expect(look.page.locator("#run-heading")).to_be_focused()
    look.page.click("#panel .technical > summary")
    expect(look.page.locator("#panel .technical pre")).to_contain_text('"status": "in_progress"')
    house.local_line.heal()
    expect(look.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    assert house.database().backup_metadata.count_documents({}) == 1
    assert another_look.faults == []


def test_what_was_pressed_turns_and_takes_no_second_press(look: Look, house: House) -> None:
    look.sign_in()
    look.settle()
    held: list[Route] = []
    look.page.route("**/admin/backups/runs/", lambda route: held.append(route))
    look.page.click("#keep-button")

    expect(look.page.locator("#keep-button")).to_be_disabled()
    turning = look.page.evaluate("getComputedStyle(document.getElementById('keep-button'), '::after').content")
    assert turning == '""'
    look.page.screenshot(path="tests/output/21-pressed.png")
    held[0].continue_()
    expect(look.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    assert house.database().backup_metadata.count_documents({}) == 1


def test_the_password_can_be_shown(look: Look) -> None:
    look.page.goto("/login/")
    look.page.fill("#password", "secret")
    look.page.click("[data-show]")
    expect(look.page.locator("#password")).to_have_attribute("type", "text")
    expect(look.page.locator("[data-show]")).to_have_attribute("aria-pressed", "true")
    look.page.click("[data-show]")
    expect(look.page.locator("#password")).to_have_attribute("type", "password")
