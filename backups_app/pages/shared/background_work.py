"""Answers in the making: what takes longer than a browser waits for an answer.

Each is made in a thread of this web process and kept for some minutes; the page asks once a second how far it is.
Another process knows nothing of it: who asks there has it made again, or reads on record what became of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import Generic, TypeVar

from django.db import connections as django_connections
from django.utils import timezone

from backups_app.errors import RunCancelled, TempleOpsError
from backups_app.mongo import availability
from backups_app.progress import Silent

THREADS_BEGIN_WITH = "background "
"""The names of their threads, in a list of all threads of the process."""
KEPT_SECONDS = 600.0
MOST_KEPT = 32
ABANDONED_SECONDS = 60.0
"""What nobody has asked about for so long is given up, unless somebody wants it to its end."""

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True)
class BackgroundTask(Silent, Generic[T]):
    """One answer: in the making, made, or failed with `error`. `collection` is the one being read and `compared` the
    documents so far; `on_record`: the audit trail knows that somebody looked; `to_the_end`: also when nobody asks."""

    to_the_end: bool = False
    began_at: float = field(default_factory=time.monotonic)
    asked_at: float = field(default_factory=time.monotonic)
    collection: str = ""
    compared: int = 0
    on_record: bool = False
    made_at: datetime | None = None
    result: T | None = None
    error: TempleOpsError | None = None
    ended: Event = field(default_factory=Event)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began_at

    def expect(self, label: str, total: int) -> None:
        self.collection = label
        self.checkpoint()

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self.compared += count
        self.checkpoint()

    def checkpoint(self) -> None:
        if not self.to_the_end and time.monotonic() - self.asked_at > ABANDONED_SECONDS:
            raise RunCancelled


class BackgroundWork(Generic[T]):
    """The answers of one kind. At most `at_once` are made at the same time; the others wait for their turn."""

    def __init__(self, name: str, *, at_once: int = 2, to_the_end: bool = False) -> None:
        self.name = name
        self.to_the_end = to_the_end
        self._known: dict[Hashable, BackgroundTask[T]] = {}
        self._lock = Lock()
        self._places = BoundedSemaphore(at_once)

    def of(self, key: Hashable, make: Callable[[BackgroundTask[T]], T], *, wait_seconds: float) -> BackgroundTask[T]:
        """Return the answer of this key, begun now if nobody has. Wait for its end for at most `wait_seconds`.

        `make` is handed the making as its progress. A failure is told once: who asks again has it made again.
        """
        with self._lock:
            self._drop_old()
            making = self._known.get(key)
            if making is None:
                making = self._known[key] = BackgroundTask(to_the_end=self.to_the_end)
                work = (self._make, make, making)
                name = f"{THREADS_BEGIN_WITH}{self.name}"
                Thread(target=availability.unlimited_context().run, args=work, name=name, daemon=True).start()
            making.asked_at = time.monotonic()
        if making.ended.wait(wait_seconds) and making.error is not None:
            self.forget(key)
        return making

    def known(self, key: Hashable) -> BackgroundTask[T] | None:
        """Return the answer of this key if somebody asked for it in this process."""
        with self._lock:
            return self._known.get(key)

    def forget(self, key: Hashable) -> None:
        """The next one who asks shall see the present state."""
        with self._lock:
            self._known.pop(key, None)

    def forget_all(self) -> None:
        """Something was written: no answer is true any more."""
        with self._lock:
            self._known.clear()

    def _make(self, make: Callable[[BackgroundTask[T]], T], making: BackgroundTask[T]) -> None:
        try:
            with self._places:
                making.result = make(making)
                making.made_at = timezone.now()
        except TempleOpsError as error:
            making.error = error
        except Exception as failure:  # the last place that can tell the page of a defect of ours
            logger.error("An answer in the making ended by an unexpected failure", exc_info=failure)
            making.error = TempleOpsError()
        finally:
            django_connections.close_all()
            making.ended.set()

    def _drop_old(self) -> None:
        """Forget what is old or was given up, and the oldest when there are too many."""
        now = time.monotonic()
        for key, making in list(self._known.items()):
            old = making.ended.is_set() and now - making.began_at > KEPT_SECONDS
            if old or isinstance(making.error, RunCancelled):
                self._known.pop(key)
        while len(self._known) >= MOST_KEPT:
            self._known.pop(next(iter(self._known)))
