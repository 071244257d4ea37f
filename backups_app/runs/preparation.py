"""Opens databases and folders from the configuration: the one place that assembles what operations are handed."""

from __future__ import annotations

import hashlib
from typing import Any

from pymongo.database import Database

from backups_app import url_parts
from backups_app.backup_files import manifest as manifests
from backups_app.backup_files import metadata
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, BackupRemoved, VerificationFailed
from backups_app.messages import runs as messages
from backups_app.mongo import availability, connections
from backups_app.records import Side
from backups_app.sync.options import SyncOptions


def local_database(configuration: Configuration) -> Database[Any]:
    """Return the temple's database on the local server. Raise `LocalUrlMissing`, and `DatabaseUnreachable` where
    somebody waits for what is done with it (`lost.knocking`)."""
    client = connections.open_local(configuration)
    availability.probe(Side.LOCAL, configuration=configuration, client=client)
    return connections.database(client, configuration.database_name)


def answering_database(configuration: Configuration) -> Database[Any]:
    """As `local_database`, once the server has answered: a lost one is found in five seconds, where any other question
    would wait for 30. Raise pymongo's errors too: wrap it in `reachable`, or catch them."""
    database = local_database(configuration)
    connections.ping(database.client)
    return database


def remote_database(configuration: Configuration) -> Database[Any] | None:
    """Return the temple's database on Atlas, or None when sync is off."""
    if not configuration.sync_enabled:
        return None
    return connections.database(connections.open_remote(configuration), configuration.database_name)


def side(configuration: Configuration, which: Side) -> Database[Any]:
    """Return the temple's database on one side; ask `configuration.sync_enabled` before you want Atlas."""
    database = local_database(configuration) if which is Side.LOCAL else remote_database(configuration)
    assert database is not None, "sync is off"
    return database


def store(configuration: Configuration) -> Store:
    """Return the backup store of this host; it need not exist yet."""
    return Store(configuration.backup_dir, database=configuration.database_name)


def sync_options(configuration: Configuration) -> SyncOptions:
    """Return what the operator decided about sync."""
    return SyncOptions(
        deletes=configuration.sync_deletes,
        exclude=frozenset(configuration.sync_exclude),
        proof_days=configuration.sync_proof_days,
        remote=remote_identity(configuration),
    )


def remote_identity(configuration: Configuration) -> str:
    """Return a digest of the servers and the database that MONGODB_CLOUD_URL names. Another password, user or option
    changes nothing about it."""
    named = [*url_parts.servers(configuration.cloud_url), configuration.database_name]
    return hashlib.sha256("\n".join(named).encode()).hexdigest()[:32]


def manifest_of(backup_store: Store, *, backup_id: str) -> Manifest:
    """Return the manifest of a published backup. Raise `BackupRemoved`, or `VerificationFailed` without a manifest."""
    try:
        folder = backup_store.folder(backup_id)
    except BackupNotFound as error:
        raise BackupRemoved() from error
    try:
        return manifests.from_json(metadata.manifest_in(folder))
    except ValueError as error:
        raise VerificationFailed(problem=messages.MANIFEST_MISSING_OR_DAMAGED()) from error
