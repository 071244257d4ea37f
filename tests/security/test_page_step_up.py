"""Step-up and CSRF on the pages: an old login, an old or foreign token, another origin, and nothing is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent, User
from backups_app.pages import known_status
from tests.security.conftest import FIREFOX

pytestmark = pytest.mark.django_db
START = "/admin/backups/runs/"
DELETE = {"delete_bookings": "yes", "confirm": "DELETE BOOKINGS", "key": "a-key"}
KEEP = {"key": "another-key"}
RUN = "20250119_143022"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Which runs were asked of the use cases: with deletion or not."""
    asked: list[bool] = []

    def start_backup(**given: Any) -> RunRecord:
        asked.append(given["delete_bookings"])
        return RunRecord(backup_id=RUN, created_at=timezone.now())

    monkeypatch.setattr("backups_app.use_cases.backups.backups.start_backup", start_backup)
    known_status.forget()
    return asked


@pytest.fixture
def firefox(super_admin: User, password: str, clock: Any) -> Client:
    """Firefox, signed in as a Super Admin at START, with CSRF checked as for everybody."""
    client = Client(headers={"User-Agent": FIREFOX}, enforce_csrf_checks=True)
    client.get("/login/")
    token = client.cookies["csrftoken"].value
    answer = client.post("/login/", {"username": "ananya", "password": password, "csrfmiddlewaretoken": token})
    assert answer.status_code == 303
    return client


def send(client: Client, form: dict[str, str], *, token: str | None = None, **headers: str) -> Any:
    """Send the form that starts a run, with the browser's own CSRF token unless set otherwise."""
    own = client.cookies["csrftoken"].value if token is None else token
    with override_settings(TEMPLEOPS=Configuration()):
        return client.post(START, {**form, **({"csrfmiddlewaretoken": own} if own else {})}, headers=headers)


def test_a_fresh_login_starts_a_run_with_deletion(firefox: Client, started: list[bool]) -> None:
    assert send(firefox, DELETE).status_code == 303
    assert started == [True]


def test_an_old_login_is_asked_for_the_password_and_nothing_is_done(
    firefox: Client, started: list[bool], clock: Any
) -> None:
    clock.shift(timedelta(minutes=15, seconds=1))

    answer = send(firefox, DELETE)

    assert 'name="password"' in answer.content.decode()
    assert started == []


def test_with_the_right_password_it_is_done_and_the_login_is_fresh_again(
    firefox: Client, started: list[bool], clock: Any, password: str
) -> None:
    clock.shift(timedelta(minutes=20))

    wrong = send(firefox, DELETE | {"password": "wrong"})
    assert (wrong.status_code, started) != (303, [True])
    assert send(firefox, DELETE | {"password": password}).status_code == 303
    assert send(firefox, DELETE).status_code == 303

    assert started == [True, True]
    assert AuditEvent.objects.filter(action="step_up", result="success").count() == 1


def test_keeping_bookings_asks_nothing(firefox: Client, started: list[bool], clock: Any) -> None:
    clock.shift(timedelta(minutes=20))

    assert send(firefox, KEEP).status_code == 303
    assert started == [False]


def test_guessing_at_the_step_up_is_throttled_like_any_login(
    firefox: Client, started: list[bool], clock: Any, password: str
) -> None:
    clock.shift(timedelta(minutes=20))
    for _ in range(5):
        send(firefox, DELETE | {"password": "wrong"})

    send(firefox, DELETE | {"password": password})

    assert started == []


@pytest.mark.parametrize("phrase", ["", "delete bookings", "DELETE  BOOKINGS", "DELETE BOOKINGS!", "DELETE"])
def test_without_the_phrase_nothing_is_done(firefox: Client, started: list[bool], phrase: str) -> None:
    send(firefox, DELETE | {"confirm": phrase})

    assert started == []


def test_a_missing_an_invented_and_an_old_token_are_refused(
    firefox: Client, started: list[bool], password: str
) -> None:
    old = firefox.cookies["csrftoken"].value
    firefox.post("/login/", {"username": "ananya", "password": password, "csrfmiddlewaretoken": old})
    assert firefox.cookies["csrftoken"].value != old

    for token in ("", "x" * 64, "x" * 32, old):
        assert send(firefox, KEEP, token=token).status_code == 403, token
    assert started == []


def test_another_users_token_is_refused(firefox: Client, started: list[bool], admin: User, password: str) -> None:
    other = Client(headers={"User-Agent": FIREFOX})
    other.post("/login/", {"username": "ravi", "password": password})
    theirs = other.get("/sessions/").context["csrf_token"]

    assert send(firefox, KEEP, token=str(theirs)).status_code == 403
    assert started == []


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://testserver.evil.example", "null", "http://testserver:81"]
)
def test_another_origin_is_refused_even_with_the_token(firefox: Client, started: list[bool], origin: str) -> None:
    answer = send(firefox, KEEP, Origin=origin)

    assert answer.status_code == 403
    assert "it came by another address" in answer.content.decode()
    assert started == []


def test_our_own_origin_is_let_through(firefox: Client, started: list[bool]) -> None:
    assert send(firefox, KEEP, Origin="http://testserver").status_code == 303
    assert started == [False]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_the_browser_says_came_from_another_site_is_refused_even_with_token_and_origin(
    firefox: Client, started: list[bool], site: str
) -> None:
    answer = send(firefox, KEEP, **{"Origin": "http://testserver", "Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert "Another site sent this" in answer.content.decode()
    assert started == []


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_what_the_browser_says_came_from_here_or_from_the_person_is_let_through(
    firefox: Client, started: list[bool], site: str
) -> None:
    assert send(firefox, KEEP, **{"Sec-Fetch-Site": site}).status_code == 303
    assert started == [False]


@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
def test_a_body_that_is_no_form_is_refused(firefox: Client, started: list[bool], content_type: str) -> None:
    with override_settings(TEMPLEOPS=Configuration()):
        answer = firefox.generic("POST", START, b'{"delete_bookings": "yes"}', content_type=content_type)

    assert answer.status_code == 403
    assert started == []


def test_a_get_with_a_body_starts_nothing(firefox: Client, started: list[bool]) -> None:
    with override_settings(TEMPLEOPS=Configuration(backup_dir=Configuration().backup_dir)):
        firefox.generic("GET", START, b"delete_bookings=yes", content_type="application/x-www-form-urlencoded")

    assert started == []
