"""How many documents the purge would meet, on both sides, at this moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from backups_app import configuration
from backups_app.records import PURGEABLE_ALWAYS, PURGEABLE_WHEN_CONFIRMED
from backups_app.use_cases.listing import present_counts


@dataclass(frozen=True, kw_only=True)
class CountsRow:
    """One collection. A side that cannot be counted is None. `both`: how many different documents the sides hold
    together; None where nobody knows."""

    collection: str
    local: int | None
    remote: int | None
    always: bool
    both: int | None = None

    @property
    def deleted(self) -> int | None:
        """How many documents a run would delete: at least those of the side that holds more."""
        known = [count for count in (self.local, self.remote) if count is not None]
        return self.both if self.both is not None else max(known, default=None)

    @property
    def difference(self) -> int:
        """How many documents are on one side only: at least what the counts differ by."""
        local, remote = self.local or 0, self.remote or 0
        return abs(local - remote) if self.both is None else 2 * self.both - local - remote


@dataclass(frozen=True, kw_only=True)
class ShownCounts:
    """`bookings` are the documents that only the red button deletes: each once, whichever side holds it."""

    rows: list[CountsRow]
    counted_at: datetime
    two_sided: bool
    remote_known: bool
    local_known: bool

    @property
    def confirmed_rows(self) -> list[CountsRow]:
        return [row for row in self.rows if not row.always]

    @property
    def activities(self) -> CountsRow:
        return next(row for row in self.rows if row.always)

    @property
    def bookings(self) -> int:
        return sum(row.deleted or 0 for row in self.confirmed_rows)

    @property
    def exact(self) -> bool:
        """Whether `bookings` is known, and not at least that many."""
        return all(row.both is not None for row in self.confirmed_rows)

    @property
    def difference_exact(self) -> bool:
        return all(row.both is not None for row in self.rows)

    @property
    def atlas_is_away(self) -> bool:
        """Whether there is an Atlas and it could not be counted: then nothing is deleted."""
        return self.two_sided and not self.remote_known

    @property
    def deletes_bookings(self) -> bool:
        """Whether the red button would delete bookings: not without Atlas, and not where there are none. Here, unknown
        counts as yes."""
        if self.atlas_is_away:
            return False
        return bool(self.bookings) or not self.local_known

    @property
    def difference(self) -> int:
        return sum(row.difference for row in self.rows) if self.remote_known and self.local_known else 0


def uncounted() -> list[CountsRow]:
    """The collections that a purge would meet, before anybody counted."""
    names = (*PURGEABLE_WHEN_CONFIRMED, *PURGEABLE_ALWAYS)
    return [CountsRow(collection=name, local=None, remote=None, always=name in PURGEABLE_ALWAYS) for name in names]


def now() -> ShownCounts:
    """Count. A side that cannot be reached is unknown, never zero."""
    counted = present_counts.purgeable_counts(configuration=configuration.current())
    local, remote = counted.local, counted.remote
    return ShownCounts(
        rows=[
            replace(
                row,
                local=None if local is None else local.get(row.collection, 0),
                remote=None if remote is None else remote.get(row.collection, 0),
                both=counted.both.get(row.collection),
            )
            for row in uncounted()
        ],
        counted_at=timezone.now(),
        two_sided=counted.sync_enabled,
        remote_known=remote is not None,
        local_known=local is not None,
    )
