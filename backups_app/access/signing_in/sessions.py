"""Login sessions: one row a login, authenticated again at every request, for pages and API alike."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare

from backups_app.access import roles
from backups_app.access.requests.visit import Visit
from backups_app.access.signing_in import fingerprint
from backups_app.access.trail import audit
from backups_app.errors import LoginSessionNotFound, NotAuthenticated, StepUpNeeded
from backups_app.models import LoginSession, User

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
STEP_UP_AFTER = timedelta(minutes=15)
KEPT = timedelta(days=30)
"""So long rows of sessions are kept, with the hashes of their refresh tokens. The audit trail is kept for good."""
TOUCH_EVERY = timedelta(seconds=5)
"""Requests closer together than this share one write of `last_seen_at`."""


def open_session(*, user: User, face: LoginSession.Face, visit: Visit, now: datetime) -> LoginSession:
    """Given a user who has just proved who they are, return a new session with a new random `sid`."""
    LoginSession.objects.filter(created_at__lt=now - KEPT).delete()
    has_device_id = visit.device_id is not None
    session = LoginSession.objects.create(
        sid=secrets.token_urlsafe(32),
        user=user,
        face=face,
        created_at=now,
        last_seen_at=now,
        authenticated_at=now,
        device=fingerprint.device(visit),
        fingerprint=fingerprint.fingerprint_of(visit, with_device_id=has_device_id),
        has_device_id=has_device_id,
        auth_hash=user.get_session_auth_hash(),
        address=visit.address,
    )
    note(session, action="login", result="success", visit=visit, now=now)
    return session


def authenticate(*, sid: str, visit: Visit, now: datetime) -> LoginSession:
    """Return the session `sid` with its user, as they are in the database at this moment.

    Raise NotAuthenticated when it is unknown, revoked, idle for 30 minutes or 12 hours old, when its user is disabled
    or gone or has another password, or when the device is another one. The last three revoke it for good.
    """
    session = LoginSession.objects.select_related("user").filter(sid=sid).first()
    if session is None or session.revoked_at or _is_over(session, now):
        raise NotAuthenticated
    if not session.user.is_active:
        _end(session, because="user_disabled", now=now)
        raise NotAuthenticated
    if not constant_time_compare(session.auth_hash, session.user.get_session_auth_hash()):
        _end(session, because="password_changed", now=now)
        raise NotAuthenticated
    if not fingerprint.same(visit, fingerprint=session.fingerprint, with_device_id=session.has_device_id):
        end_as_suspect(session, because="device_changed", visit=visit, now=now)
        raise NotAuthenticated
    return session


def touch(session: LoginSession, *, now: datetime) -> None:
    """Somebody is there: restart the idle time. Polling for progress or status must not come here."""
    if now - session.last_seen_at >= TOUCH_EVERY:
        LoginSession.objects.filter(pk=session.pk).update(last_seen_at=now)
        session.last_seen_at = now


def is_fresh(session: LoginSession, now: datetime) -> bool:
    """Return whether the password was typed within the last 15 minutes."""
    return now - session.authenticated_at <= STEP_UP_AFTER


def require_fresh(session: LoginSession, now: datetime) -> None:
    """Raise StepUpNeeded when the login is older than 15 minutes."""
    if not is_fresh(session, now):
        raise StepUpNeeded


def my_sessions(*, user: User, now: datetime) -> list[LoginSession]:
    """Return the live sessions of this user, newest first."""
    return list(_live(user.login_sessions.all(), now).order_by("-created_at"))


def revoke(*, sid: str, by: User, visit: Visit, now: datetime) -> None:
    """End one session: one's own or, for an administrator, anybody's. Raise LoginSessionNotFound otherwise."""
    session = LoginSession.objects.select_related("user").filter(sid=audit.storable(sid)).first()
    if session is None or (session.user_id != by.pk and not roles.may_manage_backups(by)):
        raise LoginSessionNotFound
    own = session.user_id == by.pk
    if _end(session, because="revoked" if own else "revoked_by_admin", now=now):
        note(session, action="session.revoke", result="success", visit=visit, now=now, actor=by.get_username())


def revoke_all(*, user: User, by: User, visit: Visit, now: datetime) -> int:
    """End every session of this user. Return how many were ended."""
    ended = LoginSession.objects.filter(user=user, revoked_at=None).update(revoked_at=now, revoked_because="revoke_all")
    audit.record(
        actor=by.get_username(), origin=visit.origin, address=visit.address, action="session.revoke_all",
        target=user.get_username(), result="success", request_id=visit.request_id, now=now, details={"ended": ended},
    )  # fmt: skip
    return ended


def log_out(session: LoginSession, *, visit: Visit, now: datetime) -> None:
    """End this session."""
    if _end(session, because="logout", now=now):
        note(session, action="logout", result="success", visit=visit, now=now)


def end_as_suspect(session: LoginSession, *, because: str, visit: Visit, now: datetime) -> None:
    """End a session that somebody else seems to use, and leave a trace of it."""
    if _end(session, because=because, now=now):
        note(session, action="session.suspect", result=because, visit=visit, now=now)


def note(
    session: LoginSession, *, action: str, result: str, visit: Visit, now: datetime, actor: str | None = None
) -> None:
    """Record something that happened to this session."""
    audit.record(
        actor=actor or session.user.get_username(), origin=visit.origin, address=visit.address, session=session.sid,
        action=action, target=session.user.get_username(), result=result, request_id=visit.request_id, now=now,
        details={"face": session.face, "device": fingerprint.device(visit)},
    )  # fmt: skip


def _is_over(session: LoginSession, now: datetime) -> bool:
    return now - session.created_at >= ABSOLUTE or now - session.last_seen_at >= IDLE


def _live(rows: QuerySet[LoginSession], now: datetime) -> QuerySet[LoginSession]:
    return rows.filter(Q(revoked_at=None), created_at__gt=now - ABSOLUTE, last_seen_at__gt=now - IDLE)


def _end(session: LoginSession, *, because: str, now: datetime) -> bool:
    """Revoke the row once, the one who comes first. Return whether it was this call."""
    ended = LoginSession.objects.filter(pk=session.pk, revoked_at=None).update(revoked_at=now, revoked_because=because)
    session.revoked_at = session.revoked_at or now
    return ended == 1
