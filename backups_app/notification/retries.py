"""When an undelivered message is tried again: with growing pauses, for three days."""

from __future__ import annotations

from datetime import datetime, timedelta

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 40, 60))
"""The last pause repeats."""
GIVEN_UP_AFTER = timedelta(days=3)


def next_try(*, attempts: int, created_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again after `attempts` failed tries; None when the message is given up."""
    at = now + PAUSES[min(attempts, len(PAUSES)) - 1]
    return at if at - created_at <= GIVEN_UP_AFTER else None
