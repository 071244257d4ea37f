"""What Chromium itself says of where a form comes from, and what is made of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import RunningApp


class Elsewhere(BaseHTTPRequestHandler):
    """Another site: `/<policy>?<target>` shows a form to this target; what is posted here is kept with its headers."""

    posted: dict[str, str | None]

    def do_GET(self) -> None:
        policy, _, target = self.path.lstrip("/").partition("?")
        page = f'<form method="post" action="{target}"><input name="theme" value="dark"><button>Send</button></form>'
        self._answer(page, {"Referrer-Policy": policy})

    def do_POST(self) -> None:
        type(self).posted = {name: self.headers.get(name) for name in ("Origin", "Referer", "Sec-Fetch-Site")}
        self._answer("taken", {})

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, page: str, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {"Content-Type": "text/html", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.encode())


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_with_no_referrer_a_form_says_origin_null_to_its_own_site_and_with_same_origin_its_origin(
    page: Page, elsewhere: str
) -> None:
    """Why Referrer-Policy is same-origin: `Origin: null` is what a sandboxed frame of an attacker sends, too."""
    page.goto(f"{elsewhere}/no-referrer?/taken")
    page.click("button")
    assert Elsewhere.posted == {"Origin": "null", "Referer": None, "Sec-Fetch-Site": "same-origin"}

    page.goto(f"{elsewhere}/same-origin?/taken")
    page.click("button")
    assert Elsewhere.posted["Origin"] == elsewhere


def test_with_same_origin_another_site_learns_nothing_of_the_page(page: Page, elsewhere: str) -> None:
    page.goto(f"{elsewhere}/same-origin?{elsewhere.replace('localhost', '127.0.0.1')}/taken")
    page.click("button")

    assert Elsewhere.posted == {"Origin": "null", "Referer": None, "Sec-Fetch-Site": "cross-site"}


def test_a_form_of_another_site_is_refused_by_what_the_browser_says_of_it(
    page: Page, running_app: RunningApp, elsewhere: str
) -> None:
    page.goto(f"{elsewhere}/unsafe-url?{running_app.address}/prefs/")
    with page.expect_response(f"{running_app.address}/prefs/") as answered:
        page.click("button")

    assert answered.value.request.all_headers()["sec-fetch-site"] == "cross-site"
    assert answered.value.status == 403
    expect(page.locator("h1")).to_have_text("Another site sent this")
    expect(page.locator("main")).to_contain_text("Nothing was done, and that site received nothing.")
    assert "set-cookie" not in answered.value.headers or "theme" not in answered.value.headers["set-cookie"]
