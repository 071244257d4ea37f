"""What is never removed. Pruning, removal by name and the pass over a target all ask here.

Each guard answers with the stable code of its refusal (HTTP 409). An unknown fact keeps the backup.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from backups_app.retention.facts import Backup, LostHolder, newest_first
from backups_app.retention.shrinkage import Shrinkage

NEWEST = "backup_newest"
FLOOR = "backup_floor"
PINNED = "backup_pinned"
HELD = "backup_held"
NEEDED = "backup_needed"
IN_USE = "backup_in_use"
PURGE_UNFINISHED = "purge_unfinished"
COPY_MISSING = "copy_missing"
SHRUNK = "shrunk"
HOLDER_DAMAGED = "holder_damaged"

CODES = (NEEDED, NEWEST, FLOOR, PINNED, HELD, IN_USE, PURGE_UNFINISHED, COPY_MISSING, SHRUNK, HOLDER_DAMAGED)


@dataclass(frozen=True, kw_only=True)
class Guards:
    """The guards over all backups of one database at one moment. `min_keep` is `MIN_KEEP`; `witness` is the only backup
    that shows the last shrinkage, where there is just one."""

    backups: tuple[Backup, ...]
    min_keep: int
    now: datetime
    shrinkages: Sequence[Shrinkage] = ()
    witness: str = ""
    lost_holders: Sequence[LostHolder] = ()

    def refusals(self, backup: Backup, *, needed: Container[str]) -> list[str]:
        """Return the codes of the guards that keep `backup`; none when it may go. The first is what to lift first.

        `needed` are the bases of the backups that stay (`bases`).
        """
        answers = {
            NEEDED: backup.backup_id in needed,
            NEWEST: backup.backup_id in self._newest,
            FLOOR: backup.backup_id in self._floor,
            PINNED: backup.pinned,
            HELD: backup.is_holder,
            IN_USE: backup.in_use,
            PURGE_UNFINISHED: backup.purge_unfinished,
            COPY_MISSING: backup.holds_something and not backup.copied,
            SHRUNK: backup.backup_id == self.witness or self._is_older_than_a_shrinkage(backup),
            HOLDER_DAMAGED: self.last_damaged is not None and backup.taken_at < self.last_damaged[0],
        }
        return [code for code, refused in answers.items() if refused]

    @property
    def newest_full(self) -> Backup | None:
        """The newest full backup that counts: what a pass reads again before it removes anything."""
        return next((one for one in self._counted if one.is_full), None)

    def is_newest_of_all(self, backup: Backup) -> bool:
        """Whether no newer backup counts, whatever its form."""
        return self._counted[:1] == [backup]

    def is_of_the_newest(self, backup: Backup) -> bool:
        """Whether it is one of the newest `min_keep`, full or incremental."""
        return backup in self._counted[: self.min_keep]

    @cached_property
    def _counted(self) -> list[Backup]:
        counted = [one for one in self.backups if one.counts(now=self.now)]
        return sorted(counted, key=newest_first, reverse=True)

    @cached_property
    def _newest(self) -> set[str]:
        """The newest verified backup, the newest full one, and the newest success."""
        full = [one for one in self._counted if one.is_full]
        good = [one for one in self._counted if one.success]
        return {group[0].backup_id for group in (self._counted, full, good) if group}

    @cached_property
    def _floor(self) -> set[str]:
        """The newest `min_keep`, of all and of the full ones: three incrementals on one base are one backup."""
        full = [one for one in self._counted if one.is_full]
        return {one.backup_id for group in (self._counted, full) for one in group[: self.min_keep]}

    @property
    def last_shrinkage(self) -> Shrinkage | None:
        """The newest shrinkage that nobody accepted: no backup older than it is removed."""
        return max(self.shrinkages, key=lambda one: (one.taken_at, one.backup_id), default=None)

    def _is_older_than_a_shrinkage(self, backup: Backup) -> bool:
        return self.last_shrinkage is not None and backup.taken_at < self.last_shrinkage.taken_at

    @cached_property
    def last_damaged(self) -> tuple[datetime, str] | None:
        """The newest holder that is damaged or gone, and when it was made: what it held may be in an older backup."""
        damaged = [(one.taken_at, one.backup_id) for one in self.backups if one.is_holder and not one.verified]
        return max([*damaged, *((one.taken_at, one.backup_id) for one in self.lost_holders)], default=None)


def bases(backups: Iterable[Backup], *, staying: Container[str]) -> set[str]:
    """Return the ids of the full backups that the staying incrementals need."""
    return {one.base for one in backups if one.base is not None and one.backup_id in staying}
