"""Login, logout and step-up of the pages: Django's session cookie in front, the same login-session row behind it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.auth import login as start_cookie_session
from django.contrib.auth import logout as end_cookie_session
from django.http import HttpRequest

from backups_app.access.requests import visit
from backups_app.access.signing_in import login, sessions
from backups_app.errors import NotAuthenticated
from backups_app.models import LoginSession, User
from backups_app.records import Origin

SID = "login_session"
"""The key under which the cookie's session keeps the `sid`. It never leaves the server."""


def log_in(request: HttpRequest, *, username: str, password: str, now: datetime) -> User:
    """Sign in by cookie and return the user. Raise LoginRefused or RateLimited: one sentence each, show `detail`.

    The cookie's key and the CSRF token are new ones, whatever the browser brought along.
    """
    facts = visit.visit_of(request, origin=Origin.WEB)
    user = login.prove(username=username, password=password, visit=facts, now=now)
    end_current(request, now=now)
    session = sessions.open_session(user=user, face=LoginSession.Face.PAGES, visit=facts, now=now)
    request.session.clear_expired()
    start_cookie_session(request, user)
    request.session[SID] = session.sid
    request.login_session = session  # type: ignore[attr-defined]
    return user


def log_out(request: HttpRequest, *, now: datetime) -> None:
    """Sign out: the row is revoked, the cookie's session is gone."""
    end_current(request, now=now)
    end_cookie_session(request)


def current(request: HttpRequest) -> LoginSession | None:
    """Return the login session behind this request, or None. PageSessionMiddleware has authenticated it."""
    return getattr(request, "login_session", None)


def authenticate(request: HttpRequest, *, now: datetime) -> LoginSession | None:
    """For the middleware: the live session of this cookie, or None, and then the cookie's session is emptied."""
    sid = request.session.get(SID, "")
    if not sid and not request.user.is_authenticated:
        return None
    try:
        session = sessions.authenticate(sid=sid, visit=visit.visit_of(request, origin=Origin.WEB), now=now)
        # By the id alone: `request.user` would be read a second time.
        if session.face != LoginSession.Face.PAGES or str(session.user_id) != request.session.get(SESSION_KEY):
            raise NotAuthenticated
    except NotAuthenticated:
        end_cookie_session(request)
        return None
    return session


def reauthenticate(request: HttpRequest, *, password: str, now: datetime) -> None:
    """Step-up: take the password again. Raise LoginRefused or RateLimited, NotAuthenticated without a session."""
    session = current(request)
    if session is None:
        raise NotAuthenticated
    facts = visit.visit_of(request, origin=Origin.WEB)
    login.reauthenticate(session=session, password=password, visit=facts, now=now)


def end_current(request: HttpRequest, *, now: datetime) -> None:
    """End the login session behind this request, if there is one."""
    session = current(request)
    if session is not None:
        sessions.log_out(session, visit=visit.visit_of(request, origin=Origin.WEB), now=now)
