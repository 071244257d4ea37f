"""Whose copies lie at a target: those of this site, and of other temples whose database has the same name.

1. A copy that names a site belongs to it. Which site is meant: ours, the one that a person named, else the only one.
2. A copy from before they named one counts as ours, unless copies of another site lie there too. Then it counts where a
   row here knows it, or where the backup folder that it names is the one that our id comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pyrage.x25519 import Identity

from backups_app.configuration import Configuration
from backups_app.errors import (
    CopyOfAnotherDatabase,
    CopyOfAnotherSite,
    CopySiteUnknown,
    SeveralSites,
    SiteNotFound,
    TempleOpsError,
)
from backups_app.runs import preparation
from backups_app.runs.copies import own_copies
from backups_app.runs.description import folder_records
from backups_app.storage import copy_reading, site_ids
from backups_app.storage.copy_manifest import Contents
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.target import StorageTarget

LONGEST_HOST = 64


def own_site(configuration: Configuration) -> str:
    """Return the id of this site; empty on a machine that has none yet."""
    return site_ids.own(store_id=preparation.store(configuration).store_id())


def problem_of_site(
    configuration: Configuration, *, target: str, found: FoundCopy, contents: Contents
) -> CopyOfAnotherSite | None:
    """Return the failure of a copy that another site made, of a backup that is not here; None of any other, and on a
    machine that has no id yet."""
    ours = own_site(configuration)
    if not ours or contents.site_id in ("", ours) or own_copies.is_here(configuration, found.backup_id):
        return None
    return _of_another(target, found.backup_id, contents.site_id)


def problem_in_clear(configuration: Configuration, found: FoundCopy) -> TempleOpsError | None:
    """Return the failure of a copy that is not encrypted and says that it is another temple's: of another database, or
    of another site. None of any other, and of one that cannot be read."""
    if found.manifest is None or found.manifest.encrypted:
        return None
    try:
        contents = copy_reading.open_contents(found, identities=())
        own_copies.require_database(configuration, target="", found=found, contents=contents)
    except CopyOfAnotherDatabase as error:
        return error
    except TempleOpsError:
        return None
    return problem_of_site(configuration, target="", found=found, contents=contents)


@dataclass(frozen=True, kw_only=True)
class SiteThere:
    """One site of which copies lie at a target: its newest backup, and the host that made that."""

    site: str
    newest: str
    host: str

    def __str__(self) -> str:
        return f"{self.site[: site_ids.SHORT]} ({', '.join(filter(None, [self.host, self.newest]))})"


@dataclass(kw_only=True)
class Sites:
    """Says of each copy at a target whether it is of the site that is `meant`, an id; empty: not known yet.
    `database` is ours: copies of others are no matter of it."""

    target: StorageTarget
    identities: Sequence[Identity] = field(repr=False)
    database: str
    meant: str = ""

    @cached_property
    def every_copy(self) -> list[FoundCopy]:
        """Every copy there, read once."""
        return list(copy_reading.find(self.target))

    def find(self, only: str | None = None) -> Iterator[FoundCopy]:
        """Yield what `copy_reading.find` yields; what was read already is not read again."""
        if "every_copy" in self.__dict__:
            return (one for one in self.every_copy if only in (None, one.backup_id))
        return copy_reading.find(self.target, only=only)

    @cached_property
    def there(self) -> list[SiteThere]:
        """The sites whose copies lie there and open, by their ids. Every manifest is read for it, once."""
        return self.among(self._opened())

    def among(self, copies: Iterable[tuple[FoundCopy, Contents]]) -> list[SiteThere]:
        """Return the sites of these copies."""
        newest: dict[str, SiteThere] = {}
        for found, contents in copies:
            if contents.site_id and not folder_records.other_database(contents.metadata, database=self.database):
                one = SiteThere(site=contents.site_id, newest=found.backup_id, host=_host(contents))
                newest[one.site] = max(one, newest.get(one.site, one), key=lambda site: site.newest)
        return [newest[site] for site in sorted(newest)]

    def mean(self, named: str) -> None:
        """Take the site that a person named, by its id or the first digits of it. Raise `SiteNotFound`, and
        `SeveralSites` where these are the digits of several."""
        found = [one for one in self.there if one.site.startswith(named.lower())]
        if not found:
            raise SiteNotFound(target=self.target.name, site=named)
        self._only_one(found)

    def require_one(self, *, backup_id: str = "") -> None:
        """Where it is not known which site is meant, it is the only one there; of one backup, the only one that has it.
        Raise `SeveralSites`."""
        if self.meant:
            return
        having = self.among(self._opened(only=backup_id)) if backup_id else self.there
        if not having and len(self.there) == 1:  # a copy that names none
            having = self.there
        self._only_one(having)

    def problem(self, found: FoundCopy, contents: Contents, *, by_id: bool = False) -> TempleOpsError | None:
        """Return the failure of a copy that is not of the site that is meant; None of one that is. `by_id`: somebody
        asked for this backup, so that one which names no site is what he means."""
        if not self.meant or folder_records.other_database(contents.metadata, database=self.database):
            return None
        if contents.site_id:
            is_ours = contents.site_id == self.meant
            return None if is_ours else _of_another(self.target.name, found.backup_id, contents.site_id)
        if by_id or contents.metadata.get("store_id") == self.meant or own_copies.is_known(self.target.name, found):
            return None
        is_alone = all(one.site == self.meant for one in self.there)
        return None if is_alone else CopySiteUnknown(target=self.target.name, backup_id=found.backup_id)

    def _only_one(self, found: Sequence[SiteThere]) -> None:
        if len(found) > 1:
            example = found[0].site[: site_ids.SHORT]
            named = "; ".join(map(str, found))
            raise SeveralSites(target=self.target.name, n=len(found), sites=named, example=example)
        self.meant = found[0].site if found else ""

    def _opened(self, only: str | None = None) -> Iterator[tuple[FoundCopy, Contents]]:
        """Yield the copies that open. A readable one beside encrypted ones says nothing: anybody may have made it."""
        every = self.every_copy if only is None else list(self.find(only))
        encrypted = any(one.manifest is not None and one.manifest.encrypted for one in every)
        for found in every:
            if found.manifest is None or (encrypted and not found.manifest.encrypted):
                continue
            try:
                yield found, copy_reading.open_contents(found, identities=self.identities)
            except TempleOpsError:
                continue


def _of_another(target: str, backup_id: str, site: str) -> CopyOfAnotherSite:
    return CopyOfAnotherSite(target=target, backup_id=backup_id, site=site[: site_ids.SHORT])


def _host(contents: Contents) -> str:
    return str(contents.metadata.get("host") or "")[:LONGEST_HOST]
