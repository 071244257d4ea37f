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

CODES = (NEWEST, FLOOR, PINNED, HELD, NEEDED, IN_USE, PURGE_UNFINISHED, COPY_MISSING, SHRUNK, HOLDER_DAMAGED)


@dataclass(frozen=True, kw_only=True)
class Guards:
    """The guards over all backups of one database at one moment. `min_keep` is `MIN_KEEP`."""

    backups: tuple[Backup, ...]
    min_keep: int
    now: datetime
    shrinkages: Sequence[Shrinkage] = ()
    lost_holders: Sequence[LostHolder] = ()

    def refusals(self, backup: Backup, *, needed: Container[str]) -> list[str]:
        """Return the codes of the guards that keep `backup`; none when it may go.

        `needed` are the bases of the backups that stay (`bases`).
        """
        answers = {
            NEWEST: backup.backup_id in self._newest,
            FLOOR: backup.backup_id in self._floor,
            PINNED: backup.pinned,
            HELD: backup.is_holder,
            NEEDED: backup.backup_id in needed,
            IN_USE: backup.in_use,
            PURGE_UNFINISHED: backup.purge_unfinished,
            COPY_MISSING: backup.holds_something and not backup.copied,
            SHRUNK: self._last_shrinkage is not None and backup.taken_at < self._last_shrinkage,
            HOLDER_DAMAGED: self._last_damage is not None and backup.taken_at < self._last_damage,
        }
        return [code for code, refused in answers.items() if refused]

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

    @cached_property
    def _last_shrinkage(self) -> datetime | None:
        return max((one.taken_at for one in self.shrinkages), default=None)

    @cached_property
    def _last_damage(self) -> datetime | None:
        """When the newest holder was made that is damaged or gone: what it held may be in an older backup."""
        damaged = [one.taken_at for one in self.backups if one.is_holder and not one.verified]
        return max([*damaged, *(one.taken_at for one in self.lost_holders)], default=None)


def bases(backups: Iterable[Backup], *, staying: Container[str]) -> set[str]:
    """Return the ids of the full backups that the staying incrementals need."""
    return {one.base for one in backups if one.base is not None and one.backup_id in staying}
