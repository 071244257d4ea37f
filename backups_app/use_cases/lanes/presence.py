"""That this host reads, on record for those who wait; and what ended processes left."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from backups_app.use_cases.lanes import jobs

EVERY = timedelta(seconds=10)


@dataclass
class Presence:
    """Of one process: a worker, or a reading process that runs alone."""

    _noted: tuple[str, datetime] | None = field(default=None, init=False)

    def note(self, *, store: str, now: datetime) -> None:
        """Every ten seconds put on record that this host reads from `store`, and let the jobs of ended processes wait
        again."""
        if self._noted is not None and self._noted[0] == store and now - self._noted[1] < EVERY:
            return
        self._noted = store, now
        jobs.host_looked(store=store, now=now)
        jobs.tidy(now=now)
