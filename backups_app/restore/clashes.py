"""What the server would refuse of the documents to be written: unique values that are taken, rules that are broken.

Found by asking, without writing. What cannot be asked is stated to be unchecked, never assumed to be fine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app import batches
from backups_app.messages import restore as messages
from backups_app.mongo import raw_bson, raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.mongo.exact_writes import encoding
from backups_app.mongo.raw_bson import Value
from backups_app.mongo.structures.structures import Structure
from backups_app.restore.numbered import BYTES

_AT_ONCE = 100
_NULL = Value(0x0A, b"")
_DOCUMENT, _ARRAY = 0x03, 0x04


@dataclass(kw_only=True)
class Clashes:
    """Collects what is foreseen for one collection: `structure` is the one that is there, `wanted` the backup's.
    Without a database there is nothing to clash with."""

    database: Database[Any] | None
    structure: Structure
    wanted: Structure
    looked_at: int = 0
    taken: dict[str, int] = field(default_factory=dict)
    invalid: int = 0
    unchecked: set[str] = field(default_factory=set)

    def look(self, frames: Sequence[bytes]) -> None:
        """Ask about these documents. Raise pymongo's errors when the server is lost."""
        if self.database is None:
            return
        self.looked_at += len(frames)
        for index in _unique_indexes(self.structure):
            self._unique(index, frames)
        if self.structure.options.get("validator") and self.structure.options.get("validationAction") != "warn":
            self._rules(frames)

    def sentences(self) -> list[str]:
        """Return what was found, in sentences."""
        texts: list[str] = [messages.UNIQUE_VALUES_TAKEN(n=count, index=name) for name, count in self.taken.items()]
        if self.invalid:
            texts.append(messages.RULE_BROKEN(n=self.invalid))
        return texts + sorted(self.unchecked | set(self._among_themselves()))

    def _among_themselves(self) -> Iterator[str]:
        """Under an index that the backup has too, its documents do not clash with one another."""
        if self.looked_at < 2:
            return
        kept = [_rules_of(index) for index in _unique_indexes(self.wanted)]
        for index in _unique_indexes(self.structure):
            name = str(index["name"])
            if _rules_of(index) not in kept and messages.UNCHECKED_INDEX(index=name) not in self.unchecked:
                yield messages.UNCHECKED_AMONG_THEMSELVES(index=name)

    def _unique(self, index: Mapping[str, Any], frames: Sequence[bytes]) -> None:
        name = str(index["name"])
        if "partialFilterExpression" in index or any(kind not in (1, -1, 1.0, -1.0) for kind in index["key"].values()):
            self.unchecked.add(messages.UNCHECKED_INDEX(index=name))
            return
        fields = [str(field_name) for field_name in index["key"]]
        for at in range(0, len(frames), _AT_ONCE):
            asked = [query for frame in frames[at : at + _AT_ONCE] if (query := self._holder(fields, index, frame))]
            if asked:
                self.taken[name] = self.taken.get(name, 0) + self._count(index, asked)
        if not self.taken.get(name):
            self.taken.pop(name, None)

    def _holder(self, fields: Sequence[str], index: Mapping[str, Any], frame: bytes) -> bytes | None:
        """Return the condition under which another document holds the values of this one; None if it has none."""
        values = [_value(frame, name) for name in fields]
        if any(value is not None and value.type == _ARRAY for value in values):
            self.unchecked.add(messages.UNCHECKED_LISTS(index=index["name"]))
            return None
        if index.get("sparse") and all(value is None for value in values):
            return None
        conditions = [_field(name, "$eq", value or _NULL) for name, value in zip(fields, values, strict=True)]
        conditions.append(_field("_id", "$ne", raw_ids.value(raw_ids.id_of(frame))))
        return raw_bson.document([("$and", raw_bson.array(raw_bson.embedded(one) for one in conditions))])

    def _count(self, index: Mapping[str, Any], asked: Sequence[bytes]) -> int:
        assert self.database is not None
        found = collection_of(self.database, self.structure.name).find(
            RawBSONDocument(raw_bson.document([("$or", raw_bson.array(raw_bson.embedded(one) for one in asked))])),
            {"_id": 1},
            collation=index.get("collation"),
        )
        return min(len(asked), sum(1 for _ in found))

    def _rules(self, frames: Sequence[bytes]) -> None:
        """Have the server match the documents themselves against the rule (`$documents`, from 5.1 on)."""
        assert self.database is not None
        # Two fields of one name inside a literal abort a 6.0 server: those are distinguished, not asked about.
        asked = [frame for frame in frames if not encoding.has_duplicate_names(frame)]
        if len(asked) < len(frames):
            self.unchecked.add(messages.UNCHECKED_DUPLICATES())
        for part in _parts(asked):
            literal = raw_bson.document([("$literal", raw_bson.array(raw_bson.embedded(frame) for frame in part))])
            pipeline = [
                {"$documents": RawBSONDocument(literal)},
                {"$match": {"$nor": [self.structure.options["validator"]]}},
                {"$count": "n"},
            ]
            try:
                reply = self.database.command({"aggregate": 1, "pipeline": pipeline, "cursor": {}})
            except OperationFailure:
                self.unchecked.add(messages.UNCHECKED_RULE())
                return
            self.invalid += sum(int(row["n"]) for row in reply["cursor"]["firstBatch"])


def _unique_indexes(structure: Structure) -> Iterator[Mapping[str, Any]]:
    return (index for index in structure.indexes if index.get("unique") and index["name"] != "_id_")


def _rules_of(index: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what decides which documents a unique index refuses."""
    options = ("collation", "partialFilterExpression")
    return list(index["key"].items()), bool(index.get("sparse")), *(index.get(option) for option in options)


def _value(frame: bytes, name: str) -> Value | None:
    """Return the value at a dotted name; None where there is none. A list on the way is returned itself."""
    value = Value(_DOCUMENT, frame)
    for part in name.encode().split(b"."):
        if value.type != _DOCUMENT:
            return value if value.type == _ARRAY else None
        found = next((inner for field_name, inner in raw_bson.elements(value.data) if field_name == part), None)
        if found is None:
            return None
        value = found
    return value


def _field(name: str, operator: str, value: Value) -> bytes:
    return raw_bson.document([(name, raw_bson.embedded(raw_bson.document([(operator, value)])))])


def _parts(frames: Sequence[bytes]) -> Iterator[list[bytes]]:
    return batches.cut(frames, size_of=len, most=len(frames), most_bytes=BYTES)
