"""A pair of eyes on a page: pictures, accessibility, the security policy, the console, the width."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.conftest import PASSWORD

OUTPUT = Path(__file__).resolve().parents[2] / "tests" / "output"
LONG = bool(os.environ.get("TEMPLEOPS_LONG"))
Scheme = Literal["light", "dark"]
WIDE, PHONE = (1280, 900), (390, 844)
# The browser writes this down for every 4xx that it loads; a refusal that we test for is not a fault of the page.
# And htmx writes down what a page that is being left had still asked for.
REFUSAL = re.compile(
    r"Failed to load resource: the server responded with a status of 4\d\d|htmx:(sendAbort|afterRequest)"
)
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
SCROLL_WORTH = 8
"""Pixels. A page that scrolls by less has something lying about below its end."""
axe = Axe()
VIOLATIONS = """within => axe.run(within || document, {resultTypes: ['violations']})
  .then(found => ({violations: found.violations}))"""
"""Nothing reads what passed, which is most of what axe returns."""


SHORT_FORM: tuple[tuple[tuple[int, int], Scheme], ...] = ((WIDE, "light"), (PHONE, "dark"))
LONG_FORM: tuple[tuple[tuple[int, int], Scheme], ...] = (*SHORT_FORM, (WIDE, "dark"), (PHONE, "light"))


class CheckedPage:
    """A page that is watched. `check` looks at it as it stands."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.provoked = re.compile("(?!)")
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})

    def _hear(self, message: ConsoleMessage) -> None:
        wanted = REFUSAL.search(message.text) or self.provoked.search(message.text)
        if message.type in ("error", "warning") and not wanted:
            self.faults.append(f"console: {message.text}")

    def provoke(self, sentence: str) -> None:
        """From now on this test brings about what the console then says (a pattern), perhaps at each of many polls."""
        self.provoked = re.compile(sentence)

    def sign_in(self, who: str = "ananya", *, to: str = "/admin/backups/") -> None:
        """Sign in as the form would, without drawing the page of it, and arrive at `to`."""
        browser = self.page.context.request
        browser.get("/login/")
        token = next(cookie["value"] for cookie in self.page.context.cookies() if cookie.get("name") == "csrftoken")
        form: dict[str, str | float | bool] = {"username": who, "password": PASSWORD, "csrfmiddlewaretoken": token}
        answer = browser.post("/login/", form=form, max_redirects=0)
        assert answer.status == 303, answer.text()
        self.page.goto(to)
        expect(self.page.locator("h1")).to_be_visible()

    def wait_until_still(self) -> None:
        """Wait for what the page asked for on loading, fonts included."""
        self.page.wait_for_load_state("networkidle")
        self.page.evaluate("document.fonts.ready")

    def check(self, name: str, *, part: bool = False, within: str = "") -> None:
        """Look at the page wide and narrow, light and dark, for every fault that a machine can see.

        The short form looks at two of the four, wide and light, narrow and dark, and axe, which costs more than all
        else, examines one of them: by the name, so that both have their share. TEMPLEOPS_LONG=1 examines all four, and
        takes a picture of each for people to look at.
        `part`: what the window shows, not the whole page. `within`: axe looks at this element alone (a dialog).
        """
        OUTPUT.mkdir(exist_ok=True)
        examined = LONG_FORM if LONG else (SHORT_FORM[crc32(name.encode()) % len(SHORT_FORM)],)
        for (width, height), scheme in LONG_FORM if LONG else SHORT_FORM:
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.evaluate(TWO_FRAMES)
            if LONG:
                self.page.screenshot(path=OUTPUT / f"{name}-{scheme}-{width}.png", full_page=not part)
            self._watch(f"{name} {scheme} {width}")
            if ((width, height), scheme) in examined:
                self._examine(f"{name} {scheme} {width}", within)
        self.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        self.page.emulate_media(color_scheme="light")

    def _watch(self, name: str) -> None:
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} scrolls sideways by {wider} px: {self._sticking_out()}"
        taller = self.page.evaluate("document.documentElement.scrollHeight - document.documentElement.clientHeight")
        assert not 0 < taller < SCROLL_WORTH, f"{name} scrolls down by {taller} px"
        assert self.faults == [], f"{name}: {self.faults}"

    def _examine(self, name: str, within: str) -> None:
        self.page.evaluate(axe.axe_script)
        found = AxeResults(self.page.evaluate(VIOLATIONS, within))
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"

    def _sticking_out(self) -> Any:
        return self.page.evaluate(
            """[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right >
            document.documentElement.clientWidth).slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""
        )
