"""Every kind of document, `_id` and collection: copied byte for byte, or named as not copied; mongod lives on."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

import bson
import gridfs
import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure

from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value, embedded, text
from backups_app.records import Side
from tests.sync.pairs import RAW, Pair, contents, document, double, int32, int64, seed, timestamp, version

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

    if not report.unresolved:
        assert any_pair.get(Side.REMOTE, 99) == edited
    assert frames[-1] in any_pair.kept()


# ── kinds of collections ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "options",
    [
        {"validator": {"n": {"$gte": 0}}, "validationLevel": "moderate"},
        {"collation": {"locale": "en", "strength": 2}},
        {"clusteredIndex": {"key": {"_id": 1}, "unique": True}},
        {"capped": True, "size": 8192, "max": 100},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_missing_collection_is_made_with_its_options_and_indexes(any_pair: Pair, options: dict[str, Any]) -> None:
    source = any_pair.application[Side.REMOTE]
    source.create_collection("halls", **options)
    source["halls"].create_index([("n", 1)], name="by_n")
    seed(
        any_pair,
        [document(("_id", int32(key)), ("n", int32(key))) for key in range(5)],
        sides=[Side.REMOTE],
        name="halls",
    )

    any_pair.sync()

    made, original = (
        next(iter(side.list_collections(filter={"name": "halls"})))["options"]
        for side in (any_pair.local, any_pair.remote)
    )
    assert made == original
    assert "by_n" in any_pair.local["halls"].index_information()
    assert len(contents(any_pair.local)["halls"]) == 5
    any_pair.assert_converged()


def test_a_capped_collection_only_receives_inserts(any_pair: Pair) -> None:
    for side in Side:
        any_pair.application[side].create_collection("feed", capped=True, size=65536, max=5)
    seed(any_pair, [document(("_id", int32(key))) for key in range(5)], name="feed")
    any_pair.sync()
    any_pair.application[Side.LOCAL]["feed"].insert_many([{"_id": key} for key in range(5, 8)])

    for _ in range(3):
        report = any_pair.sync()

    assert {one["_id"] for one in any_pair.remote["feed"].find()} == {3, 4, 5, 6, 7}
    assert report.log["totals"]["pushed"] == 0
    assert any_pair.kept() == set()


def test_a_time_series_is_copied_by_insertion(any_pair: Pair) -> None:
    source = any_pair.application[Side.LOCAL]
    source.create_collection("lamps", timeseries={"timeField": "at", "metaField": "lamp"})
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    source["lamps"].insert_many([{"at": moment, "lamp": number % 3, "oil": number} for number in range(30)])

    first = any_pair.sync()
    again = any_pair.sync()

    assert first.counts["pushed"] == 30
    assert (again.counts["pushed"], again.counts["equal"]) == (0, 30)
    assert not again.unresolved
    assert any_pair.remote["lamps"].count_documents({}) == 30


def test_a_view_is_skipped_and_said_so(any_pair: Pair) -> None:
    seed(any_pair, [version(1)])
    any_pair.application[Side.LOCAL].create_collection("today", viewOn="bookings", pipeline=[])

    report = any_pair.sync(exclude=frozenset({"secret"}))

    assert report.skipped == {"today": "a view holds no documents of its own"}
    assert "today" not in any_pair.remote.list_collection_names()


def test_a_file_arrives_with_its_chunks_before_it(any_pair: Pair) -> None:
    data = bytes(range(256)) * 4_000
    file_id = gridfs.GridFS(any_pair.application[Side.REMOTE]).put(data, filename="kolam.png")
    order: list[str] = []

    class Order:
        def expect(self, label: str, total: int) -> None: ...
        def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
            order.append(label.split()[0])

        def note(self, sentence: str) -> None: ...
        def checkpoint(self) -> None: ...

    any_pair.sync(progress=Order())

    assert gridfs.GridFS(any_pair.application[Side.LOCAL]).get(file_id).read() == data
    assert order.index("fs.chunks") < order.index("fs.files")


def test_options_and_indexes_that_differ_are_reported(any_pair: Pair) -> None:
    seed(any_pair, [version(1)])
    any_pair.application[Side.LOCAL]["bookings"].create_index("slot", name="slot", unique=True)
    any_pair.application[Side.REMOTE].command({"collMod": "bookings", "validator": {"x": {"$exists": False}}})

    report = any_pair.sync()

    [bookings] = report.log["collections"]
    assert "index slot is missing on Atlas" in bookings["differences"]
    assert any("option validator differs" in sentence for sentence in bookings["differences"])

    any_pair.sync(exact=True, create_indexes=True)
    assert "slot" in any_pair.remote["bookings"].index_information()


# ── clashes ─────────────────────────────────────────────────────────────────────


def _slots(pair: Pair) -> None:
    for side in Side:
        pair.application[side]["bookings"].create_index("slot", unique=True)
    seed(pair, [document(("_id", int32(1)), ("slot", int32(1)))])
    pair.sync()


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_a_unique_value_that_another_document_took_over_dissolves(any_pair: Pair, side: Side) -> None:
    _slots(any_pair)
    any_pair.put(side, document(("_id", int32(1)), ("slot", int32(2))))
    any_pair.put(side, document(("_id", int32(2)), ("slot", int32(1))))
    any_pair.sync()
    any_pair.delete(side, 2)
    any_pair.put(side, document(("_id", int32(3)), ("slot", int32(1))))

    report = any_pair.sync()

    assert not report.unresolved
    any_pair.assert_converged()
    any_pair.assert_nothing_lost()


def test_a_real_duplicate_stays_unresolved_and_the_rest_flows_until_it_is_fixed_by_hand(any_pair: Pair) -> None:
    _slots(any_pair)
    any_pair.put(Side.LOCAL, document(("_id", int32(2)), ("slot", int32(7))))
    any_pair.put(Side.REMOTE, document(("_id", int32(3)), ("slot", int32(7))))
    any_pair.put(Side.LOCAL, document(("_id", int32(4)), ("slot", int32(8))))

    for _ in range(2):
        report = any_pair.sync()
        assert dict(report.unresolved) == {"bookings": 2}
        named = report.log["collections"][0]["unresolved_documents"]
        assert {one["id"] for one in named} == {2, 3}
        assert all("slot" in one["reason"] for one in named)
        assert {str(one["other_id"]) for one in named} == {"2", "3"}
    assert any_pair.get(Side.REMOTE, 4) is not None

    any_pair.put(Side.REMOTE, document(("_id", int32(3)), ("slot", int32(9))))
    assert not any_pair.sync().unresolved
    any_pair.assert_converged()


def test_what_a_validator_refuses_is_unresolved_and_the_rest_flows(any_pair: Pair) -> None:
    seed(any_pair, [document(("_id", int32(key)), ("n", int32(-(key % 3)))) for key in range(30)], sides=[Side.LOCAL])
    any_pair.application[Side.REMOTE].create_collection("bookings", validator={"n": {"$gte": 0}})

    report = any_pair.sync()

    assert dict(report.unresolved) == {"bookings": 20}
    assert len(contents(any_pair.remote)["bookings"]) == 10


def test_a_collection_with_its_own_collation_is_synced_exactly(any_pair: Pair) -> None:
    for side in Side:
        any_pair.application[side].create_collection("bookings", collation={"locale": "en", "strength": 2})
    seed(any_pair, [document(("_id", text(name)), ("n", int32(0))) for name in ("anna", "ravi", "meena")])
    any_pair.sync()
    any_pair.put(Side.LOCAL, document(("_id", text("anna")), ("n", int32(1))))
    any_pair.put(Side.REMOTE, document(("_id", text("ravi")), ("n", int32(1))))
    any_pair.collection(Side.REMOTE).delete_one({"_id": "meena"})

    report = any_pair.sync()

    if not report.unresolved:  # a standalone server cannot delete exactly there, and says so
        assert len(contents(any_pair.local)["bookings"]) == 2
    assert any_pair.remote.get_collection("bookings", codec_options=RAW).find_one({"_id": "anna"})["n"] == 1  # type: ignore[index]
    assert any_pair.local.get_collection("bookings", codec_options=RAW).find_one({"_id": "ravi"})["n"] == 1  # type: ignore[index]
    with pytest.raises(OperationFailure):
        any_pair.application[Side.LOCAL].command("nonsense")
