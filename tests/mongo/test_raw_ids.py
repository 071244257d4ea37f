"""`_id`s as bytes: taken out exactly, and compared as a real server's unique index compares them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from bson.regex import Regex
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from backups_app.mongo import raw_bson, raw_ids
from backups_app.mongo.raw_bson import Value

D = bson.Decimal128
IDS: list[Any] = [
    1, bson.Int64(1), 1.0, D("1"), D("1.00"), 0, 0.0, -0.0, D("-0"), D("0E+3"), 0.1, D("0.1"), 2**53, float(2**53),
    bson.Int64(2**53 + 1), D(str(2**53 + 1)), float("nan"), D("NaN"), D("sNaN"), float("inf"), D("Infinity"),
    float("-inf"), -1, "1", "anna", "Anna", "", None, True, False, bson.ObjectId(b"0" * 12), bson.Binary(b"0" * 12),
    bson.Binary(b"0" * 12, 4), bson.Timestamp(1, 1), datetime(1970, 1, 1, tzinfo=UTC), bson.MinKey(), bson.MaxKey(),
    bson.Code("anna"), bson.Code("anna", {"a": 1}), {}, {"a": 1}, {"a": 1.0}, {"a": bson.Int64(1), "b": 2},
    {"b": 2, "a": 1}, {"a": [1, {"b": 1}]}, {"a": [1.0, {"b": D("1.0")}]}, {"a": {"": None}}, D("1E+6000"),
    D("1E-6000"), 1e300, 10**15,
]  # fmt: skip


def _frame(value: Any) -> bytes:
    return bson.encode({"_id": value})


@pytest.mark.parametrize("value", IDS, ids=repr)
def test_an_id_is_taken_out_byte_for_byte(value: Any) -> None:
    frame = bson.encode({"_id": value, "name": "anna"})

    raw_id = raw_ids.id_of(frame)

    assert raw_bson.document([("_id", raw_ids.value(raw_id))]) == _frame(value)


def test_an_id_is_found_behind_every_type_of_value() -> None:
    others = {f"v{n}": value for n, value in enumerate([*IDS, Regex("a+", "i"), [1, [2]], b"x", bson.DBRef("c", 1)])}
    frame = bson.encode({**others, "_id": "here"})

    assert raw_ids.id_of(frame) == raw_ids.id_of(_frame("here"))


def test_a_document_without_an_id_is_an_error() -> None:
    with pytest.raises(ValueError):
        raw_ids.id_of(bson.encode({"a": {"_id": 1}}))


def test_a_symbol_and_a_string_are_one_key() -> None:
    text = raw_bson.text("anna")
    symbol = Value(0x0E, text.data)

    assert raw_ids.key(b"\x0e" + symbol.data) == raw_ids.key(b"\x02" + text.data)


@pytest.mark.parametrize("kind", [0x04, 0x06, 0x0B])
def test_what_no_server_stores_as_id_is_known(kind: int) -> None:
    assert not raw_ids.can_be_live(bytes([kind]))


def test_keys_are_equal_exactly_where_the_unique_index_says_so(standalone_db: Database[dict[str, Any]]) -> None:
    frames = [_frame(value) for value in IDS]
    wrong = []
    for a, b in itertools.combinations(frames, 2):
        one = raw_ids.key(raw_ids.id_of(a)) == raw_ids.key(raw_ids.id_of(b))
        if one != _clash(standalone_db, a, b):
            wrong.append((bson.decode(a), bson.decode(b), one))

    assert wrong == []


def _clash(database: Database[dict[str, Any]], a: bytes, b: bytes) -> bool:
    """Whether a real server takes only one of the two."""
    collection = database["ids"]
    collection.delete_many({})
    try:
        collection.insert_many([RawBSONDocument(a), RawBSONDocument(b)])
    except BulkWriteError as error:
        assert "E11000" in str(error), error
        return True
    return False
