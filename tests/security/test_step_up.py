"""Step-up over the API: what cannot be taken back wants a fresh login (`docs/security.md`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from backups_app.browsing.reading.documents import DocumentPage
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.management.commands import backup_now
from backups_app.models import User
from backups_app.records import CONFIRMATION_PHRASE
from tests.security.conftest import Caller, SignIn
from tests.security.test_rbac_api import FAKED

pytestmark = pytest.mark.django_db
STALE = timedelta(minutes=15, seconds=1)
ID = "20250119_143022"


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was really asked of the use cases."""
    asked: list[str] = []

    def spy(name: str) -> Callable[..., RunRecord]:
        def do(**_: Any) -> RunRecord:
            asked.append(name)
            return RunRecord({
                "backup_id": ID, "backup_path": f"backups/backup_{ID}", "backup_timestamp": timezone.now(),
                "created_at": timezone.now(), "status": "success", "sync_status": "success", "steps": [],
            })  # fmt: skip

        return do

    for name in ("start_backup", "cancel", "resume"):
        monkeypatch.setattr(f"backups_app.use_cases.backups.backups.{name}", spy(name))
    monkeypatch.setattr("backups_app.use_cases.lanes.asking.ask", FAKED["asking.ask"])
    monkeypatch.setattr("backups_app.use_cases.lanes.previews.arguments_of", FAKED["previews.arguments_of"])
    monkeypatch.setattr("backups_app.use_cases.restores.restores.start", spy("restore"))
    monkeypatch.setattr("backups_app.use_cases.restores.preview_json.as_json", lambda preview: {})
    monkeypatch.setattr(
        "backups_app.use_cases.restores.restores.choose", lambda **given: SimpleNamespace(in_place=given["to"] is None)
    )
    monkeypatch.setattr("backups_app.use_cases.listing.listing.list_runs", lambda **_: [])
    monkeypatch.setattr(
        "backups_app.browsing.reading.documents.page",
        lambda **_: DocumentPage(collection="bookings", documents=(), offset=0, limit=25, total=0),
    )
    return asked


@pytest.fixture
def stale(super_admin: User, sign_in: SignIn, clock: Any) -> Caller:
    """A Super Admin who typed the password 15 minutes and 1 second ago, and was active since."""
    caller = sign_in(super_admin)
    clock.shift(STALE)
    assert caller.renew().status_code == 200
    return caller


IRREVOCABLE = {
    "a run with deletion": ("/api/backup", {"delete_bookings": True}, "start_backup"),
    "a restore in place": (f"/api/backups/{ID}/restore", {"dry_run": False, "confirmation": "x"}, "restore"),
}


@pytest.mark.parametrize("what", IRREVOCABLE)
def test_step_1_what_cannot_be_taken_back_asks_for_the_password_and_does_nothing(
    stale: Caller, acts: list[str], what: str
) -> None:
    path, body, _ = IRREVOCABLE[what]

    answer: Any = stale.send("POST", path, body)

    assert answer.status_code == 401
    assert answer.json()["code"] == "insufficient_user_authentication"
    assert 'error="insufficient_user_authentication"' in answer.headers["WWW-Authenticate"]
    assert "max_age=" in answer.headers["WWW-Authenticate"]
    assert acts == []


@pytest.mark.parametrize("what", IRREVOCABLE)
def test_step_1_after_signing_in_again_it_is_done(
    stale: Caller, acts: list[str], super_admin: User, sign_in: SignIn, what: str
) -> None:
    fresh = sign_in(super_admin)
    path, body, act = IRREVOCABLE[what]

    assert fresh.send("POST", path, body).status_code in (200, 202)
    assert acts == [act]


def test_step_1_exactly_fifteen_minutes_is_fresh(
    super_admin: User, sign_in: SignIn, clock: Any, acts: list[str]
) -> None:
    caller = sign_in(super_admin)
    clock.shift(timedelta(minutes=15))
    caller.renew()

    assert caller.send("POST", "/api/backup", {"delete_bookings": True}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/backup", {"delete_bookings": False}),
        ("POST", f"/api/backups/{ID}/verify", None),
        ("POST", f"/api/backups/{ID}/cancel", None),
        ("POST", f"/api/backups/{ID}/resume", None),
        ("GET", "/api/backups", None),
        ("GET", f"/api/backups/{ID}/collections/bookings", None),
        ("POST", f"/api/backups/{ID}/restore", {}),
        ("POST", f"/api/backups/{ID}/restore", {"dry_run": False, "to": "a_copy", "confirmation": "x"}),
    ],
)
def test_step_2_what_can_be_taken_back_asks_nothing(
    stale: Caller, acts: list[str], method: str, path: str, body: Any
) -> None:
    assert stale.send(method, path, body).status_code in (200, 202)


def test_step_2_the_command_asks_nobody_for_a_login(
    stale: Caller, acts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who has the shell has the data."""
    monkeypatch.setattr(backup_now.Command, "report", lambda *_: 0)

    with override_settings(TEMPLEOPS=Configuration()):
        call_command("backup_now", "--delete-bookings", "--detach", "--confirm", CONFIRMATION_PHRASE)

    assert acts == ["start_backup"]
