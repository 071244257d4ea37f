"""Who may change which person, and what one person may give to another: nobody grants more than they have.

A role outranks all with a larger number; having none is the lowest. Django's rights count beside it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission

from backups_app.models import User

LOWEST = float("inf")


def may_touch(*, by: User, person: User) -> bool:
    """Return whether `by` may change, disable or remove this person, or give them a password: who sets a password can
    sign in with it, so the person may have nothing that `by` has not."""
    if rank(person.role_id) < rank(by.role_id) or (person.is_superuser and not by.is_superuser):
        return False
    return has_all(by=by, permissions=_held(person))


def may_give_role(*, by: User, role_id: int | None) -> bool:
    """Return whether `by` may give this role: a whole number from 0 on, not above one's own, or none at all."""
    return role_id is None or (role_id >= 0 and rank(role_id) >= rank(by.role_id))


def has_all(*, by: User, permissions: Iterable[Permission]) -> bool:
    """Return whether `by` has every one of Django's permissions named."""
    return all(by.has_perm(f"{one.content_type.app_label}.{one.codename}") for one in permissions)


def of_groups(groups: Iterable[Group]) -> Iterable[Permission]:
    """Return the permissions that membership in these groups gives."""
    return Permission.objects.filter(group__in=list(groups)).select_related("content_type").distinct()


def rank(role_id: int | None) -> float:
    """Return the place of a role: 0 stands above all, a role that is none of ours below all."""
    return role_id if role_id is not None and role_id >= 0 else LOWEST


def _held(person: User) -> Iterable[Permission]:
    own = person.user_permissions.select_related("content_type")
    return [*own, *of_groups(person.groups.all())]
