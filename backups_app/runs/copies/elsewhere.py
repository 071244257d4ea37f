"""Whether a copy at a target survives this computer, as it is now, and at which targets copies count.

A row says what was true when the copy was made. A target may have moved since: its folder to this computer's disk, or
the backups to the disk of the target.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from pymongo.errors import PyMongoError

from backups_app import url_parts
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import availability
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.storage import target_looks, targets
from backups_app.target_settings import TargetSettings

LOOK_SECONDS = 2


def is_elsewhere(configuration: Configuration, target: TargetSettings) -> bool:
    """Return whether a copy there survives this computer."""
    here = [configuration.backup_dir]
    if target.is_directory:
        here += [*_django_database(), *_mongodb_folder(configuration)]
    return targets.is_elsewhere(target, here=here)


def trusted_targets(configuration: Configuration, *, now: datetime) -> list[str]:
    """Return the names of the targets whose copies may count: each is elsewhere now, and answers."""
    return [one.name for one in _answering(configuration, now) if is_elsewhere(configuration, one)]


def silent_targets(configuration: Configuration, *, now: datetime) -> list[str]:
    """Return the names of the targets whose copies do not count because they do not answer."""
    return list(target_looks.distrusted(configuration.targets, now=now))


def targets_here(configuration: Configuration, *, now: datetime) -> set[str]:
    """Return the names of the targets that are there and are on this computer now."""
    return {one.name for one in _answering(configuration, now) if not is_elsewhere(configuration, one)}


def _answering(configuration: Configuration, now: datetime) -> list[TargetSettings]:
    silent = target_looks.distrusted(configuration.targets, now=now)
    return [one for one in configuration.targets if one.name not in silent]


def _django_database() -> list[Path]:
    default = settings.DATABASES["default"]
    return [Path(str(default.get("NAME"))).parent] if str(default.get("ENGINE")).endswith("sqlite3") else []


def _mongodb_folder(configuration: Configuration) -> list[Path]:
    """Return the data folder of the local server, where it runs on this computer and says."""
    if not targets.is_this_computer(url_parts.host(str(configuration.local_url))):
        return []
    try:
        found = _data_folder(configuration)
    except (PyMongoError, TempleOpsError):
        return []
    return [Path(found)] if found else []


@lru_cache(maxsize=8)
def _data_folder(configuration: Configuration) -> str:
    """Return what the server answered; a failure is raised, and so not remembered."""
    with availability.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS):
        client = preparation.local_database(configuration).client
        answer = client.admin.command("getCmdLineOpts")
        return str(answer.get("parsed", {}).get("storage", {}).get("dbPath", ""))
