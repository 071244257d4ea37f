"""The fields of a sample: names, types, shares, a few values."""

from __future__ import annotations

import bson

from backups_app.browsing.values import fields


def test_fields_are_reported_with_types_and_shares() -> None:
    frames = [
        bson.encode({"_id": 1, "name": "Asha", "slots": [{"time": "10:30"}, {"time": "11:00"}]}),
        bson.encode({"_id": 2, "name": None, "in": {"a.b": 1}}),
        bson.encode({"_id": "three"}),
        bson.encode({"_id": 4, "name": "Ravi"}),
    ]

    found = {entry.name: entry for entry in fields.summarise(frames)}

    assert list(found) == ["_id", "name", "slots", "slots[]", "slots[].time", "in", "in.a.b"]
    assert found["_id"].types == {"Int32": 3, "String": 1}
    assert (found["name"].types, found["name"].share) == ({"String": 2, "null": 1}, 0.75)
    assert (found["slots[].time"].types, found["slots[].time"].documents) == ({"String": 2}, 1)
    assert [one.text for one in found["slots[].time"].samples] == ["10:30", "11:00"]


def test_a_flood_of_names_is_bounded() -> None:
    frame = bson.encode({f"k{number}": number for number in range(5_000)})

    assert len(fields.summarise([frame])) == fields.FIELDS_LIMIT


def test_an_empty_sample_has_no_fields() -> None:
    assert fields.summarise([]) == ()
