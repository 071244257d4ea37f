"""Login sessions over the API: a session is authenticated again at every request (`docs/security.md`)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.utils import timezone

from backups_app.access.requests import visit
from backups_app.access.signing_in import sessions, tokens
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import NotAuthenticated
from backups_app.models import AuditEvent, LoginSession, RefreshToken, User
from backups_app.records import Origin
from tests.security.conftest import FIREFOX, PROBE, Caller, SignIn, send

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
POLLED = "/api/backups/20250119_143022"


def is_dead(caller: Caller) -> bool:
    """Both tokens, by the very next requests."""
    return caller.get().status_code == 401 and caller.renew().status_code == 401


@pytest.mark.django_db(transaction=True)
def test_ses_1_one_refresh_token_fifty_times_at_once(super_admin: User, sign_in: SignIn) -> None:
    caller = sign_in(super_admin)
    facts = visit.Visit(origin=Origin.API, address="127.0.0.1", user_agent=FIREFOX)

    def use(_: int) -> tokens.TokenPair | None:
        try:
            return tokens.rotate(refresh=caller.refresh, visit=facts, now=timezone.now())
        except NotAuthenticated:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=10) as pool:
        pairs = [pair for pair in pool.map(use, range(50)) if pair]

    assert len(pairs) <= 1
    assert LoginSession.objects.get(sid=caller.session_id).revoked_because == "refresh_reused"
    for pair in pairs:
        assert is_dead(Caller(pair.access, pair.refresh, caller.session_id, headers=caller.headers))


@pytest.mark.parametrize("again", [0, 2], ids=["R1 again", "R3 after it"])
def test_ses_2_a_refresh_token_used_twice_ends_the_session(super_admin: User, sign_in: SignIn, again: int) -> None:
    caller = sign_in(super_admin)
    used = [caller.refresh]
    for _ in range(2):
        assert caller.renew().status_code == 200
        used.append(caller.refresh)
    newest = used[2]

    caller.refresh = used[0]
    assert caller.renew().status_code == 401
    caller.refresh = used[again] if again != 2 else newest
    assert caller.renew().status_code == 401

    assert caller.get().status_code == 401
    assert AuditEvent.objects.filter(action="session.suspect", result="refresh_reused").count() == 1


@pytest.mark.parametrize("agent", [FIREFOX, "curl/8.5.0"], ids=["same device", "another device"])
def test_ses_3_used_again_at_once(super_admin: User, sign_in: SignIn, agent: str) -> None:
    caller = sign_in(super_admin)
    first = caller.refresh
    assert caller.renew().status_code == 200

    answer = send("POST", "/api/auth/refresh", json.dumps({"refresh": first}).encode(), {"User-Agent": agent})

    assert answer.status_code == 401
    assert is_dead(caller)


def log_out(caller: Caller, user: User, other: Caller) -> None:
    assert caller.send("POST", "/api/auth/logout").status_code == 204


def log_out_everywhere(caller: Caller, user: User, other: Caller) -> None:
    assert caller.send("DELETE", "/api/auth/sessions").status_code == 204


def revoke_own(caller: Caller, user: User, other: Caller) -> None:
    assert caller.send("DELETE", f"/api/auth/sessions/{caller.session_id}").status_code == 204


def revoke_by_admin(caller: Caller, user: User, other: Caller) -> None:
    assert other.send("DELETE", f"/api/auth/sessions/{caller.session_id}").status_code == 204


def disable(caller: Caller, user: User, other: Caller) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def delete(caller: Caller, user: User, other: Caller) -> None:
    user.delete()


def change_password(caller: Caller, user: User, other: Caller) -> None:
    user.set_password("another-long-password")
    user.save()


ENDS: list[Callable[[Caller, User, Caller], None]] = [
    log_out, log_out_everywhere, revoke_own, revoke_by_admin, disable, delete, change_password,
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("which", ["access", "refresh"])
def test_ses_4_what_ends_a_session_ends_both_tokens_at_the_next_request(
    super_admin: User, admin: User, sign_in: SignIn, end: Callable[[Caller, User, Caller], None], which: str
) -> None:
    caller, other = sign_in(admin), sign_in(super_admin)

    end(caller, admin, other)

    assert (caller.get() if which == "access" else caller.renew()).status_code == 401
    assert other.get().status_code == 200


@pytest.mark.parametrize("role", [2, None])
@pytest.mark.parametrize("which", ["access", "refresh"])
def test_ses_4_a_changed_role_works_at_the_next_request(
    admin: User, sign_in: SignIn, role: int | None, which: str
) -> None:
    caller = sign_in(admin)
    assert caller.get("/api/audit").status_code == 200

    User.objects.filter(pk=admin.pk).update(role_id=role)
    if which == "refresh":
        assert caller.renew().status_code == 200

    answer: Any = caller.get("/api/audit")
    assert (answer.status_code, answer.json()["code"]) == (403, "role_required")
    assert caller.get().status_code == 200


def test_ses_5_a_login_over_the_api_takes_nothing_over_from_the_client(super_admin: User, password: str) -> None:
    client = Client()
    client.cookies["sessionid"] = "chosen-by-the-attacker"
    body = {"username": "ananya", "password": password}

    answers = [
        client.post("/api/auth/login?sid=chosen", body, content_type="application/json", headers={"X-Sid": "chosen"})
        for _ in range(2)
    ]

    ids = {answer.json()["session_id"] for answer in answers}
    assert len(ids) == 2
    assert not any("chosen" in one for one in ids)
    assert not any(answer.cookies for answer in answers)


@pytest.mark.parametrize("cookie", ["sessionid", "csrftoken"])
def test_ses_5_a_login_on_the_page_gives_new_random_cookies(super_admin: User, password: str, cookie: str) -> None:
    client = Client(headers={"User-Agent": FIREFOX})
    client.get("/login/")
    before = "a" * 32
    client.cookies[cookie] = before

    answer = client.post("/login/", {"username": "ananya", "password": password})

    assert answer.status_code in (302, 303)
    assert client.cookies[cookie].value not in ("", before)


def wait(clock: Any, caller: Caller, *, total: timedelta, step: timedelta, path: str) -> None:
    """Let time pass with requests on the way, refreshing tokens as a client must."""
    passed = timedelta()
    while passed + step < total:
        clock.shift(step)
        passed += step
        assert caller.renew().status_code == 200
        assert caller.get(path).status_code not in (401, 500)
    clock.shift(total - passed)


@pytest.mark.parametrize(("idle", "status"), [(sessions.IDLE - SECOND, 200), (sessions.IDLE + SECOND, 401)])
def test_ses_6_idle(super_admin: User, sign_in: SignIn, clock: Any, idle: timedelta, status: int) -> None:
    caller = sign_in(super_admin)

    clock.shift(idle)

    assert caller.renew().status_code == status
    assert caller.get().status_code == status


@pytest.mark.parametrize(("age", "status"), [(sessions.ABSOLUTE - SECOND, 200), (sessions.ABSOLUTE + SECOND, 401)])
def test_ses_6_absolute(super_admin: User, sign_in: SignIn, clock: Any, age: timedelta, status: int) -> None:
    caller = sign_in(super_admin)

    wait(clock, caller, total=age, step=timedelta(minutes=29), path=PROBE)

    assert caller.renew().status_code == status
    assert caller.get().status_code == status


def test_ses_6_polling_alone_keeps_nobody_signed_in(
    super_admin: User, sign_in: SignIn, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backups_app.use_cases.listing.listing.get_run", lambda **_: _a_run())
    caller = sign_in(super_admin)

    wait(clock, caller, total=timedelta(minutes=31), step=timedelta(minutes=4), path=POLLED)

    assert caller.get(POLLED).status_code == 401
    assert caller.renew().status_code == 401


def _a_run() -> RunRecord:
    now = timezone.now()
    return RunRecord(backup_id="20250119_143022", status="in_progress", steps=[], backup_timestamp=now)


OTHER_FAMILY = FIREFOX.replace("Gecko/20100101 Firefox/140.0", "AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36")
OTHER_PLATFORM = FIREFOX.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64")
MISMATCHES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "other family": ({}, {"User-Agent": OTHER_FAMILY}),
    "other platform": ({}, {"User-Agent": OTHER_PLATFORM}),
    "no user agent though one at login": ({}, {"User-Agent": ""}),
    "other device id": ({"X-Device-Id": "till-1"}, {"X-Device-Id": "till-2"}),
    "no device id though one at login": ({"X-Device-Id": "till-1"}, {"X-Device-Id": ""}),
}


@pytest.mark.parametrize("what", MISMATCHES)
def test_ses_7_another_device_ends_the_session_and_leaves_a_trace(
    super_admin: User, sign_in: SignIn, what: str
) -> None:
    at_login, later = MISMATCHES[what]
    caller = sign_in(super_admin, **at_login)

    assert caller.get(**later).status_code == 401

    assert caller.get().status_code == 401
    event = AuditEvent.objects.get(action="session.suspect")
    assert (event.actor, event.result) == ("ananya", "device_changed")


MATCHES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "another version": ({}, {"User-Agent": FIREFOX.replace("140.0", "152.0")}),
    "a device id though none at login": ({}, {"X-Device-Id": "till-2"}),
    "Authorization alone from the first": ({"User-Agent": ""}, {}),
}


@pytest.mark.parametrize("what", MATCHES)
def test_ses_7_the_same_device_stays_signed_in(super_admin: User, sign_in: SignIn, what: str) -> None:
    at_login, later = MATCHES[what]
    caller = sign_in(super_admin, **at_login)

    assert caller.get(**later).status_code == 200
    assert caller.get().status_code == 200


def test_ses_7_another_address_is_the_same_device(super_admin: User, sign_in: SignIn) -> None:
    caller = sign_in(super_admin)
    caller.address = "198.51.100.9"

    assert caller.get().status_code == 200


def everything_in_the_database() -> str:
    rows = [list(model._default_manager.values_list()) for model in apps.get_models()]
    return repr(rows)


def test_ses_8_no_token_device_id_or_password_is_kept_or_logged(
    super_admin: User, sign_in: SignIn, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    device_id = "a-device-id-to-look-for"
    caller = sign_in(super_admin, **{"X-Device-Id": device_id})
    secrets = [password, device_id, caller.access, caller.refresh]
    assert caller.renew().status_code == 200
    caller.get("/api/audit")
    send("POST", "/api/auth/login", json.dumps({"username": password, "password": password}).encode(), {})
    secrets += [caller.access, caller.refresh]

    kept, logged = everything_in_the_database(), caplog.text
    assert [secret for secret in secrets if secret in kept] == []
    assert [secret for secret in secrets if secret in logged] == []
    assert get_user_model().objects.count() == RefreshToken.objects.filter(used_at__isnull=True).count() == 1
