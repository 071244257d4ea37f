"""The heartbeat of the process that makes a copy: a row without one is taken over (`copy_rows.SILENT`).

A thread gives it, for one part of an object may take longer than that. It follows the work: where nothing has moved for
longer than any part may take, the thread falls silent, and another process goes on. A process that is frozen or cut off
from the database is silent at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import Error, connection

from backups_app.storage.copy_rows import Claim

logger = logging.getLogger(__name__)

EVERY_SECONDS = 20.0
"""The page of copies says after a minute that nothing is heard."""
STUCK = timedelta(minutes=40)
"""Longer than the slowest part with its retries and the request that closes an upload (`object_store.TIMES`)."""


class Heart:
    """Decides at each look whether the work behind a claim still moves."""

    def __init__(self, claim: Claim, *, now: datetime) -> None:
        self._claim = claim
        self._signs, self._moved_at = claim.signs, now

    def beat(self, *, now: datetime) -> bool:
        """Give a sign of life, unless the work is stuck. Return whether the claim is still ours."""
        if self._claim.signs != self._signs:
            self._signs, self._moved_at = self._claim.signs, now
        return now - self._moved_at > STUCK or self._claim.beat(now=now)


@contextmanager
def kept_up(claim: Claim, *, clock: Callable[[], datetime]) -> Iterator[None]:
    """Give a sign of life every few seconds while the block works on a copy."""
    ended = threading.Event()
    heart = Heart(claim, now=clock())
    thread = threading.Thread(target=_beat_until, args=(ended, heart, clock), name="copy heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat_until(ended: threading.Event, heart: Heart, clock: Callable[[], datetime]) -> None:
    try:
        while not ended.wait(EVERY_SECONDS) and _is_ours(heart, clock()):
            pass
    finally:
        connection.close()


def _is_ours(heart: Heart, now: datetime) -> bool:
    try:
        return heart.beat(now=now)
    except Error as error:  # the work meets the same failure and names it; a heartbeat only misses a beat
        logger.warning("A heartbeat of a copy was not written", extra={"reason": type(error).__name__})
        return True
