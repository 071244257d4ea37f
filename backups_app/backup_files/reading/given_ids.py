"""An `_id` for a document that has none: valid in a dump of the server's own collections and of old capped ones.

A server gives such a document a new ObjectId each time it is inserted. Ours is made of the document's bytes and its
place in the file, so that restoring twice, or going on after a crash, adds nothing a second time.
"""

from __future__ import annotations

import struct
from hashlib import blake2b

from backups_app.mongo import raw_bson, raw_ids

_LENGTH = struct.Struct("<i")
_OBJECT_ID = b"\x07"
_NAME = b"_id\0"
_BYTES = 12


def with_id(frame: bytes, *, number: int) -> bytes:
    """Return document `number` of a file as it is restored: unchanged, or with the `_id` that it is given. Raise
    ValueError for bytes that are no document."""
    if frame[5:9] == _NAME or has_id(frame):
        return frame
    element = _OBJECT_ID + _NAME + given(frame, number=number)[1:]
    return _LENGTH.pack(len(frame) + len(element)) + element + frame[4:]


def has_id(frame: bytes) -> bool:
    """Whether a document has an `_id` at its top. Raise ValueError for bytes that are no document."""
    return any(name == b"_id" for name, _ in raw_bson.elements(frame))


def raw_id(frame: bytes, *, number: int) -> bytes:
    """Return the raw `_id` of document `number` of a file, its own or the one that it is given."""
    return raw_ids.id_of(frame) if frame[5:9] == _NAME or has_id(frame) else given(frame, number=number)


def given(frame: bytes, *, number: int) -> bytes:
    """Return the raw `_id` that a document without one is given."""
    return _OBJECT_ID + blake2b(_LENGTH.pack(number) + frame, digest_size=_BYTES).digest()
