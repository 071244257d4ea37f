"""Opens what faces name: a target by its name, private keys by their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyrage.x25519 import Identity

from backups_app.configuration import Configuration
from backups_app.storage import encryption, targets
from backups_app.storage.target import StorageTarget


def target(configuration: Configuration, name: str) -> StorageTarget:
    """Return the target of this name. Raise `TargetNotFound`."""
    return targets.open_target(targets.named(configuration.targets, name))


def every_target(configuration: Configuration) -> tuple[StorageTarget, ...]:
    """Return all targets, in the order of the setting."""
    return tuple(targets.open_target(one) for one in configuration.targets)


def identities(configuration: Configuration, files: Sequence[str] = ()) -> tuple[Identity, ...]:
    """Return the private keys of these files; without any, those of `BACKUP_COPY_IDENTITY_FILE`, if that is set. Raise
    `KeyNotReadable`."""
    paths = [Path(name) for name in files]
    if not paths and configuration.copy_identity_file is not None:
        paths = [configuration.copy_identity_file]
    return tuple(identity for path in paths for identity in encryption.read_identities(path))
