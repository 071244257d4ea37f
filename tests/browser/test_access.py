"""Acceptance 1, 2, 3: who gets in, and what those see who do not."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp
from tests.browser.test_run import watched_backup
from tests.conftest import PASSWORD


def test_1_a_wrong_password_then_the_right_one(checked_page: CheckedPage) -> None:
    checked_page.page.goto("/login/?next=/admin/backups/")
    checked_page.wait_until_still()
    checked_page.check("01-login")
    checked_page.page.fill("#username", "ananya")
    checked_page.page.fill("#password", "not-it")
    checked_page.page.keyboard.press("Enter")

    expect(checked_page.page.locator("#problem")).to_be_focused()
    expect(checked_page.page.locator("#username-problem")).to_have_text("Wrong user name or password.")
    expect(checked_page.page.locator("#problem")).to_contain_text("Wrong user name or password.")
    expect(checked_page.page.locator("#username")).to_have_value("ananya")
    expect(checked_page.page.locator("#password")).to_have_value("")
    checked_page.check("01-login-wrong")
    checked_page.page.fill("#password", PASSWORD)
    checked_page.page.click("main button.primary")
    expect(checked_page.page.locator("h1")).to_have_text("Backup Management")


def test_1_too_many_tries_are_informed_when_to_come_back(checked_page: CheckedPage, running_app: RunningApp) -> None:
    for _ in range(6):
        checked_page.page.goto("/login/")
        checked_page.page.fill("#username", "meena")
        checked_page.page.fill("#password", "not-it")
        checked_page.page.keyboard.press("Enter")
        expect(checked_page.page.locator("#problem")).to_be_visible()

    expect(checked_page.page.locator("#problem")).to_be_focused()
    expect(checked_page.page.locator("#problem")).to_contain_text(
        re.compile(r"Too many tries\. Try again at \d\d:\d\d IST\.")
    )
    expect(checked_page.page).to_have_title(re.compile("^Error: "))
    checked_page.check("01-login-locked")
    running_app.manage("shell", "-c", "from backups_app.models import LoginFailure as F; F.objects.all().delete()")


def test_2_the_sidebar_of_each_role(checked_page: CheckedPage, another_look: CheckedPage) -> None:
    for who in ("ananya", "ravi"):
        checked_page.sign_in(who)
        link = checked_page.page.locator(".shell > .side a", has_text="Backup Management")
        expect(link).to_have_attribute("aria-current", "page")
        expect(link.locator("use").first).to_have_attribute("href", "/static/vendor/lucide/icons.svg#database")
        checked_page.wait_until_still()
        checked_page.check(f"02-sidebar-{who}")
        checked_page.page.click(".person-menu > summary")
        checked_page.page.click("text=Sign out")
    another_look.sign_in("meena", to="/")

    expect(another_look.page.locator(".shell > .side a", has_text="Dashboard")).to_be_visible()
    expect(another_look.page.locator(".shell > .side a", has_text="Backup Management")).to_have_count(0)
    another_look.check("02-sidebar-meena")


def test_2_a_run_that_begins_shows_in_the_sidebar_of_other_pages_within_fifteen_seconds(
    checked_page: CheckedPage, another_look: CheckedPage, running_app: RunningApp
) -> None:
    elsewhere = another_look.page
    another_look.sign_in("ravi", to="/admin/backups/audit/")
    elsewhere.clock.install(time=0)
    elsewhere.clock.pause_at(1_000)  # it would run on while the backup begins, which takes as long as it takes
    elsewhere.goto("/admin/backups/audit/")
    another_look.wait_until_still()
    link = elsewhere.locator(".shell > .side a", has_text="Backup Management")
    expect(link.locator(".dot-run")).to_have_count(0)
    watched_backup(checked_page, running_app)
    elsewhere.clock.fast_forward(14_000)
    assert link.locator(".dot-run").count() == 0
    elsewhere.clock.fast_forward(1_500)

    expect(link.locator(".dot-run")).to_be_visible()
    expect(link).to_have_accessible_name("Backup Management backup running")
    elsewhere.clock.resume()
    another_look.check("02-dot")
    running_app.local_line.heal()
    expect(checked_page.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    elsewhere.clock.fast_forward(15_500)
    expect(link.locator(".dot-run")).to_have_count(0)


def test_3_another_role_at_the_address_itself(checked_page: CheckedPage) -> None:
    checked_page.sign_in("meena")
    checked_page.wait_until_still()

    main = checked_page.page.locator("main")
    expect(main).to_contain_text("This page is for administrators")
    expect(main).to_contain_text("meena (Staff, role 3)")
    expect(main).to_contain_text("Super Admin (0) and Admin (1)")
    expect(checked_page.page.locator("text=System status")).to_have_count(0)
    checked_page.check("03-denied")


def test_a_session_that_ends_while_a_page_polls_leads_to_the_login_page(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    checked_page.sign_in()
    checked_page.wait_until_still()
    running_app.manage("shell", "-c", "from backups_app.models import LoginSession as S; S.objects.all().delete()")

    # A poll may have been answered before the button could be.
    checked_page.page.evaluate("document.getElementById('check-again')?.click()")

    expect(checked_page.page.locator("h1")).to_have_text("Sign in")
    expect(checked_page.page.locator("main")).to_contain_text("Your session ended. Sign in to go on.")
    checked_page.check("01-login-ended")
    expect(checked_page.page.locator(".shell")).to_have_count(0)


def test_the_phone_opens_its_menu_without_a_script(checked_page: CheckedPage) -> None:
    checked_page.sign_in()
    checked_page.page.set_viewport_size({"width": 390, "height": 844})

    checked_page.page.click(".menu-btn")

    expect(checked_page.page.locator("#phone-menu a", has_text="Backup Management")).to_be_visible()
    checked_page.page.screenshot(path="tests/output/phone-menu.png")
    checked_page.page.keyboard.press("Escape")
    expect(checked_page.page.locator("#phone-menu a", has_text="Backup Management")).to_be_hidden()
