"""`_id`s as bytes: taken out of a raw document exactly, and compared as the server's index compares them.

A *raw id* is one `bytes` object: the type byte, then the value's bytes. Two raw ids are equal only when type and
bytes are. A *key* is what the unique `_id` index sees: there 1, 1L, 1.0 and Decimal 1 are one, also inside documents.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import bson
import bson.errors
from bson.decimal128 import Decimal128

from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value

_ID_FIRST = b"_id\0"
_OBJECT_ID, _REGEX, _ARRAY, _UNDEFINED = 0x07, 0x0B, 0x04, 0x06
_OBJECT_ID_FIRST = b"\x07_id\0"
_NEVER_STORED = frozenset({_REGEX, _ARRAY, _UNDEFINED})
SHOWN_BYTES = 1_024


class NoId(ValueError):
    """A document without an `_id`."""


def id_of(frame: bytes) -> bytes:
    """Given a raw document, return its raw `_id`, wherever in the document it stands. Raise `NoId` without one."""
    if frame[5:9] == _ID_FIRST:
        if frame[4] == _OBJECT_ID:  # by far the most frequent
            return b"\x07" + frame[9:21]
        return frame[4:5] + frame[9 : raw_bson.value_end(frame, frame[4], 9)]
    for name, value in raw_bson.elements(frame):
        if name == b"_id":
            return bytes([value.type]) + value.data
    raise NoId("a document without an _id")


def value(raw_id: bytes) -> Value:
    """Return a raw id as the BSON value that it is."""
    return Value(raw_id[0], raw_id[1:])


def array(ids: Iterable[bytes]) -> Value:
    """Return these raw ids as one BSON array, byte for byte."""
    return raw_bson.array((raw_id[0], raw_id[1:]) for raw_id in ids)


def readable(raw_id: bytes) -> Any:
    """Return a raw id for a report: as Python sees it, or in words where it is too long or cannot be decoded."""
    if len(raw_id) <= SHOWN_BYTES:
        try:
            return decoded(raw_id)
        except (bson.errors.BSONError, RecursionError):
            pass
    return f"an _id of {len(raw_id)} bytes, SHA-256 {hashlib.sha256(raw_id).hexdigest()}"


def decoded(raw_id: bytes) -> Any:
    """Return a raw id as Python sees it, for reports. Never for a query: decoding blurs."""
    options = bson.codec_options.CodecOptions[Any](
        datetime_conversion=bson.codec_options.DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
    )
    return bson.decode(raw_bson.document([("_id", value(raw_id))]), options)["_id"]


def can_be_live(raw_id: bytes) -> bool:
    """Return False for the types that no server stores as `_id`: array, regular expression, undefined."""
    return raw_id[0] not in _NEVER_STORED


def key(raw_id: bytes) -> bytes:
    """Return what the unique `_id` index of a collection with the simple collation sees of this raw id."""
    if raw_id[0] == _OBJECT_ID:
        return raw_id
    return _key(raw_id[0], raw_id[1:])


def ids_of(frames: Iterable[bytes]) -> list[bytes]:
    """Return the raw id of each document. Raise `NoId`."""
    return [
        b"\x07" + frame[9:21] if frame[4:9] == _OBJECT_ID_FIRST else id_of(frame)  # by far the most frequent
        for frame in frames
    ]


def keys_of(frames: Iterable[bytes]) -> list[bytes]:
    """Return the key of each document's `_id`. Raise `NoId`."""
    return [
        b"\x07" + frame[9:21] if frame[4:9] == _OBJECT_ID_FIRST else key(id_of(frame))  # by far the most frequent
        for frame in frames
    ]


def _key(kind: int, data: bytes) -> bytes:
    number = _NUMBERS.get(kind)
    if number is not None:
        return b"#" + _number_key(number(data))
    if kind in (0x03, _ARRAY):
        named = kind == 0x03  # the index does not see the names of array elements
        parts = [(name if named else b"") + b"\0" + _key(*inner) for name, inner in raw_bson.elements(data)]
        return bytes([kind]) + b"".join(struct.pack("<i", len(part)) + part for part in parts)
    return (b"\x02" if kind == 0x0E else bytes([kind])) + data  # symbols and strings are one


def _number_key(number: Decimal) -> bytes:
    if number.is_nan():
        return b"nan"
    if number.is_infinite():
        return b"inf" if number > 0 else b"-inf"
    return b"%x/%x" % number.as_integer_ratio()  # hex: Python limits how many decimal digits it writes


_NUMBERS: dict[int, Callable[[bytes], Decimal]] = {
    0x01: lambda data: Decimal(struct.unpack("<d", data)[0]),  # exact, unlike its decimal notation
    0x10: lambda data: Decimal(struct.unpack("<i", data)[0]),
    0x12: lambda data: Decimal(struct.unpack("<q", data)[0]),
    0x13: lambda data: Decimal128.from_bid(data).to_decimal(),
}
