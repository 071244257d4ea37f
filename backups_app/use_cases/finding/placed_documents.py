"""A document of a search and where it is: live, on Atlas, in which backups."""

from __future__ import annotations

from dataclasses import dataclass

from backups_app.browsing.search.search import Hit


@dataclass(frozen=True, kw_only=True)
class PlacedVersion:
    """The same bytes in these backups, newest first; `number` is their place in the newest."""

    backup_ids: tuple[str, ...]
    number: int

    @property
    def newest(self) -> str:
        return self.backup_ids[0]

    @property
    def oldest(self) -> str:
        return self.backup_ids[-1]


@dataclass(frozen=True, kw_only=True)
class PlacedDocument:
    """One result. `number` is its place in the list. `here` and `on_atlas`: whether it is live; None where nobody could
    be asked, and for Atlas also without sync (`syncs`). `deleted_by`: the run whose ledger or result names it. `hit`
    holds its bytes, of the newest backup or else of live data; None where they cannot be read any more."""

    number: int
    collection: str
    raw_id: bytes
    here: bool | None
    on_atlas: bool | None
    syncs: bool
    deleted_by: str
    versions: tuple[PlacedVersion, ...]
    hit: Hit | None

    @property
    def last_found_in(self) -> str:
        """The newest backup in which the search found it; empty where it found none."""
        return max((version.newest for version in self.versions), default="")

    @property
    def backups(self) -> int:
        """How many backups hold it."""
        return len({backup_id for version in self.versions for backup_id in version.backup_ids})

    @property
    def is_live(self) -> bool:
        return bool(self.here or self.on_atlas)

    @property
    def is_lost(self) -> bool:
        """Whether it is certain that it is live nowhere."""
        return self.here is False and (self.on_atlas is False or not self.syncs)
