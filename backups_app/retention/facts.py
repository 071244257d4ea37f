"""What retention knows of one backup, and of what happened between backups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from backups_app.records import is_ahead


class Maker(StrEnum):
    """Who asked for a backup. Rules count and remove what a person or a schedule asked for."""

    REQUESTED = "requested"
    SAFETY = "safety"
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True)
class Backup:
    """One published backup of this database.

    `taken_at` is the recorded time (order and periods); `arrived_at` is the later of it and the folder's ctime (ages
    that decide about removal); `read_at` is when its contents began to be read, None where nobody recorded it. All are
    aware, in UTC.
    `documents` counts the documents of each collection; `limited` names capped and TTL collections, which shrink by
    themselves. `holds` counts the deleted documents that this backup holds; None where that is unknown.
    `copied_here`: it has a complete copy at a target that is on this computer, which does not count as `copied`.
    `copied_silent`: it has one at a target that does not answer, which does not count either.
    `chained`: a full backup that begins a chain of incrementals and that nobody asked for as a full one.
    """

    backup_id: str
    taken_at: datetime
    arrived_at: datetime
    read_at: datetime | None = None
    maker: Maker = Maker.REQUESTED
    verified: bool = True
    success: bool = True
    base: str | None = None
    chained: bool = False
    pinned: bool = False
    in_use: bool = False
    purge_unfinished: bool = False
    holds: Mapping[str, int] | None = field(default_factory=dict)
    released: bool = False
    accepted: bool = False
    copied: bool = True
    copied_here: bool = False
    copied_silent: bool = False
    documents: Mapping[str, int] = field(default_factory=dict)
    limited: frozenset[str] = frozenset()

    @property
    def holds_state_of(self) -> datetime:
        """Return the moment whose state it holds: a run may delete for an earlier one before it reads."""
        return self.read_at or self.taken_at

    @property
    def holds_something(self) -> bool:
        """Whether it holds deleted or replaced documents, or nobody knows."""
        return self.holds is None or any(self.holds.values())

    @property
    def is_holder(self) -> bool:
        """Whether it holds something and no admin has released it."""
        return self.holds_something and not self.released

    @property
    def is_full(self) -> bool:
        return self.base is None

    def is_ahead(self, *, now: datetime) -> bool:
        """Whether it is dated in the future: a clock was wrong, so its time says nothing."""
        return is_ahead(self.taken_at, now=now)

    def counts(self, *, now: datetime) -> bool:
        """Whether the rules count it: asked for, verified, and with a time that can be trusted."""
        return self.maker is Maker.REQUESTED and self.verified and not self.is_ahead(now=now)


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """Documents of one collection that a run deleted on purpose. The shrinkage guard does not count them as lost.

    `at` is when the run had deleted them all. One that was cut, and resumed or finished by a later run, had deleted
    some of them at any time since `begun_at`, the moment that its own backup holds; None where it is not known."""

    collection: str
    at: datetime
    documents: int
    begun_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class LostHolder:
    """A run that deleted documents and whose backup is gone, though nobody removed it by name."""

    backup_id: str
    taken_at: datetime


def newest_first(backup: Backup) -> tuple[datetime, str]:
    """Return the key that orders backups by their recorded time; the id decides within one moment."""
    return backup.taken_at, backup.backup_id
