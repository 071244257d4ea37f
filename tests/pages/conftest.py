"""What page tests share: signed-in browsers of each role, and runs as they are recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.models import User
from backups_app.pages import known_status
from backups_app.records import Phase
from tests.conftest import PASSWORD

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
MOMENT = datetime(2026, 1, 19, 11, 14, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    """What the pages remember for their process, no test finds of another one."""
    memories = (known_status.forget,)
    for forget in memories:
        forget()
    yield
    for forget in memories:
        forget()


def signed_in(user: User) -> Client:
    """Return a browser in which this person has signed in through the login page."""
    browser = Client(enforce_csrf_checks=False, headers={"User-Agent": AGENT})
    answer = browser.post("/login/", {"username": user.username, "password": PASSWORD})
    assert answer.status_code == 303, answer.content
    return browser


@pytest.fixture
def admin_browser(admin: User) -> Client:
    return signed_in(admin)


@pytest.fixture
def staff_browser(staff: User) -> Client:
    return signed_in(staff)


@pytest.fixture
def hindi(super_admin: User) -> Client:
    """A browser whose owner chose Hindi."""
    browser = signed_in(super_admin)
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "hi"
    return browser


def step(name: str, state: str = "waiting", **more: Any) -> dict[str, Any]:
    """A step as the run document keeps it."""
    begun = {"started_at": MOMENT, "finished_at": MOMENT + timedelta(seconds=4)} if state != "waiting" else {}
    return {"name": name, "state": state, "sentence": "", "counts": {}, "labels": [], **begun, **more}


STEP_NAMES = ("preflight", "settle", "sync", "dump", "verify", "publish", "purge_remote", "purge_local")


def a_run(**fields: Any) -> RunRecord:
    """A run document: finished and good, unless set otherwise."""
    return RunRecord(
        {
            "_id": "20260119_111420",
            "backup_id": "20260119_111420",
            "kind": "backup",
            "backup_path": "backups/backup_20260119_111420",
            "backup_timestamp": MOMENT,
            "created_at": MOMENT,
            "finished_at": MOMENT + timedelta(seconds=48),
            "created_by": "ananya",
            "origin": "web",
            "status": "success",
            "sync_status": "success",
            "phase": Phase.FINISHED.value,
            "delete_bookings_requested": True,
            "steps": [step(name, "done") for name in STEP_NAMES],
            "collections_backed_up": ["activities", "bookings", "employee_bookings"],
            "documents": 1602,
            "bytes": 13_000_000,
            "engine": "python",
            "purge": None,
            "kept_changed": {"count": 0, "ids": []},
            "resume_available": False,
            "error_code": None,
            "error_message": None,
            "warnings": [],
            "published": True,
            "verified": True,
            "damaged": False,
            "message": "",
            "cancel_requested": False,
            "heartbeat_at": MOMENT,
        }
        | fields
    )


@pytest.fixture
def seeded(configured: Configuration, local_db: Any, remote_db: Any) -> Configuration:
    """Both databases with some bookings in them."""
    for database in (local_db, remote_db):
        database.bookings.insert_many([{"_id": number, "name": f"John Doe {number}"} for number in range(1240)])
        database.employee_bookings.insert_many([{"_id": number} for number in range(312)])
        database.activities.insert_many([{"_id": number} for number in range(50)])
    return configured


Make = Callable[..., RunRecord]
