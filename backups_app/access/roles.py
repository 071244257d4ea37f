"""Who may use Backup Management."""

from __future__ import annotations

from typing import Any

ALLOWED = (0, 1)


def may_manage_backups(user: Any) -> bool:
    """Return whether this user may use Backup Management: active, and `role_id` exactly the integer 0 or 1.

    `True`, `1.0`, `"0"` and None are refused, and `is_superuser` alone opens nothing.
    """
    role = getattr(user, "role_id", None)
    return getattr(user, "is_active", False) is True and type(role) is int and role in ALLOWED


def may_manage_people(user: Any) -> bool:
    """Return whether this user may add and change people: a Super Admin, `role_id` exactly the integer 0."""
    return may_manage_backups(user) and user.role_id == 0
