"""A document becomes a tree: every type shown, nothing lost, nothing endless."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import bson
import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from backups_app.browsing.values import tree
from backups_app.browsing.values.tree import Node, Shape
from backups_app.errors import DocumentNotFound

KOLKATA = ZoneInfo("Asia/Kolkata")


def shown(value: object, **shape: object) -> Node:
    return tree.document(bson.encode({"v": value}), shape=Shape(**shape)).children[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "type_name", "text"),
    [
        (1.5, "Double", "1.5"),
        (-0.0, "Double", "-0.0"),
        (float("nan"), "Double", "nan"),
        ("नमस्ते", "String", "नमस्ते"),
        ("a\0b", "String", "a\0b"),
        (Binary(b"\x01\xff", 0), "Binary", "subtype 0, 2 bytes: 01ff"),
        (Binary(uuid.UUID(int=5).bytes, 4), "UUID", str(uuid.UUID(int=5))),
        (ObjectId("507f1f77bcf86cd799439011"), "ObjectId", "507f1f77bcf86cd799439011"),
        (True, "Boolean", "true"),
        (None, "null", "null"),
        (Regex("a+b", "im"), "Regex", "/a+b/im"),
        (Code("f()"), "Code", "f()"),
        (Code("f()", {"x": 1}), "Code with scope", "f()"),
        (7, "Int32", "7"),
        (Int64(7), "Int64", "7"),
        (Timestamp(5, 6), "Timestamp", "Timestamp(5, 6)"),
        (Decimal128("1.00"), "Decimal128", "1.00"),
        (MinKey(), "MinKey", "MinKey"),
        (MaxKey(), "MaxKey", "MaxKey"),
        (re.compile("x"), "Regex", "/x/u"),
    ],
)
def test_every_type_has_its_name_and_its_text(value: object, type_name: str, text: str) -> None:
    node = shown(value)

    assert (node.type, node.text) == (type_name, text)


@pytest.mark.parametrize(
    ("element", "type_name", "text"),
    [
        (b"\x06v\0", "Undefined", "undefined"),
        (b"\x0ev\0\x03\0\0\0ab\0", "Symbol", "ab"),
        (b"\x0cv\0\x04\0\0\0x.y\0" + bytes(12), "DBPointer", "x.y " + "00" * 12),
    ],
)
def test_types_that_the_driver_no_longer_writes_are_shown_too(element: bytes, type_name: str, text: str) -> None:
    frame = (len(element) + 5).to_bytes(4, "little") + element + b"\0"

    node = tree.document(frame).children[0]

    assert (node.type, node.text) == (type_name, text)


def test_a_date_stands_in_the_temples_zone_with_the_exact_moment_beside_it() -> None:
    moment = datetime.datetime(2025, 1, 19, 9, 0, 22, 120000, tzinfo=datetime.UTC)

    node = shown(moment, zone=KOLKATA)

    assert (node.text, node.iso) == ("19 Jan 2025, 14:30:22 IST", "2025-01-19T09:00:22.120Z")


@pytest.mark.parametrize("milliseconds", [2**63 - 1, -(2**63), 253402300799999, -62135596800000])
def test_a_date_beyond_the_calendar_is_shown_by_its_milliseconds_or_its_iso_form(milliseconds: int) -> None:
    frame = b"\x10\0\0\0\x09v\0" + milliseconds.to_bytes(8, "little", signed=True) + b"\0"

    node = tree.document(frame, shape=Shape(zone=KOLKATA)).children[0]

    assert node.type == "Date"
    assert node.iso


def test_all_fields_of_one_name_are_there_and_bear_a_badge() -> None:
    one, two = bson.encode({"a": 1, "b": 2}), bson.encode({"a": 3})
    body = one[4:-1] + two[4:-1]
    frame = (len(body) + 5).to_bytes(4, "little") + body + b"\0"

    nodes = tree.document(frame).children

    assert [(node.name, node.text, node.duplicate) for node in nodes] == [
        ("a", "1", True),
        ("b", "2", False),
        ("a", "3", True),
    ]


def test_array_items_come_fifty_at_a_time() -> None:
    frame = bson.encode({"x": 0, "slots": list(range(120))})

    first = tree.document(frame).children[1]
    second = tree.items(frame, path="1", start=50)
    last = tree.items(frame, path="1", start=100)

    assert (first.size, len(first.children), first.more_from) == (120, 50, 50)
    assert ([node.text for node in second.children], second.more_from) == ([str(n) for n in range(50, 100)], 100)
    assert ([node.path for node in last.children][-1], last.more_from) == ("1.119", None)


def test_a_path_addresses_fields_whose_names_are_odd() -> None:
    frame = bson.encode({"a.b": {"": {"$x": "found"}}})

    node = tree.whole(frame, path="0.0.0")

    assert (node.name, node.text) == ("$x", "found")


@pytest.mark.parametrize("path", ["9", "0.1", "x", "-1", "0..0", "٣", "0.0.0.0", "1" * 30])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    frame = bson.encode({"a": {"b": 1}})

    with pytest.raises(DocumentNotFound):
        tree.whole(frame, path=path)


def test_long_strings_and_binaries_are_cut_and_shown_whole_on_demand() -> None:
    frame = bson.encode({"text": "ab" * 400, "bytes": bytes(1000)})

    text, binary = tree.document(frame).children

    assert (len(text.text), text.cut, text.length) == (500, True, 800)
    assert (binary.cut, binary.length) == (True, 1000)
    assert tree.whole(frame, path="0").text == "ab" * 400
    assert len(tree.whole(frame, path="1").text) > 2000


def test_a_hundred_and_ninety_levels_open_step_by_step() -> None:
    document: dict[str, object] = {"end": True}
    for _ in range(190):
        document = {"in": document}
    frame = bson.encode(document)

    node = tree.document(frame)
    depth = 0
    while node.name != "end":
        if not node.children:
            node = tree.items(frame, path=node.path)
        node = node.children[0]
        depth += 1

    assert (depth, node.text) == (191, "true")


def test_a_tree_of_arrays_of_arrays_stays_within_its_share() -> None:
    frame = bson.encode({"v": [[list(range(50)) for _ in range(50)] for _ in range(50)]})

    root = tree.document(frame)

    assert sum(1 for _ in _every(root)) < 2_300
    assert root.children[0].children[49].more_from == 0


def test_the_preview_begins_with_what_a_person_recognises() -> None:
    day = datetime.datetime(2025, 1, 19, tzinfo=datetime.UTC)
    plain = {"_id": 1, "at": day, "amount": 501, "big": [1], "name": "John Doe", "ritual": "Puja"}
    booking = {
        "_id": 1,
        "booking_number": "BK-1",
        "devotee": {"phone": "+91", "name": "John Doe"},
        "seva": {"name": "Archana", "local_name": "अर्चना"},
        "on": day,
        "amount": 501,
    }

    lines = [[(node.name, node.text) for node in tree.preview(bson.encode(one))] for one in (plain, booking)]

    assert [name for name, _ in lines[0]] == ["name", "ritual", "amount", "at"]
    assert lines[1] == [
        ("devotee.name", "John Doe"),
        ("seva.name", "Archana"),
        ("amount", "501"),
        ("booking_number", "BK-1"),
    ]


def test_leaves_bear_dotted_names_depth_first() -> None:
    frame = bson.encode({"a": {"b": [1, {"c": 2}]}, "d": DBRef("x", 1)})

    names = [name for name, _ in tree.leaves(frame)]

    assert names == ["a.b.0", "a.b.1.c", "d.$ref", "d.$id"]


def _every(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _every(child)
