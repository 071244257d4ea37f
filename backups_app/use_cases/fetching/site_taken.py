"""Which site a fetch is about: ours, the one that a person named, or the only one at the target. A machine without an
id goes on as that one with the first backup that comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pyrage.x25519 import Identity

from backups_app.configuration import Configuration
from backups_app.storage import site_ids
from backups_app.storage.target import StorageTarget
from backups_app.use_cases.copies import unknown
from backups_app.use_cases.copy_choices import CopyChoice
from backups_app.use_cases.copy_sites import Sites, own_site


def sites_at(
    target: StorageTarget, *, configuration: Configuration, identities: Sequence[Identity], database: str, named: str
) -> Sites:
    """Return whose copies lie at a target. Raise `SiteNotFound`, `SeveralSites` for a site that is named."""
    sites = Sites(target=target, identities=identities, database=database, meant=own_site(configuration))
    if named:
        sites.mean(named)
    return sites


def go_on_as(site: str, *, configuration: Configuration, now: datetime) -> None:
    """Be this site from now on, where this machine is none yet."""
    if not own_site(configuration):
        site_ids.take_over(site, now=now)


def record_copy(
    choice: CopyChoice, *, configuration: Configuration, target: StorageTarget, site: str, now: datetime
) -> None:
    """All of the copy was read just now: it counts, and the worker does not copy the backup there once more. One of
    another site, which somebody named, is copied again as ours: after the next fire all is of one site."""
    assert choice.contents is not None
    go_on_as(site, configuration=configuration, now=now)  # first: with the row this machine knows a copy of its own
    is_ours = choice.contents.site_id in ("", own_site(configuration))
    if is_ours and target.name in {one.name for one in configuration.targets}:
        unknown.record(
            configuration=configuration, target=target.name, found=choice.found, contents=choice.contents, now=now
        )
