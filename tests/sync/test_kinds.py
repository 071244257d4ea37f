"""Every type of document and `_id`: copied byte for byte, or named as not copied; mongod lives on."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument

from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value, embedded, text
from backups_app.records import Side
from tests.sync.pairs import Pair, contents, document, double, int32, int64, seed, timestamp, version

EVERY_TYPE: dict[str, Any] = {
    "double": 10.9, "nan": float("nan"), "minus_zero": -0.0, "string": "श्री गणेश", "empty": "", "document": {"a": {}},
    "array": [1, [2, {"b": 3}]], "binary": Binary(b"\0\xff", 0), "uuid": Binary(bytes(16), 4),
    "user": Binary(b"x", 128),
    "object_id": ObjectId(), "true": True, "date": datetime(2026, 1, 1, tzinfo=UTC), "null": None,
    "regex": Regex("^a", "i"), "code": Code("f()"), "scope": Code("f()", {"x": 1}), "int": 1,
    "timestamp": Timestamp(7, 1),
    "long": Int64(1), "decimal": Decimal128("1.00"), "min": MinKey(), "max": MaxKey(), "ref": DBRef("x", 1), "a.b": 1,
}  # fmt: skip
OLD_TYPES = document(
    ("_id", text("old")),
    ("undefined", Value(0x06, b"")),
    ("symbol", Value(0x0E, text("s").data)),
    ("pointer", Value(0x0C, text("db.c").data + bytes(12))),
    ("far", Value(0x09, struct.pack("<q", 2**62))),
    ("twice", int32(1)),
    ("twice", int32(2)),
    ("", int32(0)),
)
IDS = [
    int32(1), text("1"), Value(0x07, bytes(range(12))), double(0.5), Value(0x0A, b""), Value(0x08, b"\0"),
    embedded(document(("a", int32(1)))), embedded(document(("a", text("1")))), Value(0x09, bytes(8)),
    Value(0x13, Decimal128("7.5").bid), Value(0x05, struct.pack("<i", 2) + b"\0ab"), Value(0xFF, b""), Value(0x7F, b""),
    embedded(document(("$ref", text("x")), ("$id", int32(1)))), text("x" * 3_000), timestamp(5 << 32),
]  # fmt: skip


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_every_type_and_every_id_is_copied_edited_and_deleted_byte_for_byte(any_pair: Pair, side: Side) -> None:
    frames = [bson.encode({"_id": "types", **EVERY_TYPE}), OLD_TYPES]
    frames += [document(("_id", raw_id), ("n", int64(1))) for raw_id in IDS]
    seed(any_pair, frames, sides=[side])

    any_pair.sync()
    assert set(contents(any_pair.local)["bookings"].values()) == set(frames)
    any_pair.assert_converged()

    for frame in frames:
        fields = [(name.decode(), value) for name, value in raw_bson.elements(frame)]
        any_pair.put(side, document(*fields, ("edited", double(1.0))))
    report = any_pair.sync()
    assert not report.unresolved
    any_pair.assert_converged()
    assert set(frames) <= any_pair.kept()

    any_pair.application[side]["bookings"].delete_many({})
    for _ in range(2):  # of a very long `_id` only the hash is remembered, so a scan of both sides must find it
        any_pair.sync(decided={"bookings": "delete"})
    assert contents(any_pair.local)["bookings"] == contents(any_pair.remote)["bookings"] == {}


def _store(pair: Pair, side: Side, frame: bytes) -> None:
    """Put bytes on a side that a classic insert would change or refuse."""
    raw_id = next(raw_bson.elements(frame))[1]
    equal = RawBSONDocument(document(("_id", raw_id)))
    stage = {"$replaceWith": {"$literal": RawBSONDocument(frame)}}
    pair.collection(side).update_one(equal, [stage], upsert=True)
    assert pair.collection(side).find_one(equal).raw == frame  # type: ignore[union-attr]


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_a_zero_timestamp_and_dollar_names_survive_insert_and_replace(any_pair: Pair, side: Side) -> None:
    for round_ in range(2):
        frames = [
            document(("_id", int32(1)), ("t", timestamp(0)), ("n", int32(round_))),
            document(("_id", int32(2)), ("$price", int32(round_))),
            document(("_id", int32(3)), ("$t", timestamp(0)), ("n", int32(round_))),
        ]
        for frame in frames:
            _store(any_pair, side, frame)

        report = any_pair.sync()

        assert not report.unresolved
        assert set(contents(any_pair.remote)["bookings"].values()) == set(frames)
        assert set(contents(any_pair.local)["bookings"].values()) == set(frames)


def test_a_zero_timestamp_with_duplicate_names_is_unresolved_and_the_server_lives(any_pair: Pair) -> None:
    raw = document(("_id", int32(1)), ("a", int32(1)), ("a", int32(2)), ("$x", int32(0)))
    any_pair.collection(Side.LOCAL).insert_one(RawBSONDocument(raw))
    seed(any_pair, [version(2)], sides=[Side.LOCAL])

    report = any_pair.sync()

    assert dict(report.unresolved) == {"bookings": 1}
    [named] = report.log["collections"][0]["unresolved_documents"]
    assert named["id"] == 1
    assert "two fields of one name" in named["reason"]
    assert any_pair.get(Side.REMOTE, 2) is not None
    for side in Side:
        assert any_pair.application[side].command("ping")["ok"]


def test_one_key_in_two_number_types_is_one_document(any_pair: Pair) -> None:
    seed(any_pair, [document(("_id", int32(1)), ("v", text("here")))], sides=[Side.LOCAL])
    seed(any_pair, [document(("_id", double(1.0)), ("v", text("there")))], sides=[Side.REMOTE])

    report = any_pair.sync()

    assert report.counts["conflicts"] == 1
    assert len(contents(any_pair.local)["bookings"]) == 1
    any_pair.assert_converged()


def test_large_documents_go_in_small_batches(any_pair: Pair) -> None:
    frames = [document(("_id", int32(key)), ("fill", text("x" * 3_000_000))) for key in range(7)]
    frames.append(document(("_id", int32(99)), ("fill", text("x" * (16 * 1024 * 1024 - 100)))))
    seed(any_pair, frames, sides=[Side.REMOTE])
    any_pair.sync()
    assert set(contents(any_pair.local)["bookings"].values()) == set(frames)

    edited = document(("_id", int32(99)), ("fill", text("y" * (16 * 1024 * 1024 - 100))))
    any_pair.put(Side.LOCAL, edited)
    report = any_pair.sync()

    assert not report.unresolved
    assert any_pair.get(Side.REMOTE, 99) == edited
    assert frames[-1] in any_pair.kept()
