"""Cookies of pages: a cookie is worth what the login session behind it is worth (`docs/security.md`)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory, override_settings
from rest_framework.views import APIView

from backups_app.api.shared.permissions import LoginSessionAuthentication
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent, LoginSession, User
from tests.security.conftest import FIREFOX, SignIn
from tests.security.test_login_sessions import OTHER_FAMILY, OTHER_PLATFORM

pytestmark = pytest.mark.django_db
MINE = "/sessions/"


@pytest.fixture
def firefox(super_admin: User, password: str) -> Client:
    """Firefox, signed in as a Super Admin."""
    client = Client(headers={"User-Agent": FIREFOX})
    assert client.post("/login/", {"username": "ananya", "password": password}).status_code in (302, 303)
    return client


def leads_to_login(answer: Any) -> bool:
    return answer.status_code in (302, 303) and answer.headers["Location"].startswith("/login/")


@pytest.mark.parametrize("agent", [OTHER_FAMILY, OTHER_PLATFORM], ids=["other family", "other platform"])
def test_another_device_ends_the_session(firefox: Client, agent: str) -> None:
    assert leads_to_login(firefox.get(MINE, headers={"User-Agent": agent}))

    assert leads_to_login(firefox.get(MINE))
    assert AuditEvent.objects.filter(action="session.suspect", result="device_changed").count() == 1
    assert LoginSession.objects.get().revoked_because == "device_changed"


@pytest.mark.parametrize(
    "later", [{"headers": {"User-Agent": FIREFOX.replace("140.0", "141.0")}}, {"REMOTE_ADDR": "198.51.100.9"}]
)
def test_another_version_and_another_address_are_the_same_device(firefox: Client, later: Any) -> None:
    assert firefox.get(MINE, **later).status_code == 200
    assert firefox.get(MINE).status_code == 200


def test_a_token_of_the_api_opens_no_page(super_admin: User, sign_in: SignIn) -> None:
    caller = sign_in(super_admin)

    answer = Client(headers=caller.headers).get(MINE, headers={"Authorization": f"Bearer {caller.access}"})

    assert leads_to_login(answer)


def test_a_session_of_the_api_put_into_a_cookie_opens_no_page(super_admin: User, sign_in: SignIn) -> None:
    caller = sign_in(super_admin)
    client = Client(headers=caller.headers)
    client.force_login(super_admin)
    session = client.session
    session["login_session"] = caller.session_id
    session.save()

    assert leads_to_login(client.get(MINE))


def test_djangos_own_session_without_a_login_session_opens_nothing(super_admin: User) -> None:
    User.objects.filter(pk=super_admin.pk).update(is_staff=True, is_superuser=True)
    client = Client(headers={"User-Agent": FIREFOX})
    client.force_login(super_admin)

    assert leads_to_login(client.get(MINE))
    client.force_login(super_admin)
    answer = client.get("/django-admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/login/")


def test_django_s_admin_is_entered_by_the_one_door(super_admin: User, password: str) -> None:
    User.objects.filter(pk=super_admin.pk).update(is_staff=True, is_superuser=True)
    client = Client(headers={"User-Agent": FIREFOX})

    refused = client.post("/django-admin/login/", {"username": "ananya", "password": password})
    assert leads_to_login(refused)
    assert client.get("/django-admin/", follow=False).status_code == 302

    client.post("/login/", {"username": "ananya", "password": password})
    for path in ("user", "loginsession", "auditevent"):
        assert client.get(f"/django-admin/backups_app/{path}/").status_code == 200


def test_the_admin_lists_no_secret_and_lets_nobody_edit_the_trail(super_admin: User, password: str) -> None:
    User.objects.filter(pk=super_admin.pk).update(is_staff=True, is_superuser=True)
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/login/", {"username": "ananya", "password": password})
    session = LoginSession.objects.get()

    page = client.get(f"/django-admin/backups_app/loginsession/{session.pk}/change/")

    assert page.status_code == 200
    assert session.fingerprint not in page.content.decode()
    assert session.sid not in page.content.decode()
    assert client.post("/django-admin/backups_app/auditevent/1/change/", {"actor": "x"}).status_code == 403
    assert client.post("/django-admin/backups_app/auditevent/1/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/django-admin/backups_app/auditevent/add/").status_code == 403


@pytest.mark.parametrize("role", [2, None, 99])
def test_a_superuser_of_django_without_a_role_finds_no_way_up_in_djangos_admin(
    staff: User, password: str, role: int | None
) -> None:
    User.objects.filter(pk=staff.pk).update(is_staff=True, is_superuser=True, role_id=role)
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/login/", {"username": staff.username, "password": password})
    promoted = {"username": staff.username, "role_id": "0", "is_active": "on", "is_staff": "on", "is_superuser": "on"}

    changed = client.post(f"/django-admin/backups_app/user/{staff.pk}/change/", promoted)
    for path in ("", "backups_app/user/", "backups_app/auditevent/", f"backups_app/user/{staff.pk}/password/"):
        assert client.get(f"/django-admin/{path}").status_code == 302

    assert changed.status_code == 302
    assert User.objects.get(pk=staff.pk).role_id == role


def test_what_is_done_to_people_in_djangos_admin_is_on_record(super_admin: User, staff: User, password: str) -> None:
    User.objects.filter(pk=super_admin.pk).update(is_staff=True, is_superuser=True)
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/login/", {"username": "ananya", "password": password})
    place = f"/django-admin/backups_app/user/{staff.pk}"
    joined = {"date_joined_0": "2026-01-19", "date_joined_1": "09:00:00"}
    secret = "an-entirely-new-passphrase"

    client.post(f"{place}/change/", {"username": staff.username, "role_id": "1", "is_active": "on", **joined})
    client.post(f"{place}/password/", {"password1": secret, "password2": secret, "usable_password": "true"})
    client.post(f"{place}/delete/", {"post": "yes"})

    rows = list(AuditEvent.objects.filter(action__startswith="person.").order_by("n"))
    assert [(row.action, row.actor, row.target, row.details["role_id"]) for row in rows] == [
        ("person.change", "ananya", staff.username, 1),
        ("person.change", "ananya", staff.username, 1),
        ("person.delete", "ananya", staff.username, 1),
    ]
    assert secret not in repr([row.details for row in rows])
    assert not User.objects.filter(pk=staff.pk).exists()


@pytest.mark.parametrize("asked", ["actor=%00&action=%00", "actor=a%ED%A0%80"])
def test_a_nul_in_a_form_finds_nothing_also_where_the_database_knows_none(firefox: Client, asked: str) -> None:
    """A row for PostgreSQL, which refuses a NUL; SQLite does not mind."""
    with override_settings(TEMPLEOPS=Configuration()):
        assert firefox.get(f"/admin/backups/audit/?{asked}").status_code == 200
        assert firefox.post("/sessions/%00/revoke/").status_code == 404


def test_below_a_prefix_the_api_still_ignores_cookies(firefox: Client) -> None:
    with override_settings(FORCE_SCRIPT_NAME="/temple"):
        answer = firefox.get("/api/auth/sessions", SCRIPT_NAME="/temple")
        page = firefox.get(MINE, SCRIPT_NAME="/temple")

    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/json")
    assert page.status_code == 200


def test_the_session_of_a_page_is_none_of_the_api(super_admin: User, password: str) -> None:
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/login/", {"username": "ananya", "password": password})
    request = RequestFactory().get("/api/audit")
    request.login_session = LoginSession.objects.get()  # type: ignore[attr-defined]

    assert LoginSessionAuthentication().authenticate(APIView().initialize_request(request)) is None
