"""Retention over the API: set, preview, pin, remove, bring back; what is refused, and with which code."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backups_app.models import User
from tests.retention.conftest import Temple
from tests.retention.conftest import newest as newest
from tests.retention.conftest import temple as temple
from tests.security.conftest import Caller, SignIn
from tests.security.conftest import clock as clock
from tests.security.conftest import sign_in as sign_in


def sent(caller: Caller, method: str, path: str, body: Any = None) -> Any:
    return caller.send(method, path, body)


@pytest.fixture
def caller(temple: Temple, super_admin: User, sign_in: SignIn) -> Caller:
    return sign_in(super_admin)


def test_the_policy_is_set_shown_and_turned_off(caller: Caller) -> None:
    assert sent(caller, "GET", "/api/retention").json()["on"] is False

    answer = sent(caller, "PUT", "/api/retention", {"last": 2, "weekly": 1}).json()

    assert (answer["on"], answer["policy"]["last"], answer["policy"]["daily"]) == (True, 2, 0)
    assert sent(caller, "PUT", "/api/retention", {}).status_code == 422
    assert sent(caller, "PUT", "/api/retention", {"off": True}).json()["on"] is False


def test_rules_beside_off_are_refused(caller: Caller) -> None:
    sent(caller, "PUT", "/api/retention", {"last": 2})

    assert sent(caller, "PUT", "/api/retention", {"off": True, "last": 5}).status_code == 422
    assert sent(caller, "GET", "/api/retention").json()["policy"]["last"] == 2


def test_the_id_to_remove_is_confirmed_in_the_body_too(caller: Caller, temple: Temple) -> None:
    old = temple.add(days=40)

    for body, code in (({"confirm": "no"}, "confirmation_missing"), ({"id": old}, "validation_error")):
        refused = sent(caller, "DELETE", f"/api/backups/{old}", body)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert sent(caller, "DELETE", f"/api/backups/{old}", {"confirm": old}).status_code == 200
    assert temple.in_trash() == {old}


def test_what_never_was_a_backup_is_not_found_in_the_trash(caller: Caller, newest: str) -> None:
    answer = sent(caller, "POST", "/api/backups/20200101_000000/undo")
    here = sent(caller, "POST", f"/api/backups/{newest}/undo")

    assert (answer.status_code, answer.json()["code"]) == (404, "backup_not_found")
    assert (here.status_code, here.json()["code"]) == (410, "not_in_trash")


def test_a_preview_names_each_backup_and_why(caller: Caller, temple: Temple, newest: str) -> None:
    old = temple.add(days=40.5)

    answer = sent(caller, "GET", "/api/retention/preview?last=1").json()

    assert answer["removed"] == [{"backup_id": old, "reasons": ["policy"]}]
    assert answer["kept"][0] == {"backup_id": newest, "reasons": ["last", "backup_newest", "backup_floor"]}
    assert (answer["history_days"], answer["history_days_then"]) == (40, 0)
    assert old in temple.ids()


def test_a_backup_is_pinned_removed_and_brought_back(caller: Caller, temple: Temple) -> None:
    old = temple.add(days=40)
    assert sent(caller, "POST", f"/api/backups/{old}/pin", {"note": "kept"}).json()["note"] == "kept"
    refused = sent(caller, "DELETE", f"/api/backups/{old}?confirm={old}")
    assert (refused.status_code, refused.json()["code"]) == (409, "backup_pinned")
    assert sent(caller, "DELETE", f"/api/backups/{old}/pin").status_code == 204
    assert sent(caller, "DELETE", f"/api/backups/{old}?confirm=no").status_code == 422

    removed = sent(caller, "DELETE", f"/api/backups/{old}?confirm={old}")

    assert removed.status_code == 200
    assert temple.in_trash() == {old}
    gone: Any = sent(caller, "POST", f"/api/backups/{old}/verify")
    assert gone.status_code == 410
    assert sent(caller, "POST", f"/api/backups/{old}/undo").json() == {"backup_id": old, "pinned": False}
    assert old in temple.ids()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/retention", {"last": 1}),
        ("DELETE", "/api/backups/{id}?confirm={id}", None),
        ("POST", "/api/backups/{id}/release", {"confirm": "{id}"}),
        ("POST", "/api/backups/{id}/accept", {"confirm": "{id}"}),
    ],
)
def test_an_old_login_is_not_enough(
    temple: Temple, super_admin: User, sign_in: SignIn, clock: Any, method: str, path: str, body: dict[str, Any] | None
) -> None:
    old, caller = temple.add(days=40), sign_in(super_admin)
    clock.shift(timedelta(minutes=15, seconds=1))
    assert caller.renew().status_code == 200
    reported = {key: old if value == "{id}" else value for key, value in body.items()} if body else None

    answer = sent(caller, method, path.format(id=old), reported)

    assert (answer.status_code, answer.json()["code"]) == (401, "insufficient_user_authentication")
    assert old in temple.ids()
