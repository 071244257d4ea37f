"""A moment and a visit for tests of the access room."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backups_app.access.requests.visit import Visit
from backups_app.records import Origin

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def now() -> datetime:
    """A moment."""
    return datetime(2026, 1, 19, 9, 0, 22, tzinfo=UTC)


@pytest.fixture
def visit() -> Visit:
    """Firefox on Linux, from the temple's network."""
    return Visit(origin=Origin.API, address="192.0.2.7", user_agent=FIREFOX, request_id="abcdef012345")
