"""Every page stands behind a door, and the doors hold: sign-in, role, mode. A new address is tested by being there."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import URLPattern

from backups_app.configuration import Configuration
from backups_app.models import User
from backups_app.pages import urls
from tests.pages.conftest import signed_in

pytestmark = pytest.mark.django_db

FILLED = {
    "number": "1",
    "backup_id": "20250101_000000",
    "conflict_id": "0" * 64,
    "sid": "nobody",
    "run_id": "20250101_000000",
    "name": "nightly",
}
DOORS = {"admin", "super_admin", "signed_in", "open"}
OPEN = {"login", "logout", "preferences"}
SIGNED_IN = {"dashboard", "sessions", "revoke_session", "step_up", "account", "sign_out_everywhere"}
SUPER_ADMIN = {"people", "person"}


def patterns() -> list[URLPattern]:
    return [pattern for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)]


def door(pattern: URLPattern) -> str:
    view: Any = pattern.callback
    while view is not None and not hasattr(view, "door"):
        view = getattr(view, "__wrapped__", None)
    return getattr(view, "door", "none")


def address(pattern: URLPattern) -> str:
    text = str(pattern.pattern)
    for name, value in FILLED.items():
        text = text.replace(f"<str:{name}>", value)
    assert "<" not in text, f"say what {text} is filled with"
    return f"/{text}"


def admin_addresses() -> list[Any]:
    mine = OPEN | SIGNED_IN | SUPER_ADMIN
    return [pytest.param(address(one), id=str(one.name)) for one in patterns() if one.name not in mine]


def test_every_address_has_a_door_and_the_open_ones_are_meant() -> None:
    doors = {str(pattern.name): door(pattern) for pattern in patterns()}

    assert set(doors.values()) <= DOORS
    assert {name for name, kind in doors.items() if kind == "open"} == OPEN
    assert {name for name, kind in doors.items() if kind == "signed_in"} == SIGNED_IN
    assert {name for name, kind in doors.items() if kind == "super_admin"} == SUPER_ADMIN


def ask(browser: Client, where: str, **kwargs: Any) -> Any:
    """GET, or POST where only that is allowed."""
    answer = browser.get(where, **kwargs)
    return answer if answer.status_code != 405 else browser.post(where, **kwargs)


@pytest.mark.parametrize("where", admin_addresses())
def test_nobody_gets_in_unsigned(db: None, where: str) -> None:
    answer = ask(Client(), where)

    assert (answer.status_code, answer["Location"].split("?")[0]) == (303, "/login/")


@pytest.mark.parametrize("where", admin_addresses())
def test_other_roles_get_the_same_403_whether_it_exists_or_not(
    staff: User, configured: Configuration, where: str
) -> None:
    answer = ask(signed_in(staff), where)

    assert answer.status_code == 403
    assert "This page is for administrators" in answer.content.decode()


@pytest.mark.parametrize("where", admin_addresses())
def test_cloud_mode_refuses_everything_but_the_home(admin: User, configured: Configuration, where: str) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(configured, primary_database="cloud")):
        answer = ask(signed_in(admin), where)

    assert answer.status_code == (200 if where == "/admin/backups/" else 403)
    assert "Backup operations are only available in LOCAL mode" in answer.content.decode()


def test_a_superuser_without_a_role_stays_outside(stranger: User, configured: Configuration) -> None:
    assert signed_in(stranger).get("/admin/backups/").status_code == 403


def test_unknown_addresses_get_a_page_of_ours(admin_browser: Client) -> None:
    answer = admin_browser.get("/no/such/page/")

    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()
