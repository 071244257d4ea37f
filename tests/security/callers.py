"""The thirteen callers of the matrix, signed in as they were before what locks them out happened to them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone

from backups_app.access.requests import visit
from backups_app.access.signing_in import page_login, sessions, tokens
from backups_app.configuration import Configuration
from backups_app.models import LoginSession, User
from backups_app.records import Origin
from tests.security.conftest import FIREFOX, Caller
from tests.security.matrix import CALLERS, Mode, Row, Who

PASSWORD = "the password of every caller"
FACTS = visit.Visit(origin=Origin.WEB, address="127.0.0.1", user_agent=FIREFOX)


def every_caller(test: Any) -> Any:
    """Run a test for each of the thirteen callers, as `who`."""
    return pytest.mark.parametrize("who", CALLERS, ids=lambda who: who.name)(test)


def every_column(test: Any) -> Any:
    """Run a test for each caller in each mode, as `who` and `mode`: a column of the matrix, with one session for all of
    its rows."""
    return pytest.mark.parametrize("mode", Mode)(every_caller(test))


def every_row(rows: Sequence[Row], look: Callable[[Row, pytest.MonkeyPatch], None]) -> None:
    """Look at the cell of each row in a column. What it wrote and patched is undone after it.

    Raise AssertionError with the first fault of each cell that has one.
    """
    faults: list[tuple[str, str]] = []
    for row in rows:
        with pytest.MonkeyPatch.context() as monkeypatch, transaction.atomic():
            try:
                look(row, monkeypatch)
            except AssertionError as fault:
                faults.append((row.name, str(fault)))
            transaction.set_rollback(True)
    assert faults == [], faults


def in_mode(mode: Mode) -> Any:
    """The program in this mode, without any server."""
    return override_settings(TEMPLEOPS=Configuration(primary_database=mode.value))


@functools.cache
def hashed_password() -> str:
    """Once: argon2 is slow, as it should be."""
    return make_password(PASSWORD)


def api_caller(who: Who, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """This caller with a token of the API."""
    if not who.signed_in:
        return Caller("", "", "no-such-session", headers={"User-Agent": FIREFOX})
    session = _session_of(who, LoginSession.Face.API, monkeypatch)
    pair = tokens.issue(session=session, now=timezone.now())
    return Caller(pair.access, pair.refresh, session.sid, headers={"User-Agent": FIREFOX})


def browser_of(who: Who, monkeypatch: pytest.MonkeyPatch) -> Client:
    """This caller's browser, with a cookie of the pages."""
    client = _a_client()
    client.cookies.clear()
    if who.signed_in:
        session = _session_of(who, LoginSession.Face.PAGES, monkeypatch)
        client.force_login(session.user)
        kept = client.session
        kept[page_login.SID] = session.sid
        kept.save()
    return client


@functools.cache
def _a_client() -> Client:
    """One for all: each new one would look through the static files again."""
    return Client(headers={"User-Agent": FIREFOX})


def _session_of(who: Who, face: LoginSession.Face, monkeypatch: pytest.MonkeyPatch) -> LoginSession:
    """Sign in without the login; then let happen what locks this caller out."""
    now = timezone.now()
    user = User.objects.create(username="caller", role_id=who.role_id, password=hashed_password())
    session = sessions.open_session(user=user, face=face, visit=FACTS, now=now)
    User.objects.filter(pk=user.pk).update(**who.fields)
    if who.revoked:
        sessions.log_out(session, visit=FACTS, now=now)
    if who.odd_role is not ...:
        _give_odd_role(who.odd_role, monkeypatch)
    return session


def _give_odd_role(role: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the model, on the loaded user: the database would not keep it."""
    authenticate = sessions.authenticate

    def verified(**given: Any) -> LoginSession:
        found = authenticate(**given)
        found.user.role_id = role
        return found

    monkeypatch.setattr(sessions, "authenticate", verified)
