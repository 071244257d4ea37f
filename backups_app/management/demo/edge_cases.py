"""What hardly any collection has and every backup must hold: each BSON type, a capped collection, a view."""

from __future__ import annotations

import struct
import uuid
from datetime import timedelta
from typing import Any

from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp, encode
from bson.raw_bson import RawBSONDocument

from backups_app.management.demo.generator import FIRST_DAY, DemoCollection, Generator

AN_ID = ObjectId("650000000000000000000108")


def settings() -> DemoCollection:
    """The temple's settings, one document of them with every type that BSON knows."""
    documents: list[Any] = [
        {"_id": "opening_hours", "week": {"from": "05:30", "to": "21:00"}, "updatedAt": FIRST_DAY},
        {"_id": "every_type", **_every_type(), "updatedAt": FIRST_DAY},
        RawBSONDocument(_deprecated_types()),
    ]
    return DemoCollection(name="temple_settings", documents=documents)


def _every_type() -> dict[str, Any]:
    return {
        "double": 108.108,
        "not_a_number": float("nan"),
        "minus_zero": -0.0,
        "string": "ॐ नमः शिवाय · ஓம் · ಓಂ 🪔",
        "document": {"b": 1, "a": 2},
        "array": [1, "two", None],
        "binary": Binary(b"\x00\x01\xff", 0),
        "uuid": Binary(uuid.UUID("12345678-1234-5678-1234-567812345678").bytes, 4),
        "user_defined_binary": Binary(b"temple", 0x80),
        "object_id": AN_ID,
        "boolean": True,
        "date": FIRST_DAY,
        "date_before_1970": DatetimeMS(-86_400_000),
        "date_after_9999": DatetimeMS(253_402_300_800_000),
        "null": None,
        "regular_expression": Regex("^श्री", "im"),
        "code": Code("function () { return 108; }"),
        "code_with_scope": Code("return n;", {"n": 108}),
        "reference": DBRef("priests", AN_ID),
        "int32": 108,
        "timestamp": Timestamp(1_790_000_000, 7),
        "int64": Int64(2**62),
        "decimal": Decimal128("1.00"),
        "decimal_infinity": Decimal128("Infinity"),
        "min_key": MinKey(),
        "max_key": MaxKey(),
    }


def _deprecated_types() -> bytes:
    """Return a document with the types that drivers no longer write: undefined, symbol, DBPointer."""
    symbol = "पुरातन".encode() + b"\0"
    pointer = b"temple_db.priests\0"
    body = (
        encode({"_id": "deprecated_types"})[4:-1]
        + b"\x06undefined\0"
        + b"\x0esymbol\0" + struct.pack("<i", len(symbol)) + symbol
        + b"\x0cpointer\0" + struct.pack("<i", len(pointer)) + pointer + AN_ID.binary
    )  # fmt: skip
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def door_log(count: int) -> DemoCollection:
    """Who opened which door: a capped collection, which forgets the oldest by itself."""
    generator = Generator("door_log")
    documents = [
        {
            "_id": number,
            "door": generator.random.choice(("east", "west", "garbhagriha")),
            "at": FIRST_DAY + timedelta(hours=number),
        }
        for number in range(count)
    ]
    return DemoCollection(name="door_log", documents=documents, options={"capped": True, "size": 1_000_000})


def unpaid_bookings() -> DemoCollection:
    """A view: it holds nothing itself."""
    pipeline = [{"$match": {"paid": False}}, {"$project": {"booking_number": 1, "amount": 1}}]
    return DemoCollection(name="unpaid_bookings", options={"viewOn": "bookings", "pipeline": pipeline})
