"""Every cell of the RBAC matrix, pages part: the view behind a door runs in every ok cell and in no other."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern
from django.utils import timezone

from backups_app.access import page_login, sessions, visit
from backups_app.configuration import Configuration
from backups_app.models import LoginSession, User
from backups_app.pages import urls
from backups_app.records import Origin
from tests.security.conftest import FIREFOX
from tests.security.matrix import (
    CALLERS,
    GET,
    MODE_SENTENCE,
    PAGES,
    POST,
    Door,
    Mode,
    Who,
    expected_page,
)
from tests.security.test_rbac_api import PASSWORD, hashed_password

pytestmark = pytest.mark.django_db
FILLED = {"backup_id": "20250119_143022", "conflict_id": "0" * 64, "sid": "x" * 43}
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


@pytest.fixture
def behind(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Put a spy in the place of the view behind the door; yield what it saw."""
    name, _ = request.getfixturevalue("row")
    door = next(
        one for one in wrapped(PATTERNS[name].callback) if cell_of(one, "inner", "view") and hasattr(one, "door")
    )
    cell = cell_of(door, "inner", "view")
    real, seen = cell.cell_contents, []

    def spy(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        seen.append(request.path)
        return HttpResponse("the view ran")

    cell.cell_contents = spy
    yield seen
    cell.cell_contents = real


@functools.cache
def a_client() -> Client:
    """One for all: each new one would look through the static files again."""
    return Client(headers={"User-Agent": FIREFOX})


def browser_for(who: Who, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A browser of this caller, signed in as it was before what locks them out happened."""
    client = a_client()
    client.cookies.clear()
    if not who.signed_in:
        return client
    facts = visit.Visit(origin=Origin.WEB, address="127.0.0.1", user_agent=FIREFOX)
    now = timezone.now()
    user = User.objects.create(
        username="caller", role_id=who.role_id, password=hashed_password(), **{**who.fields, "is_active": True}
    )
    session = sessions.open_session(user=user, face=LoginSession.Face.PAGES, visit=facts, now=now)
    client.force_login(user)
    kept = client.session
    kept[page_login.SID] = session.sid
    kept.save()
    User.objects.filter(pk=user.pk).update(**who.fields)
    if who.revoked:
        sessions.log_out(session, visit=facts, now=now)
    if who.odd_role is not ...:
        judge = sessions.judge

        def judged(**kwargs: Any) -> LoginSession:
            found = judge(**kwargs)
            found.user.role_id = who.odd_role
            return found

        monkeypatch.setattr(sessions, "judge", judged)
    return client


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("who", CALLERS, ids=lambda who: who.name)
@pytest.mark.parametrize("row", BEHIND_A_DOOR, ids=lambda row: f"{row[1]} {row[0]}")
def test_cell(row: tuple[str, str], who: Who, mode: Mode, behind: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    name, method = row
    cell = expected_page(PAGES[row], who, mode)
    client = browser_for(who, monkeypatch)

    with override_settings(TEMPLEOPS=Configuration(primary_database=mode.value)):
        answer = client.generic(method, address(name))

    assert answer.status_code == cell.status
    assert behind == ([address(name)] if cell.runs else [])
    text = answer.content.decode()
    assert ("the view ran" in text) is cell.runs
    if cell.status == 303:
        assert answer.headers["Location"].startswith("/login/?")
    if cell.code == "role":
        assert "This page is for administrators" in text
    if cell.status == 403 and not cell.code:
        assert MODE_SENTENCE in text


def test_every_page_and_method_has_its_row() -> None:
    offered = {(name, method) for name, pattern in PATTERNS.items() for method in methods(pattern.callback)}

    assert offered == set(PAGES)


def test_in_cloud_mode_the_home_page_informs(monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser_for(CALLERS[1], monkeypatch)

    with override_settings(TEMPLEOPS=Configuration(primary_database="cloud")):
        answer = client.get("/admin/backups/")

    assert answer.status_code == 200
    assert "LOCAL mode" in answer.content.decode()


@pytest.mark.parametrize("who", CALLERS, ids=lambda who: who.name)
def test_the_login_page(who: Who, monkeypatch: pytest.MonkeyPatch) -> None:
    browser_for(who, monkeypatch)
    client = Client(headers={"User-Agent": FIREFOX})

    typed = PASSWORD if who.signed_in else "wrong"
    answer = client.post("/login/", {"username": "caller", "password": typed})

    assert answer.status_code == (200 if who.name in ("nobody", "disabled") else 303)
    assert (page_login.SID in client.session) is (answer.status_code == 303)


@pytest.mark.parametrize("who", CALLERS, ids=lambda who: who.name)
@pytest.mark.parametrize("path", ["/prefs/", "/logout/"])
def test_what_is_for_everybody(who: Who, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser_for(who, monkeypatch).post(path, {"theme": "dark"}).status_code == 303


@pytest.mark.parametrize("row", BEHIND_A_DOOR, ids=lambda row: f"{row[1]} {row[0]}")
def test_every_unsafe_page_wants_the_csrf_token(
    row: tuple[str, str], behind: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, method = row
    client = browser_for(CALLERS[1], monkeypatch)
    monkeypatch.setattr(client.handler, "enforce_csrf_checks", True)

    with override_settings(TEMPLEOPS=Configuration()):
        answer = client.generic(method, address(name))

    assert answer.status_code == (403 if method == POST else 200)
    assert bool(behind) is (method == GET)


@pytest.mark.parametrize("row", BEHIND_A_DOOR, ids=lambda row: f"{row[1]} {row[0]}")
def test_other_methods_do_nothing(row: tuple[str, str], behind: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    name, _ = row
    client = browser_for(CALLERS[1], monkeypatch)

    with override_settings(TEMPLEOPS=Configuration()):
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - methods(PATTERNS[name].callback):
            assert client.generic(method, address(name)).status_code == 405, method
    assert behind == []
