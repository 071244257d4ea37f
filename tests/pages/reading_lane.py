"""The reading lane as a page test has it: nothing is short enough for the request, and the test says when it works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backups_app.management import reading_lane
from backups_app.use_cases.lanes import asking, carrying_out


def nothing_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every request leave its reading to the lane."""
    monkeypatch.setattr(asking, "TRY_SECONDS", 0.0)
    monkeypatch.setattr(carrying_out, "WRITE_EVERY", timedelta(0))


def read() -> None:
    """Do what waits in the lane, here and now."""
    reading_lane.read(idle_seconds=0)


def watched(
    real: Callable[..., Any], look: Callable[[], Any], *, documents: int, progress: str = "progress"
) -> Callable[..., Any]:
    """Return `real` with somebody who looks at the page when so many documents are read."""

    def slow(**asked: Any) -> Any:
        asked[progress].expect("bookings", 1240)
        asked[progress].advance("bookings", documents)
        look()
        return real(**asked)

    return slow
