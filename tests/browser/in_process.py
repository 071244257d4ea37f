"""Pages that the browser gets from Django's test client: for states that exist in the process of the test alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, Route

from tests.browser.checked_page import CheckedPage

HOUSE = "http://127.0.0.1:47999"
"""Nobody listens there: every request of the browser is answered here."""


@pytest.fixture(autouse=True)
def one_connection(db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the test's connection to the Django database. The driver of the browser runs a loop of events in this
    thread, in which Django refuses its database, or opens another connection that does not see the test's rows."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    return connections["default"]


def served(page: Page, client: Client) -> None:
    """Let the browser get its pages from this client: the state exists in this process alone."""
    connection = connections["default"]

    def answer(route: Route) -> None:
        connections["default"] = connection
        request = route.request
        asked = {name: value for name, value in request.headers.items() if name.startswith("hx-")}
        message: Any = client.generic(request.method, request.url.removeprefix(HOUSE), headers=asked)
        route.fulfill(status=message.status_code, headers=dict(message.headers), body=message.getvalue())

    page.route("**/*", answer)


@pytest.fixture
def looked_at(page: Page, one_connection: Any) -> Iterator[CheckedPage]:
    connections["default"] = one_connection
    watched = CheckedPage(page)
    yield watched
    assert watched.faults == []
