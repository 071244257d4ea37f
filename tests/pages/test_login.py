"""Signing in and out by the page."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from backups_app.models import LoginSession, User
from tests.conftest import PASSWORD
from tests.pages.conftest import AGENT, signed_in

pytestmark = pytest.mark.django_db


def test_the_right_password_leads_to_the_page_that_was_wanted(admin: User) -> None:
    answer = Client().post(
        "/login/",
        {"username": "ravi", "password": PASSWORD, "next": "/admin/backups/runs/"},
        headers={"User-Agent": AGENT},
    )

    assert (answer.status_code, answer["Location"]) == (303, "/admin/backups/runs/")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_login_never_leads_out_of_the_house(admin: User, elsewhere: str) -> None:
    answer = Client().post("/login/", {"username": "ravi", "password": PASSWORD, "next": elsewhere})

    assert answer["Location"] == "/"


def test_a_wrong_password_gets_the_form_again_with_the_name_and_without_the_password(admin: User) -> None:
    answer = Client().post("/login/", {"username": "ravi", "password": "not-this-one-at-all"})

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Wrong user name or password." in page
    assert 'value="ravi"' in page
    assert "not-this-one-at-all" not in page
    assert "<title>Error:" in page.replace("\n", "")


def test_an_unknown_name_gets_the_same_sentence(db: None) -> None:
    answer = Client().post("/login/", {"username": "nobody", "password": "x"})

    assert "Wrong user name or password." in answer.content.decode()


def test_the_sixth_wrong_try_is_informed_when_to_come_back(admin: User) -> None:
    browser = Client()
    for _ in range(5):
        browser.post("/login/", {"username": "ravi", "password": "wrong"})

    answer = browser.post("/login/", {"username": "ravi", "password": PASSWORD})

    page = answer.content.decode()
    reported = re.search(r"<li>Too many tries\. Try again at (\d\d):(\d\d) IST\.</li>", page)
    assert answer.status_code == 429
    assert reported is not None and "<title>Error: Sign in" in page
    now = timezone.localtime()
    open_at = now.replace(hour=int(reported[1]), minute=int(reported[2]), second=0, microsecond=0)
    wait = (open_at - now).total_seconds() % (24 * 3600)
    assert int(answer["Retry-After"]) - 1 <= wait <= int(answer["Retry-After"]) + 60


def test_the_same_words_stand_at_the_field_and_lead_there(admin: User) -> None:
    page = Client().post("/login/", {"username": "ravi", "password": "wrong"}).content.decode()

    sentence = "Wrong user name or password."
    assert f'<a href="#username">{sentence}</a>' in page
    assert f'<p class="problem" id="username-problem">{sentence}</p>' in page


@pytest.mark.parametrize("where", ["/login/", "/login/?next=/django-admin/", "/login/?next=/admin/backups/"])
def test_who_is_signed_in_already_arrives_at_the_dashboard(admin: User, staff: User, where: str) -> None:
    for person in (admin, staff):
        answer = signed_in(person).get(where)

        assert (answer.status_code, answer["Location"]) == (303, "/")


def test_a_session_that_ended_is_reported_and_the_way_back_is_kept(admin: User) -> None:
    browser = signed_in(admin)
    LoginSession.objects.all().delete()

    answer = browser.get("/admin/backups/runs/?status=all", follow=True)
    page = answer.content.decode()

    assert "Your session ended. Sign in to go on." in page
    assert 'name="next" value="/admin/backups/runs/?status=all"' in page
    assert "Your session ended" not in Client().get("/admin/backups/", follow=True).content.decode()


def test_logging_out_ends_the_session(admin: User) -> None:
    browser = signed_in(admin)

    answer = browser.post("/logout/")

    assert answer["Location"] == "/login/"
    assert browser.get("/")["Location"].startswith("/login/")


def test_logging_out_by_a_link_is_refused(admin: User) -> None:
    assert signed_in(admin).get("/logout/").status_code == 405


def test_login_needs_the_token_of_its_form(admin: User) -> None:
    browser = Client(enforce_csrf_checks=True)

    answer = browser.post("/login/", {"username": "ravi", "password": PASSWORD})

    assert answer.status_code == 403
    assert "This form is no longer valid" in answer.content.decode()
