"""Account and People: one's own password and sessions; and, for Super Admins, everybody's role, state and password."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from backups_app.models import AuditEvent, LoginSession, User
from tests.conftest import PASSWORD
from tests.pages.conftest import signed_in

pytestmark = pytest.mark.django_db
NEW = "an-entirely-new-passphrase"
ADDED = {"username": "kavya", "full_name": "Kavya", "role_id": "1", "new_password": NEW, "password": PASSWORD}
CHANGE = {"password": PASSWORD, "new_password": NEW, "new_password_again": NEW}


def trail() -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(action__startswith="person.").order_by("n")
    return [(row.action, row.target, row.details["changed"]) for row in rows]


def can_sign_in(username: str, password: str) -> bool:
    answer = Client().post("/login/", {"username": username, "password": password})
    return answer.status_code == 303


def test_a_changed_password_keeps_this_session_and_ends_the_others(staff: User) -> None:
    here, elsewhere = signed_in(staff), signed_in(staff)

    answer = here.post("/account/", CHANGE)

    assert (answer.status_code, here.get("/account/?changed=1").status_code) == (303, 200)
    assert elsewhere.get("/account/").status_code == 303
    assert (can_sign_in("meena", NEW), can_sign_in("meena", PASSWORD)) == (True, False)
    assert trail() == [("person.change", "meena", "password")]
    assert NEW not in repr(list(AuditEvent.objects.values()))


def test_a_persons_name_is_one_line(super_admin: User) -> None:
    signed_in(super_admin).post("/people/", ADDED | {"full_name": "Kavya\r\nBcc: x@example.org\x1b[2J"})

    assert User.objects.get(username="kavya").first_name == "Kavya Bcc: x@example.org [2J"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({**CHANGE, "password": "wrong"}, "password"),
        ({**CHANGE, "new_password_again": "another"}, "new_password_again"),
        ({**CHANGE, "new_password": "short", "new_password_again": "short"}, "new_password"),
        ({**CHANGE, "new_password": "a" * 20, "new_password_again": "a" * 20}, "new_password"),
    ],
)
def test_a_password_that_is_not_changed_says_at_which_field(staff: User, form: dict[str, str], field: str) -> None:
    answer = signed_in(staff).post("/account/", form)

    message = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#{field}"' in message
    assert NEW not in message
    assert can_sign_in("meena", PASSWORD)


def test_account_holds_language_theme_and_devices(staff: User) -> None:
    message = signed_in(staff).get("/account/").content.decode()

    for piece in ('name="theme"', 'name="language"', "This one", "Sign out everywhere", 'name="new_password"'):
        assert piece in message


def test_sign_out_everywhere_ends_every_session(staff: User) -> None:
    here, elsewhere = signed_in(staff), signed_in(staff)

    assert here.post("/account/sign-out-everywhere/").status_code == 303

    assert not LoginSession.objects.filter(revoked_at=None).exists()
    assert elsewhere.get("/account/").status_code == 303


def test_a_super_admin_adds_a_person_who_can_sign_in(super_admin: User) -> None:
    browser = signed_in(super_admin)

    assert browser.post("/people/", ADDED).status_code == 303

    made = User.objects.get(username="kavya")
    assert (made.role_id, made.is_staff, made.is_superuser) == (1, False, False)
    assert can_sign_in("kavya", NEW)
    assert trail() == [("person.add", "kavya", "")]
    assert "kavya" in browser.get("/people/").content.decode()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"password": "wrong"}, 422), ({"password": ""}, 422), ({"username": "Ananya"}, 422), ({"username": ""}, 422),
        ({"username": "a\0b"}, 422), ({"new_password": "short"}, 422), ({"role_id": "-1"}, 422),
        ({"role_id": "0x"}, 422),
    ],
)  # fmt: skip
def test_who_cannot_be_added_is_not_and_the_form_keeps_what_was_typed(
    super_admin: User, change: dict[str, str], status: int
) -> None:
    answer = signed_in(super_admin).post("/people/", {**ADDED, **change})

    assert answer.status_code == status
    assert User.objects.count() == 1
    assert 'value="Kavya"' in answer.content.decode()
    assert NEW not in answer.content.decode()


def test_role_state_and_password_of_a_person_are_changed_and_on_record(super_admin: User, staff: User) -> None:
    browser, hers = signed_in(super_admin), signed_in(staff)
    place = f"/people/{staff.pk}/"

    for form in ({"act": "role", "role_id": "1"}, {"act": "password", "new_password": NEW}, {"act": "disable"}):
        assert browser.post(place, {**form, "password": PASSWORD}).status_code == 303
    assert hers.get("/account/").status_code == 303
    assert not can_sign_in("meena", NEW)
    assert browser.post(place, {"act": "enable", "password": PASSWORD}).status_code == 303

    assert can_sign_in("meena", NEW)
    assert User.objects.get(pk=staff.pk).role_id == 1
    assert [changed for _, _, changed in trail()] == ["role_id", "password", "is_active", "is_active"]


@pytest.mark.parametrize("form", [{"act": "role", "role_id": "0"}, {"act": "disable"}, {"act": "password"}])
def test_each_act_asks_for_the_password(super_admin: User, staff: User, form: dict[str, str]) -> None:
    browser = signed_in(super_admin)

    for password in ("", "wrong"):
        assert browser.post(f"/people/{staff.pk}/", {**form, "password": password}).status_code == 422

    now = User.objects.get(pk=staff.pk)
    assert (now.role_id, now.is_active, now.password) == (staff.role_id, True, staff.password)
    assert trail() == []


@pytest.mark.parametrize("form", [{"act": "disable"}, {"act": "role", "role_id": "1"}])
def test_the_last_super_admin_stays(super_admin: User, form: dict[str, str]) -> None:
    answer = signed_in(super_admin).post(f"/people/{super_admin.pk}/", {**form, "password": PASSWORD})

    assert "the last Super Admin" in answer.content.decode()
    now = User.objects.get(pk=super_admin.pk)
    assert (now.role_id, now.is_active) == (0, True)


def test_nobody_gives_a_password_to_one_with_more_of_djangos_rights(super_admin: User, admin: User) -> None:
    User.objects.filter(pk=admin.pk).update(is_superuser=True)

    answer = signed_in(super_admin).post(
        f"/people/{admin.pk}/", {"act": "password", "new_password": NEW, "password": PASSWORD}
    )

    assert "Nobody can grant more than they have" in answer.content.decode()
    assert not can_sign_in(admin.username, NEW)


def test_an_admin_of_role_one_manages_nobody_and_is_offered_nothing(admin: User, staff: User) -> None:
    browser = signed_in(admin)

    answers: list[Any] = [
        browser.get("/people/"),
        browser.post("/people/", ADDED),
        browser.post(f"/people/{staff.pk}/", {"act": "role", "role_id": "0", "password": PASSWORD}),
    ]

    assert [one.status_code for one in answers] == [403, 403, 403]
    assert 'href="/people/"' not in browser.get("/account/").content.decode()
    assert User.objects.get(pk=staff.pk).role_id == staff.role_id


@pytest.mark.parametrize("number", ["0", "nobody", "99999", "%00"])
def test_a_person_who_is_not_there_is_a_404(super_admin: User, number: str) -> None:
    answer = signed_in(super_admin).post(f"/people/{number}/", {"act": "disable", "password": PASSWORD})

    assert answer.status_code == 404


def test_a_name_is_one_however_its_letters_are_composed(super_admin: User) -> None:
    browser = signed_in(super_admin)
    given = {"role_id": "2", "new_password": "a-long-enough-one", "password": PASSWORD}

    first = browser.post("/people/", given | {"username": "Rene\u0301"})
    second = browser.post("/people/", given | {"username": "ren\u00e9"})

    assert (first.status_code, second.status_code) == (303, 422)
    assert User.objects.filter(username="Ren\u00e9").exists()


def test_nobody_ends_the_sessions_of_a_higher_role(super_admin: User, admin: User) -> None:
    admin.is_staff = True
    admin.save()
    admin.user_permissions.add(Permission.objects.get(codename="view_loginsession"))
    signed_in(super_admin)
    browser = signed_in(admin)
    theirs = LoginSession.objects.get(user=super_admin)
    ours = LoginSession.objects.get(user=admin)

    chosen = {"action": "end_sessions", "_selected_action": [theirs.pk, ours.pk]}
    browser.post("/django-admin/backups_app/loginsession/", chosen)
    theirs.refresh_from_db()
    ours.refresh_from_db()

    assert theirs.revoked_at is None
    assert ours.revoked_at is not None
