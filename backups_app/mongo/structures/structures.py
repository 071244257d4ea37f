"""Collections as structures: their options and indexes, read from a server and made on one. Never their documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from backups_app.messages import mongo as messages
from backups_app.mongo import connections

_ORDERED: CodecOptions[Any] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO, tz_aware=True)
OBSOLETE_OPTIONS = frozenset({"autoIndexId", "flags"})
NOT_OPTIONS = frozenset({"uuid", "create"}) | OBSOLETE_OPTIONS
NOT_INDEX = frozenset({"ns", "background", "v"})
"""What a server sets itself, or no longer knows. An index gets the version that the server makes by itself."""

_NAMESPACE_EXISTS, _NAMESPACE_NOT_FOUND = 48, 26
_NO_NAMESPACE = frozenset({_NAMESPACE_NOT_FOUND, 166})


@dataclass(frozen=True, kw_only=True)
class Structure:
    """`type` is collection, view or timeseries. A view has no indexes."""

    name: str
    type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Mapping[str, Any], ...] = ()


def all_of(database: Database[Any]) -> dict[str, Structure]:
    """Return every collection and view of a database by name, without its indexes. Raise pymongo's errors."""
    ordered = database.client.get_database(database.name, codec_options=_ORDERED)
    return {info["name"]: _structure(info) for info in ordered.list_collections()}


def structure_of(database: Database[Any], name: str) -> Structure | None:
    """Return a collection or view with its indexes, or None when it is not there. Raise pymongo's errors."""
    ordered = database.client.get_database(database.name, codec_options=_ORDERED)
    info = next(iter(ordered.list_collections(filter={"name": name})), None)
    return None if info is None else with_indexes(database, _structure(info))


def with_indexes(database: Database[Any], structure: Structure) -> Structure:
    """Return the structure with its indexes. Raise pymongo's errors."""
    if structure.type == "view":
        return structure
    try:
        # By command: pymongo refuses some names that servers take. One answer holds all of the 64 allowed.
        command = {"listIndexes": structure.name, "cursor": {"batchSize": 1000}}
        reply = database.command(command, codec_options=_ORDERED)
        found = tuple(index_definition(spec) for spec in reply["cursor"]["firstBatch"])
    except OperationFailure as error:
        if error.code not in _NO_NAMESPACE:
            raise
        found = ()
    return Structure(name=structure.name, type=structure.type, options=structure.options, indexes=found)


def create(
    database: Database[Any], *, name: str, options: Mapping[str, Any], id_index: Mapping[str, Any] | None
) -> bool:
    """Create a collection or view with these options. Return False when there is one of this name. Raise pymongo's
    errors; `id_index` is needed where the collation is not the simple one."""
    command: dict[str, Any] = {"create": name, **_options(options)}
    if id_index is not None and "collation" in id_index:
        command["idIndex"] = index_definition(id_index)
    try:
        database.command(command)
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise
        return False
    return True


def create_indexes(database: Database[Any], *, name: str, indexes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Create these indexes one after the other. Return a sentence for each that the server refused."""
    refused: list[str] = []
    for spec in indexes:
        try:
            database.command(
                {"createIndexes": name, "indexes": [index_definition(spec)], "ignoreUnknownIndexOptions": True}
            )
        except PyMongoError as error:
            if connections.is_unreachable(error) or not isinstance(error, OperationFailure):
                raise
            refused.append(messages.INDEX_NOT_MADE(index=spec.get("name"), collection=name, reason=named(error)))
    return refused


def set_rules(database: Database[Any], *, name: str, rules: Mapping[str, Any]) -> list[str]:
    """Set validator, validation level and action of a collection. Return a sentence where the server refuses them."""
    try:
        database.command({"collMod": name, **rules})
    except PyMongoError as error:
        if connections.is_unreachable(error) or not isinstance(error, OperationFailure):
            raise
        return [messages.VALIDATION_RULE_NOT_SET(collection=name, reason=named(error))]
    return []


def named(error: OperationFailure) -> str:
    """Return what a server calls its refusal; never its message, which may quote a document."""
    return str((error.details or {}).get("codeName", f"code {error.code}"))


def _structure(info: Mapping[str, Any]) -> Structure:
    return Structure(name=info["name"], type=info["type"], options=_options(info.get("options") or {}))


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in NOT_OPTIONS}


def index_definition(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name not in NOT_INDEX}
