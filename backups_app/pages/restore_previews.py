"""Previews in the making. A large backup takes longer to compare than a browser waits for an answer.

Each runs in a thread of this web process and is kept for some minutes. Another process that is asked for the same one
makes it anew: a preview writes nothing, and what is confirmed is its hash, not this memory.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime
from threading import BoundedSemaphore, Event, Lock, Thread

from django.db import connections as django_connections
from django.utils import timezone

from backups_app.configuration import Configuration
from backups_app.errors import RunCancelled, TempleOpsError
from backups_app.progress import Silent
from backups_app.restore.choices import Choices
from backups_app.restore.preview import Preview
from backups_app.workflow import restoring

AT_ONCE = 2
KEPT_SECONDS = 600.0
MOST_KEPT = 32
ABANDONED_SECONDS = 60.0
"""A preview that nobody has asked about for so long is given up."""

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True)
class Making(Silent):
    """One preview: in the making, made, or failed with `error`. `collection` is the one being compared; `on_record`:
    the audit trail knows that somebody looked."""

    choices: Choices
    began_at: float = field(default_factory=time.monotonic)
    asked_at: float = field(default_factory=time.monotonic)
    collection: str = ""
    compared: int = 0
    on_record: bool = False
    made_at: datetime | None = None
    result: Preview | None = None
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
        if time.monotonic() - self.asked_at > ABANDONED_SECONDS:
            raise RunCancelled


_known: dict[tuple[Configuration, Choices], Making] = {}
_lock = Lock()
_places = BoundedSemaphore(AT_ONCE)


def of(*, configuration: Configuration, choices: Choices, wait_seconds: float) -> Making:
    """Return the preview of these choices, begun now if nobody has. Wait for its end for at most `wait_seconds`."""
    key = configuration, choices
    with _lock:
        _drop_old()
        making = _known.get(key)
        if making is None:
            making = _known[key] = Making(choices=choices)
            Thread(target=_make, args=(configuration, making), name="restore-preview", daemon=True).start()
        making.asked_at = time.monotonic()
    if making.ended.wait(wait_seconds) and making.error is not None:
        forget(configuration=configuration, choices=choices)  # told once; who asks again has it made anew
    return making


def forget(*, configuration: Configuration, choices: Choices) -> None:
    """The next one who asks shall see the present state."""
    with _lock:
        _known.pop((configuration, choices), None)


def forget_all() -> None:
    """Something was written: no preview is true any more."""
    with _lock:
        _known.clear()


def _make(configuration: Configuration, making: Making) -> None:
    try:
        with _places:
            making.result = restoring.look(configuration=configuration, choices=making.choices, progress=making)
            making.made_at = timezone.now()
    except TempleOpsError as error:
        making.error = error
    except Exception as failure:  # the last place that can tell the page of a defect of ours
        logger.error("A preview ended by an unexpected failure", exc_info=failure)
        making.error = TempleOpsError()
    finally:
        django_connections.close_all()
        making.ended.set()


def _drop_old() -> None:
    """Forget what is old or was given up, and the oldest when there are too many."""
    now = time.monotonic()
    for key, making in list(_known.items()):
        old = making.ended.is_set() and now - making.began_at > KEPT_SECONDS
        if old or isinstance(making.error, RunCancelled):
            _known.pop(key)
    while len(_known) >= MOST_KEPT:
        _known.pop(next(iter(_known)))
