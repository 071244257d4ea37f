"""A signed-in Super Admin before a small temple on two real servers, with a worker that works at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from backups_app.configuration import Configuration
from backups_app.models import User
from backups_app.use_cases.lanes import asking
from tests.journeys.conftest import seeded  # noqa: F401  (a fixture)
from tests.security.conftest import Caller, SignIn, sign_in  # noqa: F401  (a fixture)

AT_ONCE = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend", "QUEUES": []}}
NEVER = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend", "QUEUES": []}}


@pytest.fixture
def caller(super_admin: User, sign_in: SignIn) -> Caller:  # noqa: F811
    """A Super Admin."""
    return sign_in(super_admin)


@pytest.fixture(autouse=True)
def _a_busy_machine_makes_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a request may do itself is done there, however slow this machine is."""
    monkeypatch.setattr(asking, "TRY_SECONDS", 60.0)


@pytest.fixture
def worker(seeded: Configuration) -> Iterator[Configuration]:  # noqa: F811
    """A temple, and a worker that has done what it is asked before the trigger returns."""
    with override_settings(TASKS=AT_ONCE):
        yield seeded


@pytest.fixture
def no_worker(seeded: Configuration) -> Iterator[Configuration]:  # noqa: F811
    """A temple, and a queue that nobody looks at."""
    with override_settings(TASKS=NEVER):
        yield seeded


def backed_up(caller: Caller, *, delete_bookings: bool = False) -> dict[str, Any]:
    """Make a backup over the API and return the answer's body."""
    answer: Any = caller.send("POST", "/api/backup", {"delete_bookings": delete_bookings})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body
