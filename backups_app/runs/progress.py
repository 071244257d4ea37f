"""Turns what operations report into the `steps` of the run document, at most twice a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from django.utils import timezone

from backups_app.catalog.run.run_writers import Ownership
from backups_app.errors import OwnershipLost, RunCancelled
from backups_app.progress import Progress, Silent
from backups_app.records import Phase, StepState
from backups_app.runs.lease import RENEW_EVERY_SECONDS, Lease

WRITE_EVERY_SECONDS = 0.5
SILENT_AFTER_SECONDS = 2.0
"""Work that came to no checkpoint for so long waits for a server: then somebody else looks for a cancel."""


class Listener(Progress, Protocol):
    """Who watches a run besides its document: the terminal."""

    def step_ended(self, *, name: str, state: StepState, seconds: float, sentence: str) -> None:
        """A step has come to its end."""


class NobodyWatches(Silent):
    """A listener for runs that only their document reports."""

    def step_ended(self, *, name: str, state: StepState, seconds: float, sentence: str) -> None: ...


class RunProgress:
    """The listener of one run: counts, writes them into the document, renews the heartbeat.

    Operations call it from several threads. `listener` is a second one, the terminal's bars.
    """

    def __init__(
        self,
        *,
        ownership: Ownership,
        held: Lease,
        listener: Listener | None = None,
        give_up: Callable[[], None] | None = None,
    ) -> None:
        """`give_up` ends the waiting for Atlas: it is called when a cancel was asked for and the work hears nothing."""
        self.ownership = ownership
        self.lease = held
        self.give_up = give_up
        self.listener: Listener = listener or NobodyWatches()
        self.phase = Phase.PREFLIGHT
        self.cancel_is_obeyed = True
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._lost = False
        self._cancelled = False
        self._step = 0
        self._labels: dict[str, dict[str, Any]] = {}
        self._written_at = 0.0
        self._unwritten = False
        self._renewed_at = 0.0
        self._checked_at = time.monotonic()
        self._heart = threading.Thread(target=self._beat_until_stopped, name="run-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin the heartbeat: a quarter of the lease apart, so that three may fail; each second while the work is
        silent, for it cannot see a cancel itself."""
        self._heart.start()

    def stop(self) -> None:
        self._stop.set()
        if self._heart.is_alive():
            self._heart.join(timeout=self.lease.seconds)

    def enter(self, *, step: int, phase: Phase) -> None:
        """From now on reports belong to this step of the document."""
        with self._lock:
            self._step, self.phase, self._labels, self._unwritten = step, phase, {}, False

    def labels(self) -> list[dict[str, Any]]:
        """Return the counters of the current step, as the document keeps them."""
        with self._lock:
            return [dict(entry) for entry in self._labels.values()]

    # ── what operations call ─────────────────────────────────────────────────

    def expect(self, label: str, total: int) -> None:
        """Written with the next count or checkpoint: what is announced together is seen together."""
        with self._lock:
            self._entry(label)["total"] = total
            self._unwritten = True
        self.listener.expect(label, total)

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        with self._lock:
            entry = self._entry(label)
            entry["done"] += count
            entry["bytes"] += size_bytes
            self._unwritten = True
        self.listener.advance(label, count, size_bytes)
        self._write_if_due()

    def note(self, sentence: str) -> None:
        self.listener.note(sentence)

    def checkpoint(self) -> None:
        self._checked_at = time.monotonic()
        if time.monotonic() - self._renewed_at >= RENEW_EVERY_SECONDS:
            self._renew()
        if self._lost:
            raise OwnershipLost
        if self._cancelled and self.cancel_is_obeyed:
            raise RunCancelled
        self._write_if_due()

    # ── inside ───────────────────────────────────────────────────────────────

    def _entry(self, label: str) -> dict[str, Any]:
        return self._labels.setdefault(label, {"name": label, "done": 0, "total": None, "bytes": 0})

    def _write_if_due(self) -> None:
        with self._lock:
            if not self._unwritten or time.monotonic() - self._written_at < WRITE_EVERY_SECONDS:
                return
            self._written_at, self._unwritten = time.monotonic(), False
            step = f"steps.{self._step}"
            changes = {f"{step}.labels": self.labels(), f"{step}.moved_at": timezone.now()}
            phase = self.phase
        self.ownership.write(phase=phase, changes=changes)

    def _renew(self) -> None:
        self._renewed_at = time.monotonic()
        self.lease.renew()
        if self.lease.lost:
            self._lost = True
            return
        try:
            self._cancelled = self.ownership.beat() or self._cancelled
        except OwnershipLost:
            self._lost = True

    def _beat_until_stopped(self) -> None:
        from pymongo.errors import PyMongoError

        while not self._stop.wait(min(self.lease.seconds / 4, SILENT_AFTER_SECONDS / 2)):
            now = time.monotonic()
            silent = now - self._checked_at >= SILENT_AFTER_SECONDS and self.cancel_is_obeyed
            if not silent and now - self._renewed_at < self.lease.seconds / 4:
                continue
            try:
                self._renew()
                if silent and self._cancelled and self.give_up is not None:
                    self.give_up()
            except PyMongoError:
                # The work itself meets the same failure and names it; a heartbeat only misses a beat.
                continue
            if self._lost:
                return
