"""What our user of MongoDB may do in a database, asked without writing anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.mongo.refusals.refusals import LIST, READ, REMOVE, WRITE

_NEEDED = {
    LIST: frozenset({"listCollections"}),
    READ: frozenset({"find"}),
    WRITE: frozenset({"insert", "update", "createCollection", "createIndex"}),
    REMOVE: frozenset({"remove"}),
}


def missing(database: Database[Any]) -> tuple[str, ...]:
    """Return what our user has no right to do in this database, of listing, reading, writing and removing: what holds
    for the whole database counts, for a backup is of all of it. Empty where the server asks nobody for rights, or does
    not report. Raise pymongo's errors when it does not answer, or refuses the login."""
    try:
        status = database.client.admin.command("connectionStatus", showPrivileges=True)["authInfo"]
    except OperationFailure as error:
        if error.timeout or error.code != _NO_SUCH_OPTION:
            raise
        return ()
    if not status.get("authenticatedUsers"):
        database.command("listCollections", nameOnly=True, filter={"name": ""})  # refused where a login is demanded
        return ()
    actions = _actions(status.get("authenticatedUserPrivileges") or (), database.name)
    lacks = tuple(what for what, needed in _NEEDED.items() if not needed <= actions)
    return lacks if lacks and _rights_matter(database, status) else ()


_NO_SUCH_OPTION = 72


def _actions(privileges: Iterable[Mapping[str, Any]], database: str) -> frozenset[str]:
    """Return the actions that are allowed on every collection of a database."""
    found: set[str] = set()
    for privilege in privileges:
        resource = privilege["resource"]
        whole = resource.get("db") in ("", database) and resource.get("collection") == ""
        if whole or resource.get("anyResource"):
            found |= set(privilege["actions"])
    return frozenset(found)


def _rights_matter(database: Database[Any], status: Mapping[str, Any]) -> bool:
    """Whether the server asks for rights at all: one without access control knows users too, and lets them do
    everything. Then it lets our user do what they have no right to: listing every database."""
    may = any(
        privilege["resource"].get("cluster") and "listDatabases" in privilege["actions"]
        for privilege in status.get("authenticatedUserPrivileges") or ()
    )
    if may:
        return True
    try:
        database.client.admin.command("listDatabases", nameOnly=True, authorizedDatabases=False)
    except OperationFailure as error:
        if error.timeout:
            raise
        return True
    return False
