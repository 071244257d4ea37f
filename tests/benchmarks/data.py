"""A server with a million bookings of 550 bytes, as a temple's look."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

DOCUMENT_BYTES = 550
_AT_ONCE = 20_000


def fill(database: Database[Any], *, collection: str, count: int) -> None:
    """Put `count` documents of 550 bytes into a collection, quickly: one booking, its `_id` and number changed."""
    template = _template()
    for start in range(0, count, _AT_ONCE):
        documents = [RawBSONDocument(frame) for frame in _frames(template, start, min(count, start + _AT_ONCE))]
        database[collection].insert_many(documents, ordered=False)


def _template() -> bytes:
    booking = {
        "_id": bson.ObjectId(b"\0" * 12),
        "number": bson.Int64(0),
        "devotee": {"name": "Lakshmi Narayanan", "phone": "+91 98450 12345", "city": "Bengaluru"},
        "ritual": "Satyanarayana Puja",
        "slot": {"hall": "Main", "at": bson.DatetimeMS(1_763_000_000_000)},
        "amount": bson.Decimal128("1501.00"),
        "paid": True,
        "members": ["Lakshmi", "Narayanan", "Anand", "Meena"],
        "createdAt": bson.DatetimeMS(1_763_000_000_000),
        "updatedAt": bson.DatetimeMS(1_763_000_000_000),
        "notes": "",
    }
    short = DOCUMENT_BYTES - len(bson.encode(booking))
    return bson.encode({**booking, "notes": "n" * short})


def _frames(template: bytes, start: int, end: int) -> Iterator[bytes]:
    id_at, number_at = 9, 9 + 12 + 1 + len(b"number\0")
    for number in range(start, end):
        identity = struct.pack(">I", 0x67000000 + number // 50) + b"templ" + struct.pack(">I", number)[1:]
        yield (
            template[:id_at] + identity + template[id_at + 12 : number_at] + struct.pack("<q", number)
            + template[number_at + 8 :]
        )  # fmt: skip
