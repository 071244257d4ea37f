"""Test copies and scratch databases: made, listed, removed. Only this module drops a database, and only a marked one.

A copy bears one document in a collection of its own: which temple made it, from which backup, what for. Several temples
may share a server: what another one made is neither listed nor written to nor dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure
from pymongo.write_concern import WriteConcern

from backups_app.errors import (
    CopyNotAllowed,
    InvalidInput,
    NotATestCopy,
    RestoreTargetTaken,
    TargetIsTestCopy,
    TargetOfAnotherTemple,
)
from backups_app.mongo import scratch_names

MARKER = "templeops_test_copy"
TEST_COPY, REHEARSAL = "test copy", "rehearsal"
_ID = "templeops"
_KIND = "a copy made by TempleOps; it may be dropped"
_DURABLE = WriteConcern(w="majority", j=True)
_UNAUTHORIZED, _INVALID_NAMESPACE, _DIFFERS_IN_CASE = 13, 73, 13297

Client = MongoClient[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ScratchCopy:
    """A marked database of this temple. `purpose` is `TEST_COPY` or `REHEARSAL`."""

    database: str
    backup_id: str
    purpose: str
    created_by: str
    created_at: datetime
    size_bytes: int


def make(
    client: Client, *, name: str, temple: str, backup_id: str, purpose: str, created_by: str, now: datetime
) -> Database[Any]:
    """Mark a database as a copy before anything is written into it, and return it. One that this temple has marked for
    the same purpose is used again.

    Raise `RestoreTargetTaken` when it holds collections and no such mark, `CopyNotAllowed`, InvalidInput.
    """
    scratch_names.check_name(name, temple=temple)
    database = client.get_database(name, write_concern=_DURABLE)
    with allowed(name):
        there = _mark_of(database)
        if there is not None:
            _require_the_same(there, database=name, temple=temple, purpose=purpose)
            return database
        if database.list_collection_names():
            raise RestoreTargetTaken(database=name)
        mark = {"_id": _ID, "kind": _KIND, "temple": temple, "backup_id": backup_id, "purpose": purpose}
        try:
            database[MARKER].insert_one(mark | {"created_by": created_by, "created_at": now})
        except OperationFailure as error:
            raise _refusal(error, name) from error
    return database


def _refusal(error: OperationFailure, name: str) -> Exception:
    """Return what a refusal of the first write says of the name; itself, when it says nothing of it."""
    if error.code == _DIFFERS_IN_CASE:
        return RestoreTargetTaken(database=name)
    return InvalidInput(message=scratch_names.NOT_A_NAME) if error.code == _INVALID_NAMESPACE else error


def _require_the_same(mark: Mapping[str, Any], *, database: str, temple: str, purpose: str) -> None:
    """Raise `RestoreTargetTaken` where another temple made a copy, or this one for another purpose."""
    if not _is_of(temple, mark, database=database):
        raise TargetOfAnotherTemple(database=database)
    if mark.get("purpose") != purpose:
        raise TargetIsTestCopy(database=database) if purpose == REHEARSAL else RestoreTargetTaken(database=database)


def _is_of(temple: str, mark: Mapping[str, Any], *, database: str) -> bool:
    """Whether a temple made a copy. A mark from before marks named the temple is known by the name of its database."""
    if "temple" in mark:
        return bool(mark["temple"] == temple)
    if mark.get("purpose") == REHEARSAL:
        return database == scratch_names.rehearsal_name(temple)
    proposed = scratch_names.name_beside(temple, ending=f"_restore_{mark.get('backup_id')}")
    return database == proposed or database.startswith(temple)


def is_copy(database: Database[Any], *, temple: str) -> bool:
    """Return whether the database bears the mark of this temple. Raise pymongo's errors."""
    mark = _mark_of(database)
    return mark is not None and _is_of(temple, mark, database=database.name)


def listing(client: Client, *, temple: str) -> tuple[ScratchCopy, ...]:
    """Return the databases that this temple marked and our user may see, newest first. Raise pymongo's errors."""
    found = []
    for entry in client.list_databases(authorizedDatabases=True):
        if entry["name"] in scratch_names.SERVERS_OWN or entry["name"] == temple:
            continue
        mark = _mark_we_may_see(client.get_database(entry["name"]))
        if mark is not None and _is_of(temple, mark, database=entry["name"]):
            found.append(_copy(entry["name"], mark, int(entry.get("sizeOnDisk", 0))))
    return tuple(sorted(found, key=lambda copy: copy.created_at, reverse=True))


def remove(client: Client, *, name: str, temple: str) -> None:
    """Drop a database that this temple marked. Raise `NotATestCopy` for any other, `CopyNotAllowed`, InvalidInput."""
    scratch_names.check_name(name, temple=temple)
    database = client.get_database(name, write_concern=_DURABLE)
    with allowed(name):
        if not is_copy(database, temple=temple):
            raise NotATestCopy(database=name)
        client.drop_database(database)


@contextmanager
def lent(
    client: Client, *, name: str, temple: str, backup_id: str, created_by: str, now: datetime
) -> Iterator[Database[Any]]:
    """Make a copy for a rehearsal and drop it at the end, however it ends. Raises as `make`."""
    database = make(
        client, name=name, temple=temple, backup_id=backup_id, purpose=REHEARSAL, created_by=created_by, now=now
    )
    try:
        yield database
    finally:
        remove(client, name=name, temple=temple)


def _mark_of(database: Database[Any]) -> dict[str, Any] | None:
    return database[MARKER].find_one({"_id": _ID, "kind": _KIND})


def _mark_we_may_see(database: Database[Any]) -> dict[str, Any] | None:
    try:
        return _mark_of(database)
    except OperationFailure as error:
        if not is_refused_to_us(error):
            raise
        return None


def is_refused_to_us(error: Exception) -> bool:
    """Whether the server says that our user has not the right."""
    return isinstance(error, OperationFailure) and error.code == _UNAUTHORIZED


def _copy(name: str, mark: dict[str, Any], size_bytes: int) -> ScratchCopy:
    at = mark["created_at"]
    return ScratchCopy(
        database=name,
        backup_id=str(mark.get("backup_id", "")),
        purpose=str(mark.get("purpose", "")),
        created_by=str(mark.get("created_by", "")),
        created_at=at if at.tzinfo else at.replace(tzinfo=UTC),
        size_bytes=size_bytes,
    )


@contextmanager
def allowed(name: str) -> Iterator[None]:
    """Turn the server's refusal to let our user do something into `CopyNotAllowed`."""
    try:
        yield
    except OperationFailure as error:
        if not is_refused_to_us(error):
            raise
        raise CopyNotAllowed(database=name) from error
