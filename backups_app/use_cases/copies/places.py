"""The targets of the configuration, opened, and whether each is elsewhere."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from pymongo.errors import PyMongoError

from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import availability
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.storage import targets
from backups_app.storage.target import StorageTarget
from backups_app.target_settings import TargetSettings

LOOK_SECONDS = 2


def settings_of(configuration: Configuration, name: str) -> TargetSettings:
    """Return the settings of a target by its name. Raise `TargetNotFound`."""
    return targets.named(configuration.targets, name)


def open_target(configuration: Configuration, name: str) -> StorageTarget:
    """Return a target by its name. Raise `TargetNotFound`."""
    return targets.open_target(settings_of(configuration, name))


def is_elsewhere(configuration: Configuration, target: TargetSettings) -> bool:
    """Return whether a copy there survives this computer."""
    here = [configuration.backup_dir]
    if target.is_directory:
        here += [*_django_database(), *_mongodb_folder(configuration)]
    return targets.is_elsewhere(target, here=here)


def _django_database() -> list[Path]:
    default = settings.DATABASES["default"]
    return [Path(str(default.get("NAME"))).parent] if str(default.get("ENGINE")).endswith("sqlite3") else []


def _mongodb_folder(configuration: Configuration) -> list[Path]:
    """Return the data folder of the local server, where it runs on this computer and tells."""
    host = urlsplit(str(configuration.local_url)).hostname or ""
    return [Path(found)] if targets.is_this_computer(host) and (found := _data_folder(configuration)) else []


@lru_cache(maxsize=8)
def _data_folder(configuration: Configuration) -> str:
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS):
            client = preparation.local_database(configuration).client
            answer = client.admin.command("getCmdLineOpts")
            return str(answer.get("parsed", {}).get("storage", {}).get("dbPath", ""))
    except (PyMongoError, TempleOpsError):
        return ""
