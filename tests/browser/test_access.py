"""Acceptance 1, 2, 3: who gets in, and what those see who do not."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import House
from tests.browser.look import Look
from tests.browser.test_run import watched_backup
from tests.conftest import PASSWORD


def test_1_a_wrong_password_then_the_right_one(look: Look) -> None:
    look.page.goto("/login/?next=/admin/backups/")
    look.settle()
    look.check("01-login")
    look.page.fill("#username", "ananya")
    look.page.fill("#password", "not-it")
    look.page.keyboard.press("Enter")

    expect(look.page.locator("#problem")).to_be_focused()
    expect(look.page.locator("#username-problem")).to_have_text("User name or password is not right.")
    expect(look.page.locator("#problem")).to_contain_text("User name or password is not right.")
    expect(look.page.locator("#username")).to_have_value("ananya")
    expect(look.page.locator("#password")).to_have_value("")
    look.check("01-login-wrong")
    look.page.fill("#password", PASSWORD)
    look.page.click("main button.primary")
    expect(look.page.locator("h1")).to_have_text("Backup Management")


def test_1_too_many_tries_are_told_when_to_come_back(look: Look, house: House) -> None:
    for _ in range(6):
        look.page.goto("/login/")
        look.page.fill("#username", "meena")
        look.page.fill("#password", "not-it")
        look.page.keyboard.press("Enter")
        expect(look.page.locator("#problem")).to_be_visible()

    expect(look.page.locator("#problem")).to_be_focused()
    expect(look.page.locator("#problem")).to_contain_text(re.compile(r"Too many tries\. Try again at \d\d:\d\d IST\."))
    expect(look.page).to_have_title(re.compile("^Error: "))
    look.check("01-login-locked")
    house.manage("shell", "-c", "from backups_app.models import LoginFailure as F; F.objects.all().delete()")


def test_2_the_sidebar_of_each_role(look: Look, another_look: Look) -> None:
    for who in ("ananya", "ravi"):
        look.sign_in(who)
        link = look.page.locator(".shell > .side a", has_text="Backup Management")
        expect(link).to_have_attribute("aria-current", "page")
        expect(link.locator("use").first).to_have_attribute("href", "/static/vendor/lucide/icons.svg#database")
        look.settle()
        look.check(f"02-sidebar-{who}")
        look.page.click(".person-menu > summary")
        look.page.click("text=Sign out")
    another_look.sign_in("meena", to="/")

    expect(another_look.page.locator(".shell > .side a", has_text="Dashboard")).to_be_visible()
    expect(another_look.page.locator(".shell > .side a", has_text="Backup Management")).to_have_count(0)
    another_look.check("02-sidebar-meena")


def test_2_a_run_that_begins_shows_in_the_sidebar_of_other_pages_within_fifteen_seconds(
    look: Look, another_look: Look, house: House
) -> None:
    elsewhere = another_look.page
    another_look.sign_in("ravi", to="/admin/backups/audit/")
    elsewhere.clock.install(time=0)
    elsewhere.clock.pause_at(1_000)  # it would run on while the backup begins, which takes as long as it takes
    elsewhere.goto("/admin/backups/audit/")
    another_look.settle()
    link = elsewhere.locator(".shell > .side a", has_text="Backup Management")
    expect(link.locator(".dot-run")).to_have_count(0)
    watched_backup(look, house)
    elsewhere.clock.fast_forward(14_000)
    assert link.locator(".dot-run").count() == 0
    elsewhere.clock.fast_forward(1_500)

    expect(link.locator(".dot-run")).to_be_visible()
    expect(link).to_have_accessible_name("Backup Management backup running")
    elsewhere.clock.resume()
    another_look.check("02-dot")
    house.local_line.heal()
    expect(look.page.locator("#run-heading")).to_have_text("Backup finished", timeout=60_000)
    elsewhere.clock.fast_forward(15_500)
    expect(link.locator(".dot-run")).to_have_count(0)


def test_3_another_role_at_the_address_itself(look: Look) -> None:
    look.sign_in("meena")
    look.settle()

    main = look.page.locator("main")
    expect(main).to_contain_text("This page is for administrators")
    expect(main).to_contain_text("meena (Staff, role 3)")
    expect(main).to_contain_text("Super Admin (0) and Admin (1)")
    expect(look.page.locator("text=System status")).to_have_count(0)
    look.check("03-denied")


def test_a_session_that_ends_while_a_page_polls_leads_to_the_login_page(look: Look, house: House) -> None:
    look.sign_in()
    look.settle()
    house.manage("shell", "-c", "from backups_app.models import LoginSession as S; S.objects.all().delete()")

    # A poll may have been told before the button could be.
    look.page.evaluate("document.getElementById('check-again')?.click()")

    expect(look.page.locator("h1")).to_have_text("Sign in")
    expect(look.page.locator("main")).to_contain_text("Your session ended. Sign in to go on.")
    look.check("01-login-ended")
    expect(look.page.locator(".shell")).to_have_count(0)


def test_the_phone_opens_its_menu_without_a_script(look: Look) -> None:
    look.sign_in()
    look.page.set_viewport_size({"width": 390, "height": 844})

    look.page.click(".menu-btn")

    expect(look.page.locator("#phone-menu a", has_text="Backup Management")).to_be_visible()
    look.page.screenshot(path="tests/output/phone-menu.png")
    look.page.keyboard.press("Escape")
    expect(look.page.locator("#phone-menu a", has_text="Backup Management")).to_be_hidden()
