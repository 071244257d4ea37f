"""What stands there while one waits, when nothing answers, and when the server fails."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.browser.conftest import House
from tests.browser.look import Look
from tests.browser.test_home import a_good_backup


def test_a_lost_connection_is_said_and_taken_back(look: Look, house: House) -> None:
    look.sign_in()
    look.settle()
    expect(look.page.locator("#offline")).to_be_hidden()
    look.page.context.set_offline(True)
    look.page.click("#check-again")
    expect(look.page.locator("#offline")).to_contain_text("Connection lost.")
    look.page.screenshot(path="tests/output/21-offline.png")
    look.page.context.set_offline(False)
    look.page.click("#check-again")
    expect(look.page.locator("#offline")).to_be_hidden()
    look.faults = [fault for fault in look.faults if not re.search("ERR_INTERNET_DISCONNECTED|htmx:sendError", fault)]


def test_a_fault_of_the_server_stands_where_the_answer_was_to_stand(look: Look, house: House) -> None:
    a_good_backup(house)
    look.sign_in()
    look.settle()
    fault = '<div class="note bad" role="alert"><b>Something went wrong on the server</b></div>'
    look.page.route("**/admin/backups/browse/", lambda route: route.fulfill(status=500, body=fault))
    look.page.click("#load-backups")

    expect(look.page.locator("main")).to_contain_text("Something went wrong on the server")
    expect(look.page.locator("#status")).to_be_visible()
    look.faults = [fault for fault in look.faults if "status of 500" not in fault]


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
