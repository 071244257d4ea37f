"""Exactly the integers 0 and 1, and active."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from backups_app.access import roles
from backups_app.models import User


@pytest.mark.parametrize("role_id", [0, 1])
def test_super_admin_and_admin_may(role_id: int) -> None:
    assert roles.may_manage_backups(User(role_id=role_id))


@pytest.mark.parametrize("role_id", [2, 3, 99, -1, None, "0", "1", True, False, 0.0, 1.0, [0], b"0"])
def test_every_other_value_is_refused(role_id: Any) -> None:
    assert not roles.may_manage_backups(User(role_id=role_id))


def test_a_superuser_of_django_is_refused_without_the_role() -> None:
    assert not roles.may_manage_backups(User(role_id=2, is_superuser=True, is_staff=True))


@pytest.mark.parametrize("is_active", [False, None, "yes"])
def test_a_disabled_admin_is_refused(is_active: Any) -> None:
    assert not roles.may_manage_backups(User(role_id=0, is_active=is_active))


def test_nobody_is_refused() -> None:
    assert not roles.may_manage_backups(AnonymousUser())


@pytest.mark.parametrize("role_id", [True, "0", 1.0])
def test_the_database_is_not_given_what_it_would_turn_into_an_admin(db: None, role_id: Any) -> None:
    with pytest.raises(ValueError, match="whole number"):
        User.objects.create_user("eve", password="x" * 20, role_id=role_id)


def test_createsuperuser_makes_a_super_admin(db: None) -> None:
    assert User.objects.create_superuser("ananya", None, "x" * 20).role_id == 0
