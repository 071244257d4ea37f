"""May a run start now? One answer behind status, checks, buttons and the trigger itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from backups_app import formats
from backups_app.backup_files.store.store import DiskUsage, Store
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
from backups_app.messages.message import Message
from backups_app.mongo import availability, connections
from backups_app.mongo.connections import MongoDatabase
from backups_app.mongo.refusals import rights
from backups_app.records import INTERNAL, Side
from backups_app.runs import base_choice, preparation
from backups_app.runs.steps import preflight
from backups_app.use_cases.readiness.mode import require_local as require_local

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

    full_has_room: bool = True
    """False where an incremental may start and the disk has no room for a full backup."""

    @property
    def ready(self) -> bool:
        return not self.refusals


def require_ready(
    *, configuration: Configuration, may_be_empty: bool = False, incremental_at: datetime | None = None
) -> None:
    """Raise the first reason why no run may start now. Another run is refused by the index, not here.

    With `may_be_empty` a database that does not exist yet is no reason: a restore makes it. An incremental that begins
    at `incremental_at` needs room for what it will write: for a full backup only where it will be one.
    """
    for refusal in _refusals(
        configuration, _Findings(), may_be_empty=may_be_empty, incremental_at=incremental_at, fresh=True
    ):
        raise refusal


def check_readiness(
    *, configuration: Configuration, fresh: bool = False, incremental_at: datetime | None = None
) -> Readiness:
    """Return every reason why no run may start now; nothing is raised and nothing written. With `incremental_at` the
    room is that of an incremental that begins then.

    A page that is shown takes it that a server is lost when it was a moment ago, unless it wants it looked at `fresh`.
    """
    found = _Findings()
    refusals = tuple(_refusals(configuration, found, fresh=fresh, incremental_at=incremental_at))
    return Readiness(
        refusals=refusals,
        engine=found.engine,
        data_bytes=found.data_bytes,
        disk=found.disk,
        local=found.local,
        missing_rights=found.missing_rights,
        full_has_room=bool(refusals) or incremental_at is None or _has_room_for_a_full_one(found),
    )


def _has_room_for_a_full_one(found: _Findings) -> bool:
    if found.disk is None or found.data_bytes is None:
        return True  # what is not known is a refusal of its own
    return found.disk.free_bytes >= preflight.needed_bytes(found.data_bytes)


def first_refusal(*, configuration: Configuration) -> TempleOpsError | None:
    """Return the first reason why no run may start now, None where one may, for a page that shows it: as
    `check_readiness`, with three questions to the server instead of eight."""
    return next(_refusals(configuration, None, fresh=False), None)


def connection_warnings(configuration: Configuration) -> list[str]:
    """Return a sentence for each option of a URL that is not obeyed, such as a secondary read preference."""
    sentences: list[str] = []
    for name, url in (("MONGODB_LOCAL_URL", configuration.local_url), ("MONGODB_CLOUD_URL", configuration.cloud_url)):
        sentences += [
            messages.URL_OPTION_NOT_OBEYED(option=option, variable=name) for option in connections.overridden(url)
        ]
    return sentences


@dataclass
class _Findings:
    engine: str = ""
    data_bytes: int | None = None
    disk: DiskUsage | None = None
    local: connections.ServerFacts | None = None
    missing_rights: tuple[str, ...] = ()


def _refusals(
    configuration: Configuration,
    found: _Findings | None,
    *,
    may_be_empty: bool = False,
    incremental_at: datetime | None = None,
    fresh: bool,
) -> Iterator[TempleOpsError]:
    """Look in the order in which an admin would mend things. A later look is left out where it needs an earlier one.
    Without `found` nothing is asked that makes no reason."""
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
            if found is not None:
                found.local = connections.facts(database.client)
            connections.require_unsharded(database.client, side=Side.LOCAL)
            if not may_be_empty or configuration.database_name in NEVER_A_TEMPLE:
                _require_temple(database, configuration)
            known = lease.known_stores(database)
            data_bytes = int(database.command("dbStats")["dataSize"])
            if found is not None:
                found.data_bytes, found.missing_rights = data_bytes, rights.missing(database)
    except (DatabaseUnreachable, DatabaseRefused, DatabaseNotFound) as refusal:
        yield refusal
        return
    if not others:
        needed = partial(needed_bytes, configuration, data_bytes=data_bytes, incremental_at=incremental_at)
        yield from _store(store, known=known, needed_bytes=needed, found=found)


def _engine(configuration: Configuration, found: _Findings | None) -> Iterator[TempleOpsError]:
    try:
        name = engine.choose(setting=configuration.backup_engine).name
        if found is not None:
            found.engine = name
    except TempleOpsError as refusal:
        yield refusal


def _require_temple(database: MongoDatabase, configuration: Configuration) -> None:
    """The database must hold a collection that is not ours: writing the run document would create a wrong one."""
    name = configuration.database_name
    if name in NEVER_A_TEMPLE:
        raise DatabaseNotFound(database=name)
    names = set(database.list_collection_names())  # who has no right to list sees that, not that there is nothing
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


def _store(
    store: Store, *, known: Collection[str], needed_bytes: Callable[[], int], found: _Findings | None
) -> Iterator[TempleOpsError]:
    """The folder must be the store that earlier backups went to, writable, and have room."""
    try:
        if known and store.store_id() not in known:
            yield StoreMissing()
            return
        if not _writable(store):
            yield NoFolderToBegin(errno_name="EACCES")
            return
        disk, needed = store.usage(), needed_bytes()
    except TempleOpsError as refusal:
        yield refusal
        return
    if found is not None:
        found.disk = disk
    if disk.free_bytes < needed:
        yield NoRoomToBegin(needed=formats.size(needed), free=formats.size(disk.free_bytes))


def needed_bytes(configuration: Configuration, *, data_bytes: int, incremental_at: datetime | None) -> int:
    """Return the free space that a backup of a database of `data_bytes` wants: a full one, or the incremental that
    begins at `incremental_at`. Raise `StorageFailed`."""
    base = None
    if incremental_at is not None:
        chosen = base_choice.choose(
            configuration=configuration, store=preparation.store(configuration), now=incremental_at
        )
        base = None if isinstance(chosen, Message) else chosen
    return preflight.needed_bytes(base_choice.bytes_to_write(base, data_bytes=data_bytes))


def _writable(store: Store) -> bool:
    if os.path.lexists(store.root):
        return store.root.is_dir() and not store.root.is_symlink() and os.access(store.root, os.W_OK | os.X_OK)
    return os.access(store.root.parent, os.W_OK | os.X_OK)
