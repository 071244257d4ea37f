"""Collections as structures: their options and indexes, read from a server and made on one. Never their documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from backups_app.messages import mongo as messages
from backups_app.messages import words
from backups_app.mongo import connections

_ORDERED: CodecOptions[Any] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO, tz_aware=True)
_OBSOLETE = frozenset({"autoIndexId", "flags"})
_NOT_OPTIONS = frozenset({"uuid", "create"}) | _OBSOLETE
_NOT_INDEX = frozenset({"ns", "background", "v"})
"""What a server sets itself, or no longer knows. An index gets the version that the server makes by itself."""
_INDEX_OPTIONS = frozenset({
    "key", "name", "unique", "sparse", "hidden", "expireAfterSeconds", "partialFilterExpression", "storageEngine",
    "collation", "weights", "default_language", "language_override", "textIndexVersion", "2dsphereIndexVersion", "bits",
    "min", "max", "bucketSize", "wildcardProjection", "columnstoreProjection", "clustered", "prepareUnique",
})  # fmt: skip
"""The others are dropped by the server as mongorestore asks it to: they mean nothing any more."""
_CAPPED_STEP = 256
_VERSION = 2
_IMPLIED = {"validationLevel": "strict", "validationAction": "error"}
"""What holds where a rule names neither. `collMod` spells them out, `create` does not: the rules are the same."""

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
        found = tuple(_index(spec) for spec in reply["cursor"]["firstBatch"])
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
        command["idIndex"] = _index(id_index)
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
            database.command({"createIndexes": name, "indexes": [_index(spec)], "ignoreUnknownIndexOptions": True})
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


def missing_indexes(
    *, wanted: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the wanted indexes whose name is not there. The one on `_id` comes with the collection."""
    names = {spec["name"] for spec in there}
    return [spec for spec in wanted if spec["name"] not in names and spec["name"] != "_id_" and "clustered" not in spec]


def differences(*, wanted: Structure, there: Structure) -> list[str]:
    """Return, in sentences, how a collection that is there differs from what is wanted. What every server does to the
    structures of an older one is no difference (`renewed`)."""
    if wanted.type != there.type:
        return [
            messages.TYPE_DIFFERS_FROM_BACKUP(
                collection=wanted.name,
                type=words.collection_type(there.type),
                in_backup=words.collection_type(wanted.type),
            )
        ]
    names = sorted((set(wanted.options) | set(there.options)) - _NOT_OPTIONS)
    differing = [name for name in names if not _same_option(wanted.options, there.options, name)]
    said: list[str] = [messages.OPTION_DIFFERS_FROM_BACKUP(option=name, collection=wanted.name) for name in differing]
    here, backup = ({spec["name"]: spec for spec in side.indexes} for side in (there, wanted))
    said += [messages.INDEX_MISSING(index=name, collection=wanted.name) for name in sorted(backup.keys() - here.keys())]
    said += [
        messages.INDEX_NOT_IN_BACKUP(index=name, collection=wanted.name)
        for name in sorted(here.keys() - backup.keys() - {"_id_"})
    ]
    both = sorted(here.keys() & backup.keys())
    unlike = [name for name in both if not _same_index(here[name], backup[name])]
    return said + [messages.INDEX_DIFFERS_FROM_BACKUP(index=name, collection=wanted.name) for name in unlike]


def renewed(*, wanted: Structure, there: Structure) -> list[str]:
    """Return, in sentences, what of an older server's structures is made otherwise today, and means the same."""
    said: list[str] = [
        messages.OPTION_DROPPED(option=name, collection=wanted.name) for name in sorted(_OBSOLETE & set(wanted.options))
    ]
    here = {spec["name"]: spec for spec in there.indexes}
    both = [(spec, here[spec["name"]]) for spec in wanted.indexes if spec["name"] in here]
    older = sum(bool(spec.get("v", _VERSION) < now.get("v", _VERSION)) for spec, now in both)
    if older:
        said.append(messages.INDEX_VERSIONS_RAISED(n=older, collection=wanted.name))
    for spec, now in both:
        said += [
            messages.INDEX_OPTION_DROPPED(option=name, index=spec["name"])
            for name in sorted(set(spec) - set(now) - _INDEX_OPTIONS - _NOT_INDEX)
        ]
    return said


def _same_option(wanted: Mapping[str, Any], there: Mapping[str, Any], name: str) -> bool:
    one, other = option(wanted, name), option(there, name)
    if name == "size" and isinstance(one, int | float) and isinstance(other, int | float):
        return -(-int(one) // _CAPPED_STEP) == -(-int(other) // _CAPPED_STEP)  # servers round it up
    if name == "timeseries" and isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(_alike(one[key], other.get(key)) for key in one)  # servers add what follows from it
    return _alike(one, other)


def _same_index(here: Mapping[str, Any], backup: Mapping[str, Any]) -> bool:
    """Alike in all options that mean something; the order counts in the key and inside the options alone."""
    now, then = _index(here), _index(backup)
    names = set(now) | (set(then) & _INDEX_OPTIONS)
    return all(_alike(now.get(name), then.get(name)) for name in names)


def option(options: Mapping[str, Any], name: str) -> Any:
    """Return a collection's option, said or implied: a rule that is set on a collection that is there spells out its
    level and action, one that it was made with implies them, as each of the two implies the other. None where there is
    none."""
    implied = _IMPLIED.get(name) if options.keys() & {"validator", *_IMPLIED} else None
    return options.get(name, implied)


def _structure(info: Mapping[str, Any]) -> Structure:
    return Structure(name=info["name"], type=info["type"], options=_options(info.get("options") or {}))


def _alike(one: Any, other: Any) -> bool:
    """Equal also in the order of fields: an index on (a, b) is not one on (b, a)."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _NOT_OPTIONS}


def _index(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name not in _NOT_INDEX}
