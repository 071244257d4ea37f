"""The people of the demo, one of each role."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from backups_app.access.demo_people import PEOPLE, known_password
from backups_app.models import User


@dataclass(frozen=True, kw_only=True)
class DemoLogin:
    """Somebody who can sign in. `password` is empty for one who was there before."""

    username: str
    title: str
    role_id: int
    password: str


def make(*, known_passwords: bool) -> list[DemoLogin]:
    """Make those who are missing. Return all three.

    With `known_passwords` (the demo's own database only) everybody's is written in the README; otherwise each is
    made by chance and reported once.
    """
    return [_make(name, str(title), role_id, known_passwords) for name, title, role_id in PEOPLE]


def _make(username: str, title: str, role_id: int, known_passwords: bool) -> DemoLogin:
    known = known_password(username)
    if (person := User.objects.filter(username=username).first()) is not None:
        return DemoLogin(
            username=username, title=title, role_id=role_id, password=known if person.check_password(known) else ""
        )
    password = known if known_passwords else secrets.token_urlsafe(12)
    User.objects.create_user(
        username, password=password, role_id=role_id, first_name=username.title(),
        email=f"{username}@temple.example" if known_passwords else "",
    )  # fmt: skip
    return DemoLogin(username=username, title=title, role_id=role_id, password=password)
