"""A large document made small enough to be shown: long texts and binaries cut, long lists and deep places left out.

Bytes in, bytes out: what comes out is BSON like any other, for showing alone. What was left out is reached by the tree
of the viewer, field by field, or by the whole document of API and command.
"""

from __future__ import annotations

import struct

from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value

WHOLE_BYTES = 1024 * 1024
"""A document up to this size is shown whole."""

SHOWN_BYTES = 64 * 1024
TEXT_BYTES, NAME_BYTES, DEEPEST = 1_000, 200, 8
MARK = "…"
_DOCUMENT, _ARRAY, _BINARY, _SCOPED_CODE = 0x03, 0x04, 0x05, 0x0F
_TEXTS = frozenset({0x02, 0x0D, 0x0E})


def is_needed(frame: bytes) -> bool:
    """Whether a document is too large to be shown whole."""
    return len(frame) > WHOLE_BYTES


def shorten(frame: bytes) -> bytes:
    """Given a validated document, return it, or its beginnings in about 64 KiB when it is larger than 1 MiB."""
    return _Shortening().container(frame, depth=0) if is_needed(frame) else frame


class _Shortening:
    """Copies a document until its share of bytes is used up."""

    def __init__(self) -> None:
        self.left = SHOWN_BYTES

    def container(self, raw: bytes, *, depth: int) -> bytes:
        kept: list[tuple[str, Value]] = []
        for name, value in raw_bson.elements(raw):
            if self.left <= 0 or depth >= DEEPEST:
                break
            cut = _cut(name, NAME_BYTES)
            self.left -= len(cut) + 2
            kept.append((cut.decode("utf-8", "replace"), self._value(value, depth)))
        return raw_bson.document(kept)

    def _value(self, value: Value, depth: int) -> Value:
        if value.type in (_DOCUMENT, _ARRAY):
            return Value(value.type, self.container(value.data, depth=depth + 1))
        if len(value.data) > TEXT_BYTES:
            value = _beginning(value)
        self.left -= len(value.data)
        return value


def _beginning(value: Value) -> Value:
    """Return the beginning of a value that is no container and too long."""
    if value.type in _TEXTS:
        return Value(value.type, _text(value.data[4:-1]))
    if value.type == _BINARY:
        return Value(_BINARY, struct.pack("<iB", TEXT_BYTES, 0) + value.data[5 : 5 + TEXT_BYTES])
    if value.type == _SCOPED_CODE:
        return Value(0x0D, _text(value.data[8:-1]))
    return raw_bson.text(MARK)


def _text(encoded: bytes) -> bytes:
    cut = _cut(encoded, TEXT_BYTES) + b"\0"
    return struct.pack("<i", len(cut)) + cut


def _cut(encoded: bytes, size: int) -> bytes:
    """Return a UTF-8 text, cut between two characters, and a mark that it goes on."""
    if len(encoded) <= size:
        return encoded
    while size and encoded[size] & 0xC0 == 0x80:
        size -= 1
    return encoded[:size] + MARK.encode()
