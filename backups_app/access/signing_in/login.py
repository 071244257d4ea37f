"""Proving who one is: one neutral answer, the same work for unknown names, and a limit on guessing."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth import authenticate

from backups_app.access.requests.visit import Visit
from backups_app.access.signing_in import sessions, throttle
from backups_app.access.trail import audit
from backups_app.errors import LoginRefused
from backups_app.models import LoginSession, User

LONGEST_NAME = 150
LONGEST_PASSWORD = 4096
"""Argon2 takes any length, and takes its time: nobody needs more than this."""


def prove(*, username: str, password: str, visit: Visit, now: datetime) -> User:
    """Return the active user with this name and password.

    Raise RateLimited before the password is even looked at, LoginRefused for every other reason: unknown, wrong,
    disabled. Django's backend runs the hasher once in each case.
    """
    row = throttle.count_try(username=username, address=visit.address, now=now)
    user = authenticate(username=_plain(username), password=password[:LONGEST_PASSWORD])
    if not isinstance(user, User):
        _record_failure(username=username, visit=visit, now=now)
        raise LoginRefused
    throttle.forgive(row)
    return user


def reauthenticate(*, session: LoginSession, password: str, visit: Visit, now: datetime) -> None:
    """Step-up: the person behind this session types the password again. Raise as `prove` does."""
    prove(username=session.user.get_username(), password=password, visit=visit, now=now)
    LoginSession.objects.filter(pk=session.pk).update(authenticated_at=now)
    session.authenticated_at = now
    sessions.note(session, action="step_up", result="success", visit=visit, now=now)


def _plain(username: str) -> str:
    """A name no account can have stays such a name: control characters would be an error of the database."""
    return username if username.isprintable() and len(username) <= LONGEST_NAME else ""


def _record_failure(*, username: str, visit: Visit, now: datetime) -> None:
    """Names that are no account are not written down: people type passwords where names belong."""
    known = User.objects.filter(username=_plain(username)).exists()
    audit.record(
        actor=username if known else "(unknown)", origin=visit.origin, address=visit.address, action="login",
        result="refused", request_id=visit.request_id, now=now,
    )  # fmt: skip
