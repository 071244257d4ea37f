"""Every cell of the RBAC matrix, pages part: the view behind a door runs in every ok cell and in no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern

from backups_app.access.signing_in import page_login
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent
from backups_app.pages import urls
from tests.security.callers import PASSWORD, browser_of, every_column, every_row, in_mode
from tests.security.conftest import FIREFOX
from tests.security.matrix import (
    CALLERS,
    GET,
    MODE_SENTENCE,
    PAGE_ACTS,
    PAGES,
    POST,
    Door,
    Mode,
    Row,
    Who,
    expected_page,
)
from tests.security.test_rbac_api import Behind

pytestmark = pytest.mark.django_db
FILLED = {
    "run_id": "20250119_143022",
    "backup_id": "20250119_143022",
    "conflict_id": "0" * 64,
    "sid": "x" * 43,
    "person_id": "1",
    "name": "nightly",
    "number": "1",
}
PATTERNS = {str(pattern.name): pattern for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)}
BEHIND_A_DOOR = [row for row, door in PAGES.items() if door is not Door.OPEN]


def wrapped(view: Any) -> Iterator[Any]:
    """The view, and what its decorators wrap, from outside inwards."""
    while view is not None:
        yield view
        view = getattr(view, "__wrapped__", None)


def cell_of(function: Any, *names: str) -> Any:
    """Return the closure cell of one of these names, or None."""
    free = getattr(getattr(function, "__code__", None), "co_freevars", ())
    return next((function.__closure__[free.index(name)] for name in names if name in free), None)


def view_behind(function: Any) -> Any:
    """Return a door's cell that holds its view, also where the door answers by a function of its own, or None."""
    if not hasattr(function, "door"):
        return None
    answered = cell_of(function, "answered")
    return cell_of(answered.cell_contents if answered else function, "inner", "view")


def methods(view: Any) -> set[str]:
    """Which of GET and POST the view takes, by its `require_…` decorator."""
    for one in wrapped(view):
        cell = cell_of(one, "request_method_list")
        if cell is not None:
            return {GET, POST} & set(cell.cell_contents)
    return {GET, POST}


def address(name: str) -> str:
    text = str(PATTERNS[name].pattern)
    for parameter, value in FILLED.items():
        text = text.replace(f"<str:{parameter}>", value)
    assert "<" not in text, f"say what {text} is filled with"
    return f"/{text}"


@contextmanager
def spied(name: str) -> Iterator[list[str]]:
    """Put a spy in the place of the view behind the door of a page; yield the paths that it saw."""
    cell = next(filter(None, map(view_behind, wrapped(PATTERNS[name].callback))))
    real, seen = cell.cell_contents, []

    def spy(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        seen.append(request.path)
        return HttpResponse("the view ran")

    cell.cell_contents = spy
    try:
        yield seen
    finally:
        cell.cell_contents = real


@pytest.fixture
def behind(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """A spy behind the door of the page `row`."""
    with spied(request.getfixturevalue("row")[0]) as seen:
        yield seen


@every_column
def test_cells(who: Who, mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of the matrix: one caller in one mode at every door, with one session for all of them."""
    client = browser_of(who, monkeypatch)
    with in_mode(mode):
        faults = {f"{row[1]} {row[0]}": list(faults_of_cell(client, row, who, mode)) for row in BEHIND_A_DOOR}

    assert len(faults) == len(BEHIND_A_DOOR)
    assert {cell: body for cell, body in faults.items() if body} == {}


def faults_of_cell(client: Client, row: tuple[str, str], who: Who, mode: Mode) -> Iterator[str]:
    """Send one request and yield how the answer differs from the matrix."""
    name, method = row
    cell = expected_page(PAGES[row], who, mode)
    with spied(name) as seen:
        answer = client.generic(method, address(name))
    text = answer.content.decode()
    if answer.status_code != cell.status:
        yield f"status {answer.status_code}, not {cell.status}"
    if seen != ([address(name)] if cell.runs else []):
        yield f"the view saw {seen}"
    if ("the view ran" in text) is not cell.runs:
        yield "the answer is not the view's" if cell.runs else "the answer is the view's"
    if cell.status == 303 and not answer.headers["Location"].startswith("/login/?"):
        yield f"leads to {answer.headers['Location']}"
    if cell.status == 403 and not cell.code and MODE_SENTENCE not in text:
        yield "does not name the mode"
    if cell.code == "role":
        if "This page is for administrators" not in text:
            yield "does not say for whom the page is"
        recorded = AuditEvent.objects.filter(action="access.denied", target=f"/{PATTERNS[name].pattern}").count()
        if recorded != 1:  # one for both methods: repeated refusals at one address are recorded once
            yield f"recorded {recorded} times"


@every_column
def test_an_act_happens_in_every_ok_cell_and_in_no_other(who: Who, mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser_of(who, monkeypatch)
    signed_in = deepcopy(client.cookies)

    def look(row: Row, patch: pytest.MonkeyPatch) -> None:
        client.cookies = deepcopy(signed_in)
        look_at_act(client, row, who, mode, patch)

    every_row(PAGE_ACTS, look)


def look_at_act(client: Client, row: Row, who: Who, mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send one form, and compare with the matrix what happened."""
    cell = expected_page(Door.ADMIN, who, mode)
    acts = [Behind(monkeypatch, where) for where in row.behind]

    with in_mode(mode):
        answer = client.post(row.path, row.body)

    assert answer.status_code == (row.success if cell.runs else cell.status)
    assert [act.calls > 0 for act in acts] == [cell.runs] * len(acts)
    assert answer.headers.get("Location", "").startswith("/admin/backups/") is cell.runs


def test_every_page_that_acts_is_among_the_acts() -> None:
    assert {row.route for row in PAGE_ACTS} == {
        name for (name, method), door in PAGES.items() if method == POST and door is Door.ADMIN
    }


def test_every_page_and_method_has_its_row() -> None:
    offered = {(name, method) for name, pattern in PATTERNS.items() for method in methods(pattern.callback)}

    assert offered == set(PAGES)


def test_in_cloud_mode_the_home_page_informs(monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser_of(CALLERS[1], monkeypatch)

    with override_settings(TEMPLEOPS=Configuration(primary_database="cloud")):
        answer = client.get("/admin/backups/")

    assert answer.status_code == 200
    assert "LOCAL mode" in answer.content.decode()


@every_column
def test_the_login_page(who: Who, mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    browser_of(who, monkeypatch)
    client = Client(headers={"User-Agent": FIREFOX})

    typed = PASSWORD if who.signed_in else "wrong"
    with in_mode(mode):
        answer = client.post("/login/", {"username": "caller", "password": typed})

    assert answer.status_code == (200 if who.name in ("nobody", "disabled") else 303)
    assert (page_login.SID in client.session) is (answer.status_code == 303)


@pytest.mark.parametrize("path", ["/prefs/", "/logout/"])
@every_column
def test_what_is_for_everybody(path: str, who: Who, mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_mode(mode):
        assert browser_of(who, monkeypatch).post(path, {"theme": "dark"}).status_code == 303


@pytest.mark.parametrize("name", [name for name, method in PAGES if method == POST])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_the_browser_says_came_from_another_site_is_refused(
    name: str, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser_of(CALLERS[1], monkeypatch)
    acts = [Behind(monkeypatch, where) for row in PAGE_ACTS if row.route == name for where in row.behind]

    with in_mode(Mode.LOCAL):
        answer = client.post(address(name), {"theme": "dark"}, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert "Another site sent this" in answer.content.decode()
    assert [act.calls for act in acts] == [0] * len(acts)
    assert not answer.cookies.get("theme")


@pytest.mark.parametrize("row", BEHIND_A_DOOR, ids=lambda row: f"{row[1]} {row[0]}")
def test_every_unsafe_page_wants_the_csrf_token(
    row: tuple[str, str], behind: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, method = row
    client = browser_of(CALLERS[1], monkeypatch)
    monkeypatch.setattr(client.handler, "enforce_csrf_checks", True)

    with override_settings(TEMPLEOPS=Configuration()):
        answer = client.generic(method, address(name))

    assert answer.status_code == (403 if method == POST else 200)
    assert bool(behind) is (method == GET)


@pytest.mark.parametrize("row", BEHIND_A_DOOR, ids=lambda row: f"{row[1]} {row[0]}")
def test_other_methods_do_nothing(row: tuple[str, str], behind: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    name, _ = row
    client = browser_of(CALLERS[1], monkeypatch)

    with override_settings(TEMPLEOPS=Configuration()):
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - methods(PATTERNS[name].callback):
            assert client.generic(method, address(name)).status_code == 405, method
    assert behind == []
