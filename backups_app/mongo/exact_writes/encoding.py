"""Encodes a raw document so that the server stores exactly its bytes.

Two traps of MongoDB 6.0, each seen: a classic insert or replacement rewrites a top-level `Timestamp(0, 0)` to the
current time and a classic replacement refuses top-level names that begin with `$`. `[{$replaceWith: {$literal: …}}]`
keeps both, but aborts the whole mongod when the document has two fields of one name. So the plain form always, the
pipeline only for those two cases, and both at once is refused here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.operations import InsertOne, ReplaceOne, UpdateOne

from backups_app.messages import mongo as messages
from backups_app.mongo import raw_bson, raw_ids
from backups_app.mongo.raw_bson import Value

Operation = InsertOne[Any] | ReplaceOne[Any] | UpdateOne
_TIMESTAMP, _DOCUMENT, _ARRAY, _CODE_WITH_SCOPE = 0x11, 0x03, 0x04, 0x0F
_ZERO = bytes(8)
_TYPES = frozenset(bytes([*range(0x01, 0x14), 0x7F, 0xFF]))


class Whole(RawBSONDocument):
    """A document that travels as its bytes. The driver asks whether a replacement is empty, and would decode it for
    that: slow, and it fails on dates beyond the year 9999 and on broken UTF-8."""

    def __bool__(self) -> bool:
        return True


class Together:
    """Documents back to back, as a message carries them. The driver's encoder appends what bears its mark for raw BSON
    as it is, so that nothing is done for each document."""

    __slots__ = ("frames", "raw")
    _type_marker = RawBSONDocument._type_marker

    def __init__(self, frames: Sequence[bytes]) -> None:
        self.frames = frames
        self.raw = b"".join(frames)

    def needing_pipeline(self) -> list[bytes]:
        """Return the documents that the classic form would change or refuse: hardly ever any."""
        if next(_suspicious(self.raw), None) is None:
            return []
        ends = list(accumulate(map(len, self.frames)))
        numbers = {bisect_right(ends, place) for place in _suspicious(self.raw)}
        return [frame for number in sorted(numbers) if needs_pipeline(frame := self.frames[number])]


def why_not(frame: bytes) -> str | None:
    """Return why no server would store these bytes unchanged and safely, or None."""
    if needs_pipeline(frame) and has_duplicate_names(frame):
        return messages.NO_LITERAL_FORM()
    return None


def needs_pipeline(frame: bytes) -> bool:
    """Whether the classic form would change or refuse this document."""
    # Hardly any document holds these bytes anywhere: only then it is worth taking apart.
    if next(_suspicious(frame), None) is None:
        return False
    return any(
        name.startswith(b"$") or (value.type == _TIMESTAMP and value.data == _ZERO)
        for name, value in raw_bson.elements(frame)
    )


def _suspicious(data: bytes) -> Iterator[int]:
    """Yield where in these bytes a name may begin with `$`, and where a timestamp of eight zeros may stand.

    Each byte is looked at a fixed number of times: an image may hold 16 MB of one byte.
    """
    at = data.find(b"$")
    while at >= 0:
        if data[at - 1] in _TYPES:
            yield at
        at = data.find(b"$", at + 1)
    at = data.find(b"\x11")
    while at >= 0:
        end = data.find(b"\0", at) + 1
        if not end:
            return
        if data[end : end + 8] == _ZERO:
            yield at
        at = data.find(b"\x11", end)  # any other before `end` has the same end


def has_duplicate_names(frame: bytes) -> bool:
    """Whether any document inside, at any depth, has two fields of one name."""
    names: set[bytes] = set()
    for name, value in raw_bson.elements(frame):
        if name in names:
            return True
        names.add(name)
        if value.type in (_DOCUMENT, _ARRAY) and has_duplicate_names(value.data):
            return True
    return False


def insertion(frame: bytes) -> Operation:
    """Return the insert of a raw document. It fails with a duplicate key when the `_id` is there."""
    if not needs_pipeline(frame):
        return InsertOne(Whole(frame))
    # Nothing matches `$nor: [{}]`, so this upsert always inserts, or meets the unique index of `_id`.
    nothing = ("$nor", raw_bson.array([raw_bson.embedded(raw_bson.document([]))]))
    return UpdateOne(_filter(raw_ids.id_of(frame), nothing), _pipeline(frame), upsert=True)


def replacement(frame: bytes, *, instead_of: bytes) -> Operation:
    """Return the replacement of the document with the `_id` of `instead_of`, whatever its content."""
    matched = _filter(raw_ids.id_of(instead_of))
    if needs_pipeline(frame):
        return UpdateOne(matched, _pipeline(frame))
    return ReplaceOne(matched, Whole(frame))


def replacement_if_equal(frame: bytes, *, instead_of: bytes) -> tuple[RawBSONDocument, RawBSONDocument | list[Any]]:
    """Return filter and update that replace a document only while it equals `instead_of` as a whole."""
    whole = raw_bson.text("$$ROOT")
    size = _operator("$eq", _list(_operator("$bsonSize", whole), Value(0x10, len(instead_of).to_bytes(4, "little"))))
    same = _operator("$eq", _list(whole, _operator("$literal", raw_bson.embedded(instead_of))))
    matched = _filter(raw_ids.id_of(instead_of), ("$expr", _operator("$and", _list(size, same))))
    return matched, (_pipeline(frame) if needs_pipeline(frame) else Whole(frame))


def by_id(raw_id: bytes) -> RawBSONDocument:
    """Return the filter that matches this `_id`, whatever stands in it."""
    return _filter(raw_id)


def _filter(raw_id: bytes, *more: tuple[str, Value]) -> RawBSONDocument:
    return RawBSONDocument(raw_bson.document([("_id", _operator("$eq", raw_ids.value(raw_id))), *more]))


def _pipeline(frame: bytes) -> list[Any]:
    stage = raw_bson.document([("$replaceWith", _operator("$literal", raw_bson.embedded(frame)))])
    return [RawBSONDocument(stage)]


def _operator(name: str, argument: Value) -> Value:
    return raw_bson.embedded(raw_bson.document([(name, argument)]))


def _list(*values: Value) -> Value:
    return raw_bson.array(values)
