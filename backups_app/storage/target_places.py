"""The place that a name of `BACKUP_TARGETS` stands for, and which names stand for another one than before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from backups_app.backup_files.store import store_identity
from backups_app.errors import TempleOpsError
from backups_app.models import BackupCopy
from backups_app.target_settings import TargetSettings

ACCOUNTS = ("account_name", "azure_storage_account_name")
FORMER = "@"
"""Stands between the name of a target and the mark of a former place. The name of a target cannot hold it."""


def mark_of(settings: TargetSettings) -> str:
    """Return a digest of the place: for a directory of its `.store_id`, wherever its disk is mounted, for a bucket of
    its address. Empty where a directory is not there: then nobody knows which place it is."""
    if settings.is_directory:
        known = [_store_id(settings)]
    else:
        account = next((value for name in ACCOUNTS if (value := settings.option(name))), "")
        known = [settings.place, settings.prefix, settings.endpoint.rstrip("/").lower(), account]
    if not any(known):
        return ""
    return hashlib.sha256("\n".join([settings.kind, *known]).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def moved(every: Iterable[TargetSettings]) -> set[str]:
    """Return the names of the targets that stand for another place than that of copies there, made or begun."""
    places = {settings.name: mark_of(settings) for settings in every}
    rows = BackupCopy.objects.filter(target__in=places).exclude(place="").exclude(state=BackupCopy.State.REMOVED)
    found = rows.order_by().values_list("target", "place").distinct()
    return {name for name, place in found if is_other(place, places[name])}


def is_other(place: str, present: str) -> bool:
    """Whether two marks are known and differ."""
    return bool(place and present) and place != present


def former(target: str, place: str) -> str:
    """Return the name under which rows of a former place go."""
    return f"{target}{FORMER}{place[:8]}"


def name_of(target: str) -> str:
    """Return the name in `BACKUP_TARGETS` of a row's target, present or former."""
    return target.partition(FORMER)[0]


def is_former(target: str) -> bool:
    """Whether a row's target is the former place of a name."""
    return FORMER in target


def _store_id(settings: TargetSettings) -> str:
    try:
        found = store_identity.read(Path(settings.place))
    except TempleOpsError:
        return ""
    return found.id if found is not None else ""
