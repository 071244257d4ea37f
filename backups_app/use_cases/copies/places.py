"""The targets of the configuration, opened."""

from __future__ import annotations

from backups_app.configuration import Configuration
from backups_app.storage import targets
from backups_app.storage.target import StorageTarget
from backups_app.target_settings import TargetSettings


def settings_of(configuration: Configuration, name: str) -> TargetSettings:
    """Return the settings of a target by its name. Raise `TargetNotFound`."""
    return targets.named(configuration.targets, name)


def open_target(configuration: Configuration, name: str) -> StorageTarget:
    """Return a target by its name. Raise `TargetNotFound`."""
    return targets.open_target(settings_of(configuration, name))
