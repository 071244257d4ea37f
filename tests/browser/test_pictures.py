from playwright.sync_api import Page
from tests.browser.conftest import House, OUTPUT
from tests.conftest import PASSWORD

def sign_in(page, house, who="ananya"):
    page.goto(house.address + "/login/?next=/admin/backups/")
    page.fill("#username", who); page.fill("#password", PASSWORD); page.click("button.primary")

def test_tour(house: House, page: Page):
    OUTPUT.mkdir(exist_ok=True)
    page.on("console", lambda m: print("CONSOLE", m.type, m.text))
    page.set_viewport_size({"width":1280,"height":900})
    sign_in(page, house)
    page.click("#keep-button")
    page.wait_for_timeout(6000)
    page.screenshot(path=OUTPUT/"result.png", full_page=True)
    page.click("#load-backups")
    page.wait_for_selector("#backup")
    page.select_option("#backup", index=1)
    page.wait_for_selector("#collection")
    page.screenshot(path=OUTPUT/"viewer1.png", full_page=True)
    page.select_option("#collection", "bookings")
    page.wait_for_selector("#docs")
    page.fill("#q", "doe")
    page.wait_for_selector("mark")
    page.click("details.doc summary")
    page.wait_for_selector(".tree")
    page.screenshot(path=OUTPUT/"viewer2.png", full_page=True)
    page.goto(house.address+"/admin/backups/runs/")
    page.screenshot(path=OUTPUT/"runs.png", full_page=True)
