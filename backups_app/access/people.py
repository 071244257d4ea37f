"""People of the temple: adding one, and changing role, state or password. Every act is on record."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from backups_app import formats
from backups_app.access import granting
from backups_app.access.requests.visit import Visit
from backups_app.access.trail import audit
from backups_app.errors import LastSuperAdmin, NameTaken, NotYours, PasswordTooWeak, PersonNotFound
from backups_app.models import User

SHORTEST_PASSWORD = 10
ROLES = (User.SUPER_ADMIN, User.ADMIN, User.STAFF)


def every() -> list[User]:
    """Return all people, by name."""
    return list(User.objects.order_by("username"))


def find(person_id: str) -> User:
    """Return the person with this number. Raise `PersonNotFound`."""
    found = User.objects.filter(pk=int(person_id)).first() if person_id.isascii() and person_id.isdecimal() else None
    if found is None:
        raise PersonNotFound
    return found


def add(
    *, username: str, full_name: str, role_id: int | None, password: str, by: User, visit: Visit, now: datetime
) -> User:
    """Add a person. Raise `NameTaken`, also for a name that no account can have, `PasswordTooWeak`, `NotYours`."""
    if not granting.may_give_role(by=by, role_id=role_id):
        raise NotYours
    username = User.normalize_username(username)  # as the login reads it: one name, however its letters are composed
    _require_good(password, username=username)
    person = User(username=username, first_name=formats.one_line(full_name)[:150], role_id=role_id)
    if not username.isprintable() or not 0 < len(username) <= 150 or _is_taken(username):
        raise NameTaken
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        raise NameTaken from error
    _record("person.add", person, by=by, visit=visit, now=now, changed="")
    return person


def set_role(person: User, *, role_id: int | None, by: User, visit: Visit, now: datetime) -> None:
    """Give another role. Raise `NotYours`, `LastSuperAdmin`."""
    _require_may_touch(person, by=by)
    if not granting.may_give_role(by=by, role_id=role_id):
        raise NotYours
    with transaction.atomic():
        if role_id != User.SUPER_ADMIN:
            _require_another_super_admin(person)
        person.role_id = role_id
        person.save(update_fields=["role_id"])
    _record("person.change", person, by=by, visit=visit, now=now, changed="role_id")


def set_active(person: User, *, active: bool, by: User, visit: Visit, now: datetime) -> None:
    """Disable a person, whose sessions end with their next request, or let one in again. Raise as `set_role` does."""
    _require_may_touch(person, by=by)
    with transaction.atomic():
        if not active:
            _require_another_super_admin(person)
        person.is_active = active
        person.save(update_fields=["is_active"])
    _record("person.change", person, by=by, visit=visit, now=now, changed="is_active")


def set_password(person: User, *, password: str, by: User, visit: Visit, now: datetime) -> None:
    """Give a new password; it ends every session that stands on the old one. Raise `NotYours`, `PasswordTooWeak`."""
    _require_may_touch(person, by=by)
    _require_good(password, username=person.get_username())
    person.set_password(password)
    person.save(update_fields=["password"])
    _record("person.change", person, by=by, visit=visit, now=now, changed="password")


def _require_may_touch(person: User, *, by: User) -> None:
    if person.pk != by.pk and not granting.may_touch(by=by, person=person):
        raise NotYours


def _require_good(password: str, *, username: str) -> None:
    if len(password) < SHORTEST_PASSWORD or len(set(password)) < 5 or password.casefold() == username.casefold():
        raise PasswordTooWeak


def _require_another_super_admin(person: User) -> None:
    """Somebody must stay who can let the others in. The rows are locked, so that two do not remove each other."""
    others = User.objects.select_for_update().filter(role_id=User.SUPER_ADMIN, is_active=True)
    if person.role_id == User.SUPER_ADMIN and person.is_active and {one.pk for one in others} <= {person.pk}:
        raise LastSuperAdmin


def _is_taken(username: str) -> bool:
    return User.objects.filter(username__iexact=username).exists()


def _record(action: str, person: User, *, by: User, visit: Visit, now: datetime, changed: str) -> None:
    audit.record(
        actor=by.get_username(), origin=visit.origin, address=visit.address, action=action,
        target=person.get_username(), result="success", request_id=visit.request_id, now=now,
        details={"role_id": person.role_id, "is_active": person.is_active, "changed": changed},
    )  # fmt: skip
