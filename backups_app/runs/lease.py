"""The lease, held by one process for a block and renewed for as long as the block lasts.

    with lease.held(database, seconds=60) as held:     RunActive when somebody else holds it
        …                                              a thread renews it, a quarter of its time apart
        held.checkpoint()                              OwnershipLost when it is ours no more

It gives order and tidiness; that no booking is lost rests on exact deletes (`docs/reliability.md`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.catalog import lease
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.errors import OwnershipLost, TempleOpsError
from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.runs import ownership, preparation

TAKE_EVERY_SECONDS = 0.5
RENEW_EVERY_SECONDS = 0.1
"""So often at most a checkpoint asks whether the lease is still ours."""


class Lease:
    """A lease that this process has taken: who holds it, and its fence."""

    def __init__(self, database: Database[Any], *, owner: ownership.Owner, fence: int, seconds: int) -> None:
        self.owner = owner
        self.fence = fence
        self.seconds = seconds
        self.lost = False
        self._database = database
        self._renewed_at = time.monotonic()
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._renew_until_stopped, name="lease", daemon=True)

    def checkpoint(self) -> None:
        """Renew the lease, at most ten times a second. Raise `OwnershipLost` when it is ours no more."""
        if time.monotonic() - self._renewed_at >= RENEW_EVERY_SECONDS:
            self.renew()
        if self.lost:
            raise OwnershipLost

    def renew(self) -> None:
        """Hold the lease for its whole time from now on, or note that it is lost. Raise PyMongoError."""
        self._renewed_at = time.monotonic()
        if not lease.renew(self._database, owner=self.owner.as_document(), fence=self.fence, seconds=self.seconds):
            self.lost = True

    def start(self) -> None:
        """Begin to renew: a quarter of the lease apart, so that three may fail."""
        self._heart.start()

    def release(self) -> None:
        """Stop renewing and let the lease go. Where the server does not answer it runs out by itself."""
        self._stop.set()
        self._heart.join(timeout=self.seconds)
        with contextlib.suppress(PyMongoError):
            lease.release(self._database, owner=self.owner.as_document(), fence=self.fence)

    def _renew_until_stopped(self) -> None:
        while not self.lost and not self._stop.wait(self.seconds / 4):
            # The work itself meets the same failure and names it; a heartbeat only misses a beat.
            with contextlib.suppress(PyMongoError):
                self.renew()


def is_held_by(process: Mapping[str, Any], *, configuration: Configuration) -> bool:
    """Return whether a process, as `ownership` writes it, holds a lease that has not expired: then it works. True also
    where the server does not answer, and nobody can know."""
    try:
        with connections.reachable(Side.LOCAL):
            holder = lease.held_by(preparation.answering_database(configuration))
    except (TempleOpsError, PyMongoError):
        return True
    return holder is not None and ownership.is_same_process(holder, process)


@contextlib.contextmanager
def held(database: Database[Any], *, seconds: int, wait_seconds: float = 0.0) -> Iterator[Lease]:
    """Hold the lease for the block. Raise `RunActive` when somebody else still holds it after `wait_seconds`.

    A holder that ran on this host and is certainly gone is replaced at once.
    """
    mine = _take(database, me=ownership.this_process(), seconds=seconds, wait_seconds=wait_seconds)
    mine.start()
    try:
        yield mine
    finally:
        mine.release()


def _take(database: Database[Any], *, me: ownership.Owner, seconds: int, wait_seconds: float) -> Lease:
    deadline = time.monotonic() + wait_seconds
    while True:
        holder = lease.holder(database)
        dead = holder if holder is not None and ownership.is_gone(holder) else None
        fence = lease.take(database, owner=me.as_document(), seconds=seconds, dead=dead)
        if fence is not None:
            return Lease(database, owner=me, fence=fence, seconds=seconds)
        if time.monotonic() >= deadline:
            raise runs.another_run(database)
        time.sleep(TAKE_EVERY_SECONDS)
