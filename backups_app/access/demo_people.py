"""The people of the demo, whose names and passwords everybody may know."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

PEOPLE = (
    ("ananya", gettext_lazy("Super Admin"), 0),
    ("ravi", gettext_lazy("Admin"), 1),
    ("meena", gettext_lazy("Staff, no access to backups"), 3),
)
"""User name, title and role."""


def known_password(username: str) -> str:
    """Return the password of a person of the demo, as README and login page name it."""
    return f"{username}-at-the-temple"
