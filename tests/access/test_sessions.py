"""A session is worth what it is worth now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backups_app.access.requests.visit import Visit
from backups_app.access.signing_in import sessions, tokens
from backups_app.errors import LoginSessionNotFound, NotAuthenticated, StepUpNeeded
from backups_app.models import AuditEvent, LoginSession, RefreshToken, User

SECOND = timedelta(seconds=1)


@pytest.fixture
def session(admin: User, visit: Visit, now: datetime) -> LoginSession:
    """An admin's, just opened."""
    return sessions.open_session(user=admin, face=LoginSession.Face.API, visit=visit, now=now)


def test_two_logins_are_two_sessions_with_names_nobody_can_guess(admin: User, visit: Visit, now: datetime) -> None:
    first, second = (
        sessions.open_session(user=admin, face=LoginSession.Face.API, visit=visit, now=now) for _ in range(2)
    )

    assert first.sid != second.sid
    assert len(first.sid) == 43


@pytest.mark.parametrize(
    ("after", "good"),
    [(sessions.IDLE - SECOND, True), (sessions.IDLE, False), (sessions.IDLE + SECOND, False)],
)
def test_idle_for_half_an_hour_ends_it(
    session: LoginSession, visit: Visit, now: datetime, after: timedelta, good: bool
) -> None:
    if good:
        assert sessions.authenticate(sid=session.sid, visit=visit, now=now + after) == session
        return
    with pytest.raises(NotAuthenticated):
        sessions.authenticate(sid=session.sid, visit=visit, now=now + after)


@pytest.mark.parametrize(("after", "good"), [(sessions.ABSOLUTE - SECOND, True), (sessions.ABSOLUTE + SECOND, False)])
def test_twelve_hours_end_it_however_busy(
    session: LoginSession, visit: Visit, now: datetime, after: timedelta, good: bool
) -> None:
    moment = now
    while moment < now + after - timedelta(minutes=21):
        moment += timedelta(minutes=20)
        sessions.touch(sessions.authenticate(sid=session.sid, visit=visit, now=moment), now=moment)

    if good:
        assert sessions.authenticate(sid=session.sid, visit=visit, now=now + after)
        return
    with pytest.raises(NotAuthenticated):
        sessions.authenticate(sid=session.sid, visit=visit, now=now + after)


def test_another_device_ends_it_for_good_and_leaves_a_trace(session: LoginSession, visit: Visit, now: datetime) -> None:
    with pytest.raises(NotAuthenticated):
        sessions.authenticate(sid=session.sid, visit=replace(visit, user_agent="curl/8.5"), now=now)

    with pytest.raises(NotAuthenticated):
        sessions.authenticate(sid=session.sid, visit=visit, now=now)
    assert AuditEvent.objects.filter(action="session.suspect", result="device_changed").count() == 1


def test_a_changed_password_ends_it_for_good(session: LoginSession, visit: Visit, admin: User, now: datetime) -> None:
    before = admin.password
    admin.set_password("another-long-password")
    admin.save()
    with pytest.raises(NotAuthenticated):
        sessions.authenticate(sid=session.sid, visit=visit, now=now)

    User.objects.filter(pk=admin.pk).update(password=before)
    with pytest.raises(NotAuthenticated):
        sessions.authenticate(sid=session.sid, visit=visit, now=now)


def test_a_disabled_user_does_not_come_back_to_the_old_session(
    session: LoginSession, visit: Visit, admin: User, now: datetime
) -> None:
    User.objects.filter(pk=admin.pk).update(is_active=False)
    with pytest.raises(NotAuthenticated):
        sessions.authenticate(sid=session.sid, visit=visit, now=now)

    User.objects.filter(pk=admin.pk).update(is_active=True)
    with pytest.raises(NotAuthenticated):
        sessions.authenticate(sid=session.sid, visit=visit, now=now)


def test_the_role_is_the_one_in_the_database_now(
    session: LoginSession, visit: Visit, admin: User, now: datetime
) -> None:
    User.objects.filter(pk=admin.pk).update(role_id=3)

    assert sessions.authenticate(sid=session.sid, visit=visit, now=now).user.role_id == 3


def test_one_revokes_ones_own_and_an_administrator_anybodys(
    session: LoginSession, visit: Visit, super_admin: User, staff: User, now: datetime
) -> None:
    own = sessions.open_session(user=staff, face=LoginSession.Face.PAGES, visit=visit, now=now)

    sessions.revoke(sid=own.sid, by=staff, visit=visit, now=now)
    sessions.revoke(sid=session.sid, by=super_admin, visit=visit, now=now)

    reasons = dict(LoginSession.objects.values_list("sid", "revoked_because"))
    assert reasons == {own.sid: "revoked", session.sid: "revoked_by_admin"}
    assert AuditEvent.objects.filter(action="session.revoke", actor="ananya", target="ravi").count() == 1


@pytest.mark.parametrize("known", [True, False])
def test_anybody_elses_looks_like_one_that_is_not_there(
    session: LoginSession, visit: Visit, staff: User, now: datetime, known: bool
) -> None:
    with pytest.raises(LoginSessionNotFound):
        sessions.revoke(sid=session.sid if known else "unknown", by=staff, visit=visit, now=now)
    assert sessions.authenticate(sid=session.sid, visit=visit, now=now)


def test_my_sessions_are_the_live_ones_of_mine(
    session: LoginSession, visit: Visit, admin: User, staff: User, now: datetime
) -> None:
    later = now + timedelta(minutes=10)
    newer = sessions.open_session(user=admin, face=LoginSession.Face.PAGES, visit=visit, now=later)
    ended = sessions.open_session(user=admin, face=LoginSession.Face.PAGES, visit=visit, now=later)
    sessions.log_out(ended, visit=visit, now=later)
    sessions.open_session(user=staff, face=LoginSession.Face.PAGES, visit=visit, now=later)

    assert sessions.my_sessions(user=admin, now=later) == [newer, session]
    assert sessions.my_sessions(user=admin, now=now + sessions.IDLE) == [newer]


def test_a_password_is_asked_again_after_fifteen_minutes(session: LoginSession, now: datetime) -> None:
    sessions.require_fresh(session, now + sessions.STEP_UP_AFTER)

    with pytest.raises(StepUpNeeded):
        sessions.require_fresh(session, now + sessions.STEP_UP_AFTER + SECOND)


def test_rows_of_a_month_ago_are_swept_with_their_tokens(
    session: LoginSession, visit: Visit, admin: User, now: datetime
) -> None:
    tokens.issue(session=session, now=now)
    sessions.open_session(user=admin, face=LoginSession.Face.API, visit=visit, now=now + timedelta(days=29))
    assert RefreshToken.objects.count() == 1

    sessions.open_session(user=admin, face=LoginSession.Face.API, visit=visit, now=now + timedelta(days=31))

    assert LoginSession.objects.count() == 2
    assert RefreshToken.objects.count() == 0
