"""How a collection that is there differs, as a structure, from one that is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backups_app.messages import mongo as messages
from backups_app.messages import words
from backups_app.mongo.structures import structures
from backups_app.mongo.structures.structures import Structure

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
    names = sorted((set(wanted.options) | set(there.options)) - structures.NOT_OPTIONS)
    differing = [name for name in names if not _same_option(wanted.options, there.options, name)]
    sentences: list[str] = [
        messages.OPTION_DIFFERS_FROM_BACKUP(option=name, collection=wanted.name) for name in differing
    ]
    here, backup = ({spec["name"]: spec for spec in side.indexes} for side in (there, wanted))
    sentences += [
        messages.INDEX_MISSING(index=name, collection=wanted.name) for name in sorted(backup.keys() - here.keys())
    ]
    sentences += [
        messages.INDEX_NOT_IN_BACKUP(index=name, collection=wanted.name)
        for name in sorted(here.keys() - backup.keys() - {"_id_"})
        if not _comes_with_the_series(here[name], there)
    ]
    both = sorted(here.keys() & backup.keys())
    unlike = [name for name in both if not _same_index(here[name], backup[name])]
    return sentences + [messages.INDEX_DIFFERS_FROM_BACKUP(index=name, collection=wanted.name) for name in unlike]


def _comes_with_the_series(spec: Mapping[str, Any], there: Structure) -> bool:
    """Since MongoDB 6.3 a server makes an index on meta field and time field with each time-series collection."""
    series = there.options.get("timeseries") or {}
    fields = [(series[name], 1) for name in ("metaField", "timeField") if name in series]
    return (
        len(fields) == 2
        and list(spec["key"].items()) == fields
        and set(structures.index_definition(spec)) == {"key", "name"}
    )


def renewed(*, wanted: Structure, there: Structure) -> list[str]:
    """Return, in sentences, what of an older server's structures is made otherwise today, and means the same."""
    sentences: list[str] = [
        messages.OPTION_DROPPED(option=name, collection=wanted.name)
        for name in sorted(structures.OBSOLETE_OPTIONS & set(wanted.options))
    ]
    here = {spec["name"]: spec for spec in there.indexes}
    both = [(spec, here[spec["name"]]) for spec in wanted.indexes if spec["name"] in here]
    older = sum(bool(spec.get("v", _VERSION) < now.get("v", _VERSION)) for spec, now in both)
    if older:
        sentences.append(messages.INDEX_VERSIONS_RAISED(n=older, collection=wanted.name))
    for spec, now in both:
        sentences += [
            messages.INDEX_OPTION_DROPPED(option=name, index=spec["name"])
            for name in sorted(set(spec) - set(now) - _INDEX_OPTIONS - structures.NOT_INDEX)
        ]
    return sentences


def _same_option(wanted: Mapping[str, Any], there: Mapping[str, Any], name: str) -> bool:
    one, other = option(wanted, name), option(there, name)
    if name == "size" and isinstance(one, int | float) and isinstance(other, int | float):
        return -(-int(one) // _CAPPED_STEP) == -(-int(other) // _CAPPED_STEP)  # servers round it up
    if name == "timeseries" and isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(_alike(one[key], other.get(key)) for key in one)  # servers add what follows from it
    return _alike(one, other)


def _same_index(here: Mapping[str, Any], backup: Mapping[str, Any]) -> bool:
    """Alike in all options that mean something; the order counts in the key and inside the options alone."""
    now, then = structures.index_definition(here), structures.index_definition(backup)
    names = set(now) | (set(then) & _INDEX_OPTIONS)
    return all(_alike(now.get(name), then.get(name)) for name in names)


def option(options: Mapping[str, Any], name: str) -> Any:
    """Return a collection's option, stated or implied: a rule that is set on a collection that is there spells out its
    level and action, one that it was made with implies them, as each of the two implies the other. None where there is
    none."""
    implied = _IMPLIED.get(name) if options.keys() & {"validator", *_IMPLIED} else None
    return options.get(name, implied)


def _alike(one: Any, other: Any) -> bool:
    """Equal also in the order of fields: an index on (a, b) is not one on (b, a)."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)
