"""How many documents the purge would meet, on both sides, at this moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from backups_app import configuration
from backups_app.records import PURGEABLE_ALWAYS, PURGEABLE_WHEN_CONFIRMED
from backups_app.use_cases.listing import listing


@dataclass(frozen=True, kw_only=True)
class Row:
    """One collection. A side that cannot be counted is None."""

    collection: str
    local: int | None
    remote: int | None
    always: bool


@dataclass(frozen=True, kw_only=True)
class LiveCounts:
    """`bookings` are the documents that only the red button deletes, counted where they are counted most."""

    rows: list[Row]
    counted_at: datetime
    two_sided: bool
    remote_known: bool
    local_known: bool

    @property
    def confirmed_rows(self) -> list[Row]:
        return [row for row in self.rows if not row.always]

    @property
    def activities(self) -> Row:
        return next(row for row in self.rows if row.always)

    @property
    def bookings(self) -> int:
        return sum(max(row.local or 0, row.remote or 0) for row in self.confirmed_rows)

    @property
    def deletes_bookings(self) -> bool:
        """Whether the red button would delete bookings: not without Atlas, and not where there are none. Here, unknown
        counts as yes."""
        if self.two_sided and not self.remote_known:
            return False
        return bool(self.bookings) or not self.local_known

    @property
    def everything(self) -> int:
        return sum(max(row.local or 0, row.remote or 0) for row in self.rows)

    @property
    def difference(self) -> int:
        return sum(abs((row.local or 0) - (row.remote or 0)) for row in self.rows) if self.remote_known else 0


def uncounted() -> list[Row]:
    """The collections that a purge would meet, before anybody counted."""
    names = (*PURGEABLE_WHEN_CONFIRMED, *PURGEABLE_ALWAYS)
    return [Row(collection=name, local=None, remote=None, always=name in PURGEABLE_ALWAYS) for name in names]


def now() -> LiveCounts:
    """Count. A side that cannot be reached is unknown, never zero."""
    counted = listing.counts(configuration=configuration.current())
    local, remote = counted.local, counted.remote
    return LiveCounts(
        rows=[
            replace(
                row,
                local=None if local is None else local.get(row.collection, 0),
                remote=None if remote is None else remote.get(row.collection, 0),
            )
            for row in uncounted()
        ],
        counted_at=timezone.now(),
        two_sided=counted.sync_enabled,
        remote_known=remote is not None,
        local_known=local is not None,
    )
