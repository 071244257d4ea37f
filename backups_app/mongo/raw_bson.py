"""BSON put together and taken apart as bytes, so that no value is ever decoded and written back differently.

An *element* is what BSON calls it: a type byte, a name ended by NUL, and the value's bytes. A *value* is the pair
(type, bytes) without the name. Nothing here looks inside a value further than its length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_LENGTH = struct.Struct("<i")
_STRING, _DOCUMENT, _ARRAY, _BINARY = 0x02, 0x03, 0x04, 0x05
_FIXED = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
_PREFIXED = {0x02: 4, 0x0D: 4, 0x0E: 4, 0x05: 5, 0x0C: 16, 0x03: 0, 0x04: 0, 0x0F: 0}
"""Types that begin with an int32 length, and what stands in the value besides the bytes that it counts."""


class Value(NamedTuple):
    """A BSON value exactly as it lies in the document: its type byte and its bytes."""

    type: int
    data: bytes


def value_end(raw: bytes, kind: int, start: int) -> int:
    """Given the type of a value and where it starts, return where it ends. Raise ValueError when it is no BSON."""
    size = _FIXED.get(kind)
    if size is None and kind in _PREFIXED:
        size = int(_LENGTH.unpack_from(raw, start)[0]) + _PREFIXED[kind]
    if size is None and kind == 0x0B:
        size = raw.index(b"\0", raw.index(b"\0", start) + 1) + 1 - start
    if size is None or size < 0 or start + size > len(raw):
        raise ValueError("not a BSON value")
    return start + size


def elements(raw: bytes) -> Iterator[tuple[bytes, Value]]:
    """Given a whole document, yield its top level: name and value, in their order, duplicates included."""
    at, end, index, fixed = 4, len(raw) - 1, raw.index, _FIXED.get
    while at < end:
        kind, name_end = raw[at], index(b"\0", at + 1)
        start = name_end + 1
        size = fixed(kind)
        stop = value_end(raw, kind, start) if size is None or start + size > end else start + size
        yield raw[at + 1 : name_end], Value(kind, raw[start:stop])
        at = stop


def document(fields: Iterable[tuple[str, Value]]) -> bytes:
    """Return a document that holds these values, byte for byte, in this order."""
    return _wrapped(b"%c%s\0%s" % (value.type, name.encode(), value.data) for name, value in fields)


def array(values: Iterable[tuple[int, bytes]]) -> Value:
    """Return an array of these values, each a `Value` or a pair like it."""
    parts: list[bytes] = []
    for number, (kind, data) in enumerate(values):
        parts += (b"%c%d\0" % (kind, number), data)
    return Value(_ARRAY, _wrapped(parts))


def embedded(raw: bytes) -> Value:
    """Return a whole document as a value."""
    return Value(_DOCUMENT, raw)


def text(characters: str) -> Value:
    """Return a string as a value."""
    encoded = characters.encode() + b"\0"
    return Value(_STRING, _LENGTH.pack(len(encoded)) + encoded)


def _wrapped(parts: Iterable[bytes]) -> bytes:
    body = b"".join(parts)
    return b"".join((_LENGTH.pack(len(body) + 5), body, b"\0"))
