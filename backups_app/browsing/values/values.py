"""One BSON value as people read it: the name of its type and its text, straight from the bytes.

Nothing is decoded by the driver, so nothing is lost on the way: years beyond 9999, -0.0, 1.00, duplicate names.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from bson.decimal128 import Decimal128

from backups_app.mongo.raw_bson import Value

OBJECT, ARRAY = 0x03, 0x04
TYPE_NAMES = {
    0x01: "Double",
    0x02: "String",
    OBJECT: "Object",
    ARRAY: "Array",
    0x05: "Binary",
    0x06: "Undefined",
    0x07: "ObjectId",
    0x08: "Boolean",
    0x09: "Date",
    0x0A: "null",
    0x0B: "Regex",
    0x0C: "DBPointer",
    0x0D: "Code",
    0x0E: "Symbol",
    0x0F: "Code with scope",
    0x10: "Int32",
    0x11: "Timestamp",
    0x12: "Int64",
    0x13: "Decimal128",
    0x7F: "MaxKey",
    0xFF: "MinKey",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID_SUBTYPES = frozenset({3, 4})


class Shown(NamedTuple):
    """`text` is what a person reads; `iso` the exact moment of a date in UTC; `length` the whole length of a string in
    characters, or of a binary in bytes, and 0 for everything else."""

    text: str
    iso: str = ""
    length: int = 0


def type_name(value: Value) -> str:
    """Return the name of a value's type; a UUID is distinguished from other binaries."""
    if value.type == 0x05 and _is_uuid(value.data):
        return "UUID"
    return TYPE_NAMES.get(value.type, f"unknown type {value.type}")


def is_container(value: Value) -> bool:
    """Return whether the value holds others: an object or an array."""
    return value.type in (OBJECT, ARRAY)


def shown_value(value: Value, *, zone: tzinfo = UTC, limit: int | None = None) -> Shown:
    """Given a value that is no container, return what people read; dates stand in `zone`, their ISO form beside them.

    Strings are cut after `limit` characters and binaries after `limit` hex digits; `length` says the whole.
    """
    if value.type == 0x09:
        return _date(value.data, zone)
    if value.type == 0x05:
        return _binary(value.data, limit)
    text = _TEXTS.get(value.type, bytes.hex)(value.data)
    if value.type not in _CUT:
        return Shown(text)
    return Shown(text if limit is None else text[:limit], length=len(text))


def milliseconds(value: Value) -> int:
    """Return a date's milliseconds since 1970."""
    return int(struct.unpack("<q", value.data)[0])


def moment(value: Value) -> datetime | None:
    """Return a date as an aware moment in UTC, or None for a year that Python does not know."""
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds(value))
    except OverflowError:
        return None


def _date(data: bytes, zone: tzinfo) -> Shown:
    at = moment(Value(0x09, data))
    if at is None:
        text = f"{milliseconds(Value(0x09, data))} ms since 1970"
        return Shown(text, iso=text)
    iso = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        local = at.astimezone(zone)
    except OverflowError:  # the last hours of the year 9999
        return Shown(iso, iso=iso)
    return Shown(f"{local.day} {local:%b} {local.year:04d}, {local:%H:%M:%S} {local.tzname() or ''}".rstrip(), iso=iso)


def _binary(data: bytes, limit: int | None) -> Shown:
    length, subtype = struct.unpack_from("<iB", data)
    body = data[5:]
    if _is_uuid(data):
        return Shown(str(uuid.UUID(bytes=body)), length=length)
    digits = body.hex() if limit is None else body[: (limit + 1) // 2].hex()[:limit]
    return Shown(f"subtype {subtype}, {length} byte{'' if length == 1 else 's'}: {digits}", length=length)


def _is_uuid(data: bytes) -> bool:
    return len(data) == 21 and data[4] in _UUID_SUBTYPES


def text_of(data: bytes) -> str:
    """Return the characters of a string value: its length, its bytes and the NUL at its end taken off."""
    return data[4:-1].decode("utf-8", "replace")


def _regex(data: bytes) -> str:
    pattern, flags, _ = data.split(b"\0")
    return f"/{pattern.decode('utf-8', 'replace')}/{flags.decode('utf-8', 'replace')}"


def _pointer(data: bytes) -> str:
    return f"{text_of(data[:-12])} {data[-12:].hex()}"


def _scoped(data: bytes) -> str:
    length = struct.unpack_from("<i", data, 4)[0]
    return data[8 : 8 + length - 1].decode("utf-8", "replace")


def _timestamp(data: bytes) -> str:
    increment, seconds = struct.unpack("<II", data)
    return f"Timestamp({seconds}, {increment})"


_TEXTS: dict[int, Callable[[bytes], str]] = {
    0x01: lambda data: repr(struct.unpack("<d", data)[0]),
    0x02: text_of,
    0x06: lambda data: "undefined",
    0x07: lambda data: data.hex(),
    0x08: lambda data: "true" if data[0] else "false",
    0x0A: lambda data: "null",
    0x0B: _regex,
    0x0C: _pointer,
    0x0D: text_of,
    0x0E: text_of,
    0x0F: _scoped,
    0x10: lambda data: str(struct.unpack("<i", data)[0]),
    0x11: _timestamp,
    0x12: lambda data: str(struct.unpack("<q", data)[0]),
    0x13: lambda data: str(Decimal128.from_bid(data)),
    0x7F: lambda data: "MaxKey",
    0xFF: lambda data: "MinKey",
}
_CUT = frozenset({0x02, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F})
