"""Django's admin asks for a fresh login before an act, and nobody grants more there than they have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from backups_app.models import LoginSession, User
from tests.security.conftest import FIREFOX

pytestmark = pytest.mark.django_db
USERS = "/django-admin/backups_app/user"
JOINED = {"date_joined_0": "2026-01-19", "date_joined_1": "09:00:00"}
SECRET = "an-entirely-new-passphrase"
NEW = {"username": "mallory", "role_id": "0", "password1": SECRET, "password2": SECRET, "usable_password": "true"}


def rights(*names: str) -> list[Permission]:
    return list(Permission.objects.filter(codename__in=names))


def enter(user: User, password: str) -> Client:
    client = Client(headers={"User-Agent": FIREFOX})
    assert client.post("/login/", {"username": user.username, "password": password}).status_code == 303
    return client


@pytest.fixture
def root(super_admin: User, password: str, clock: Any) -> Client:
    """A Super Admin whom Django's admin lets do everything."""
    User.objects.filter(pk=super_admin.pk).update(is_staff=True, is_superuser=True)
    return enter(super_admin, password)


@pytest.fixture
def helper(admin: User, password: str) -> Client:
    """An Admin who may add and change people and groups, and is no superuser."""
    User.objects.filter(pk=admin.pk).update(is_staff=True)
    admin.user_permissions.set(
        rights("view_user", "add_user", "change_user", "delete_user", "view_group", "change_group", "add_group")
    )
    return enter(admin, password)


def age_the_login(clock: Any) -> None:
    clock.shift(timedelta(minutes=15, seconds=1))


ACTS = {
    "add": (f"{USERS}/add/", NEW),
    "change": (USERS + "/{staff}/change/", {"username": "meena", "role_id": "0", "is_active": "on", **JOINED}),
    "password": (USERS + "/{staff}/password/", {"password1": SECRET, "password2": SECRET, "usable_password": "true"}),
    "delete": (USERS + "/{staff}/delete/", {"post": "yes"}),
    "in bulk": (f"{USERS}/", {"action": "delete_selected", "_selected_action": "{staff}", "post": "yes"}),
    "end sessions": (
        "/django-admin/backups_app/loginsession/", {"action": "end_sessions", "_selected_action": "{session}"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_an_old_login_does_nothing_and_is_asked_for_the_password(
    root: Client, staff: User, clock: Any, password: str, act: str
) -> None:
    before = (staff.password, User.objects.count())
    facts = {"staff": str(staff.pk), "session": str(LoginSession.objects.get().pk)}
    path, form = ACTS[act]
    path, form = path.format(**facts), {name: value.format(**facts) for name, value in form.items()}
    age_the_login(clock)

    answer = root.post(path, form)

    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/step-up/")
    now = User.objects.get(pk=staff.pk)
    assert (now.password, User.objects.count(), now.role_id, now.is_active) == (*before, staff.role_id, True)
    assert LoginSession.objects.get().revoked_at is None

    asked = root.get(answer.headers["Location"])
    assert 'name="password"' in asked.content.decode()
    wrong = root.post("/step-up/", {"next": path, "password": "not it"})
    assert (wrong.status_code, "Error:" in wrong.content.decode()) == (422, True)
    right = root.post("/step-up/", {"next": path, "password": password})
    assert (right.status_code, right.headers["Location"]) == (303, path)
    assert root.post(path, form).status_code in (200, 302)


def test_an_old_login_may_still_look_and_is_asked_before_it_fills_a_form_in(
    root: Client, staff: User, clock: Any
) -> None:
    age_the_login(clock)

    assert root.get(f"{USERS}/").status_code == 200
    assert root.get(f"{USERS}/add/").status_code == 303
    assert root.get(f"{USERS}/{staff.pk}/change/").status_code == 303


def test_the_password_question_leads_to_no_other_site(root: Client, password: str) -> None:
    answer = root.post("/step-up/", {"next": "https://evil.example/", "password": password})

    assert answer.headers["Location"] == "/"


def test_an_admin_makes_themselves_neither_superuser_nor_super_admin(helper: Client, admin: User) -> None:
    mine = {"username": "ravi", "is_active": "on", "is_staff": "on", **JOINED}
    own = [str(one.pk) for one in admin.user_permissions.all()]
    more = [*own, str(rights("delete_group")[0].pk)]

    helper.post(f"{USERS}/{admin.pk}/change/", {**mine, "role_id": "1", "is_superuser": "on", "user_permissions": own})
    for form in ({"role_id": "0", "user_permissions": own}, {"role_id": "1", "user_permissions": more},
                 {"role_id": "-1", "user_permissions": own}):  # fmt: skip
        refused = helper.post(f"{USERS}/{admin.pk}/change/", {**mine, **form})
        assert (refused.status_code, "Nobody can grant" in refused.content.decode()) == (200, True)

    now = User.objects.get(pk=admin.pk)
    assert (now.is_superuser, now.role_id) == (False, 1)
    assert {one.codename for one in now.user_permissions.all()} == {
        one.codename for one in Permission.objects.filter(pk__in=own)
    }


def test_an_admin_makes_no_super_admin_and_may_make_an_admin(helper: Client) -> None:
    assert helper.post(f"{USERS}/add/", NEW).status_code == 200
    assert not User.objects.filter(username="mallory").exists()

    assert helper.post(f"{USERS}/add/", {**NEW, "role_id": "1"}).status_code == 302
    assert User.objects.get(username="mallory").role_id == 1


@pytest.mark.parametrize("act", ["change", "password", "delete"])
def test_an_admin_does_nothing_to_a_super_admin(helper: Client, super_admin: User, act: str) -> None:
    form = {"username": "ananya", "post": "yes", "password1": SECRET, "password2": SECRET, **JOINED}

    answer = helper.post(f"{USERS}/{super_admin.pk}/{act}/", form)

    now = User.objects.get(pk=super_admin.pk)
    assert answer.status_code == 403
    assert (now.password, now.is_active, now.role_id) == (super_admin.password, True, 0)


def test_an_admin_does_nothing_to_one_with_more_of_djangos_rights(helper: Client, staff: User) -> None:
    group = Group.objects.create(name="the powerful")
    group.permissions.set(rights("delete_group"))
    staff.groups.add(group)

    answer = helper.post(f"{USERS}/{staff.pk}/password/", {"password1": SECRET, "password2": SECRET})

    assert answer.status_code == 403
    assert User.objects.get(pk=staff.pk).password == staff.password


def test_an_admin_removes_nobody_above_them_in_bulk(helper: Client, super_admin: User) -> None:
    helper.post(f"{USERS}/", {"action": "delete_selected", "_selected_action": str(super_admin.pk), "post": "yes"})

    assert User.objects.filter(pk=super_admin.pk).exists()


def test_a_group_is_no_way_up(helper: Client, admin: User) -> None:
    strong = Group.objects.create(name="the powerful")
    strong.permissions.set(rights("delete_group"))
    weak = Group.objects.create(name="the harmless")
    groups = "/django-admin/auth/group"

    mine = {"username": "ravi", "role_id": "1", "is_active": "on", "is_staff": "on", **JOINED}
    own = [str(one.pk) for one in admin.user_permissions.all()]
    joined = helper.post(f"{USERS}/{admin.pk}/change/", {**mine, "user_permissions": own, "groups": [str(strong.pk)]})
    widened = helper.post(
        f"{groups}/{weak.pk}/change/", {"name": "the harmless", "permissions": [str(rights("delete_group")[0].pk)]}
    )
    renamed = helper.post(f"{groups}/{strong.pk}/change/", {"name": "mine", "permissions": []})

    assert (joined.status_code, widened.status_code, renamed.status_code) == (200, 200, 403)
    assert not admin.groups.exists()
    assert not weak.permissions.exists()


def test_signing_out_there_ends_the_login_session_too(root: Client) -> None:
    assert root.post("/django-admin/logout/").status_code == 303

    assert LoginSession.objects.get().revoked_because == "logout"
