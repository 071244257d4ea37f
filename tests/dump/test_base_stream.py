"""An event of the change stream is taken apart the same way whatever stands in it, and in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import bson
import pytest

from backups_app.dump.base import base_stream
from backups_app.mongo import raw_ids
from backups_app.mongo.change_events import StreamBroken, Touched

TOKEN = {"_data": "8266" * 40}
IDS: list[Any] = [
    bson.ObjectId("6b0c203762d65568f7f1e0f4"), 7, "documentKey", "\x03documentKey",
    {"a": 1, "documentKey": {"_id": 1}}, 1.5, b"\x03documentKey",
    datetime(2026, 1, 1, tzinfo=UTC), bson.Int64(2**40), None, bson.Decimal128("1.10"),
]  # fmt: skip


def taken(event: dict[str, Any]) -> tuple[bool, Touched]:
    touched = Touched(token=TOKEN)
    goes_on = base_stream._take(touched, memoryview(bson.encode(event)))
    return goes_on, touched


def raw(value: Any) -> bytes:
    return raw_ids.id_of(bson.encode({"_id": value}))


@pytest.mark.parametrize("value", IDS, ids=repr)
@pytest.mark.parametrize("more", [{}, {"updateDescription": {"updatedFields": {}}}], ids=["alone", "followed"])
def test_the_key_of_a_document_is_taken_byte_for_byte(value: Any, more: dict[str, Any]) -> None:
    event = {"_id": TOKEN, "operationType": "update", "ns": {"coll": "bookings"}, "documentKey": {"_id": value}, **more}
    turned = {name: event[name] for name in ["_id", "documentKey", "ns", "operationType", *more]}
    key_first = {name: event[name] for name in ["documentKey", "operationType", "ns", "_id", *more]}

    for one in (event, turned, key_first):
        goes_on, touched = taken(one)
        assert goes_on
        assert touched.ids == {"bookings": {raw_ids.key(raw(value)): raw(value)}}
        assert not touched.whole


def test_what_is_no_change_of_a_document() -> None:
    _, dropped = taken({"_id": TOKEN, "operationType": "drop", "ns": {"coll": "halls"}})
    _, renamed = taken({"_id": TOKEN, "operationType": "rename", "ns": {"coll": "halls"}, "to": {"coll": "rooms"}})

    assert dropped.whole == {"halls"}
    assert renamed.whole == {"halls", "rooms"}
    with pytest.raises(StreamBroken):
        taken({"_id": TOKEN, "operationType": "dropDatabase"})
    with pytest.raises(StreamBroken):
        taken({"_id": TOKEN, "operationType": "invented", "ns": {"coll": "halls"}, "documentKey": {"_id": 1}})


def test_the_mark_ends_it() -> None:
    goes_on, touched = taken(
        {
            "_id": TOKEN, "operationType": "update", "ns": {"coll": "backup_metadata"}, "documentKey": {"_id": "run"},
            "updateDescription": {"updatedFields": {"stream_mark": "x"}},
        }
    )  # fmt: skip

    assert not goes_on
    assert touched.ids == {}
