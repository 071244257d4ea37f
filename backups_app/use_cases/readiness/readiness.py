"""May a run start now? One answer behind status, checks, buttons and the trigger itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from backups_app import formats
from backups_app.backup_files.store import DiskUsage, Store
from backups_app.catalog import lease
from backups_app.configuration import Configuration
from backups_app.dump import engine
from backups_app.errors import (
    DatabaseNotFound,
    DatabaseRefused,
    DatabaseUnreachable,
    LocalUrlMissing,
    ModeNotLocal,
    NoFolderToBegin,
    NoRoomToBegin,
    StoreMissing,
    StoreOfAnotherDatabase,
    TempleOpsError,
)
from backups_app.messages import use_cases as messages
from backups_app.mongo import availability, connections, rights
from backups_app.mongo.connections import MongoDatabase
from backups_app.records import INTERNAL, Side
from backups_app.runs import preparation
from backups_app.runs.steps import preflight

LOOK_SECONDS = 2
NEVER_A_TEMPLE = frozenset({"admin", "local", "config"})


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether a run may start, and if not every reason, the first one first. `engine` is the one that would be used."""

    refusals: tuple[TempleOpsError, ...]
    engine: str
    data_bytes: int | None
    disk: DiskUsage | None
    local: connections.ServerFacts | None
    missing_rights: tuple[str, ...] = ()
    """What our user has no right to do in the local database (`mongo/rights.py`)."""

    @property
    def ready(self) -> bool:
        return not self.refusals


def require_local(configuration: Configuration) -> None:
    """Raise `ModeNotLocal` in cloud mode."""
    if not configuration.is_local:
        raise ModeNotLocal()


def require_ready(*, configuration: Configuration, may_be_empty: bool = False) -> None:
    """Raise the first reason why no run may start now. Another run is refused by the index, not here.

    With `may_be_empty` a database that does not exist yet is no reason: a restore makes it.
    """
    for refusal in _refusals(configuration, _Findings(), may_be_empty=may_be_empty, fresh=True):
        raise refusal


def check_readiness(*, configuration: Configuration, fresh: bool = False) -> Readiness:
    """Return every reason why no run may start now; nothing is raised and nothing written.

    A page that is shown believes that a server is lost when it was a moment ago, unless it wants it looked at `fresh`.
    """
    found = _Findings()
    refusals = tuple(_refusals(configuration, found, fresh=fresh))
    return Readiness(
        refusals=refusals,
        engine=found.engine,
        data_bytes=found.data_bytes,
        disk=found.disk,
        local=found.local,
        missing_rights=found.missing_rights,
    )


def connection_warnings(configuration: Configuration) -> list[str]:
    """Return a sentence for each option of a URL that is not obeyed, such as a secondary read preference."""
    said: list[str] = []
    for name, url in (("MONGODB_LOCAL_URL", configuration.local_url), ("MONGODB_CLOUD_URL", configuration.cloud_url)):
        said += [messages.URL_OPTION_NOT_OBEYED(option=option, variable=name) for option in connections.overridden(url)]
    return said


@dataclass
class _Findings:
    engine: str = ""
    data_bytes: int | None = None
    disk: DiskUsage | None = None
    local: connections.ServerFacts | None = None
    missing_rights: tuple[str, ...] = ()


def _refusals(
    configuration: Configuration, found: _Findings, *, may_be_empty: bool = False, fresh: bool
) -> Iterator[TempleOpsError]:
    """Look in the order in which an admin would mend things. A later look is left out where it needs an earlier one."""
    if not configuration.is_local:
        yield ModeNotLocal()
        return
    if not configuration.local_url:
        yield LocalUrlMissing()
        return
    yield from _engine(configuration, found)
    store = preparation.store(configuration)
    others = tuple(_of_another_database(store))
    yield from others
    try:
        database = preparation.local_database(configuration)
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS, fresh=fresh):
            found.local = connections.facts(database.client)
            if not may_be_empty or configuration.database_name in NEVER_A_TEMPLE:
                _require_temple(database, configuration)
            known = lease.known_stores(database)
            found.data_bytes = int(database.command("dbStats")["dataSize"])
            found.missing_rights = rights.missing(database)
    except (DatabaseUnreachable, DatabaseRefused, DatabaseNotFound) as refusal:
        yield refusal
        return
    if not others:
        yield from _store(store, known=known, found=found)


def _engine(configuration: Configuration, found: _Findings) -> Iterator[TempleOpsError]:
    try:
        found.engine = engine.choose(setting=configuration.backup_engine).name
    except TempleOpsError as refusal:
        yield refusal


def _require_temple(database: MongoDatabase, configuration: Configuration) -> None:
    """The database must hold a collection that is not ours: writing the run document would create a wrong one."""
    name = configuration.database_name
    if name in NEVER_A_TEMPLE:
        raise DatabaseNotFound(database=name)
    seen = database.client.list_database_names()
    if name not in seen and name.lower() in (other.lower() for other in seen):
        raise DatabaseNotFound(database=name)
    names = set(database.list_collection_names())  # who has no right to list is told so, not that there is nothing
    if not {other for other in names if other not in INTERNAL and not other.startswith("system.")}:
        raise DatabaseNotFound(database=name)


def _of_another_database(store: Store) -> Iterator[TempleOpsError]:
    """Two databases in one folder would take each other's unfinished backups for left-overs."""
    try:
        store.require_ours()
    except StoreOfAnotherDatabase as refusal:
        yield refusal
    except TempleOpsError:  # the folder cannot be read: `_store` says so
        return


def _store(store: Store, *, known: object, found: _Findings) -> Iterator[TempleOpsError]:
    """The folder must be the store that earlier backups went to, writable, and have room."""
    assert isinstance(known, list)
    try:
        if known and store.store_id() not in known:
            yield StoreMissing()
            return
        if not _writable(store):
            yield NoFolderToBegin(errno_name="EACCES")
            return
        found.disk = store.usage()
    except TempleOpsError as refusal:
        yield refusal
        return
    if found.disk is not None and found.data_bytes is not None:
        needed = preflight.needed_bytes(found.data_bytes)
        if found.disk.free_bytes < needed:
            yield NoRoomToBegin(needed=formats.size(needed), free=formats.size(found.disk.free_bytes))


def _writable(store: Store) -> bool:
    if os.path.lexists(store.root):
        return store.root.is_dir() and not store.root.is_symlink() and os.access(store.root, os.W_OK | os.X_OK)
    return os.access(store.root.parent, os.W_OK | os.X_OK)
