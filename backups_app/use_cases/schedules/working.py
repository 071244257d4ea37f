"""Slots whose work has no record of its own: taken by a worker, alive while it gives signs, ended by its record."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import Error
from django.utils import timezone

from backups_app.access import records
from backups_app.errors import DatabaseUnreachable, TempleOpsError
from backups_app.models import ScheduleSlot
from backups_app.progress import Progress
from backups_app.runs import ownership
from backups_app.use_cases.schedules import claims
from backups_app.use_cases.schedules.claims import State

TRIES = 3
"""The look that queued a slot may write to it while a worker takes it."""
SIGN_EVERY_SECONDS = 30.0
SILENT = timedelta(minutes=15)
"""A process of another host that gave no sign of life for so long has ended."""

logger = logging.getLogger(__name__)


def take(slot_id: int, *, again: bool = False) -> ScheduleSlot | None:
    """Take a queued slot to work on. None when another process works on it, when it has ended, or is gone with its
    schedule. `again`: the process that had it before is known to have ended.

    One whose schedule was paused or changed while it waited is left to the next look of the worker, which gives it up.
    """
    for _ in range(TRIES):
        slot = claims.read(slot_id)
        if slot is None or not _is_free(slot, again=again):
            return None
        outdated = slot.state != State.RUNNING and bool(claims.outdated(slot))
        worker = {} if outdated else {**slot.worker, **ownership.this_process().as_document()}
        state = State.CLAIMED if outdated else State.RUNNING
        if claims.change(slot, now=timezone.now(), state=state, worker=worker):
            return None if outdated else slot
    return None


def _is_free(slot: ScheduleSlot, *, again: bool) -> bool:
    if slot.state == State.RUNNING:
        return again or ownership.is_gone(slot.worker)
    return slot.state in (State.CLAIMED, State.STARTED)


def record(slot: ScheduleSlot, *, state: State, **fields: Any) -> None:
    """Record what became of a slot that this process took, unless another one has it now."""
    records.with_patience(partial(claims.change, slot, now=timezone.now(), state=state, **fields))


def fail(slot: ScheduleSlot, error: Exception) -> None:
    """Record by which failure a slot ended; one without a name is one of MongoDB's."""
    code = error.code if isinstance(error, TempleOpsError) else DatabaseUnreachable.code
    logger.error("A planned run failed", extra={"schedule": slot.schedule.name, "code": code})
    record(slot, state=State.FAILED, reason=code)


class Signs:
    """The progress of a slot's work: hands on to a listener, and twice a minute puts on record that it goes on."""

    def __init__(self, slot: ScheduleSlot, listener: Progress) -> None:
        self._slot = slot
        self._listener = listener
        self._given_at = time.monotonic()

    def expect(self, label: str, total: int) -> None:
        self._listener.expect(label, total)
        self._give()

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self._listener.advance(label, count, size_bytes)
        self._give()

    def note(self, sentence: str) -> None:
        self._listener.note(sentence)

    def checkpoint(self) -> None:
        self._listener.checkpoint()
        self._give()

    def _give(self) -> None:
        if time.monotonic() - self._given_at < SIGN_EVERY_SECONDS:
            return
        self._given_at = time.monotonic()
        try:
            claims.change(self._slot, now=timezone.now(), state=State.RUNNING)
        except Error as error:  # the work needs no Django database before its end
            logger.warning("A planned run gave no sign of life", extra={"reason": type(error).__name__})
            records.let_go_of_a_cut_connection()
