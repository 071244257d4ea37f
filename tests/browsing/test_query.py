"""What a search means: literals in every form a value can have, never a pattern."""

from __future__ import annotations

import datetime
import uuid
from zoneinfo import ZoneInfo

import bson
import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st

from backups_app.browsing.reading.frames import Block
from backups_app.browsing.search import query
from backups_app.browsing.search.search import _candidates
from backups_app.errors import InvalidInput

KOLKATA = ZoneInfo("Asia/Kolkata")
BOOKING = {
    "_id": ObjectId("507f1f77bcf86cd799439011"),
    "name": "John DOE",
    "गोत्र": "Kāśyapa काश्यप",
    "amount": 501,
    "paid": True,
    "slots": [{"time": "10:30", "seats": Int64(4)}, {"time": "11:00", "seats": 2}],
    "gift": Decimal128("108.50"),
    "ratio": 0.5,
    "token": Binary(uuid.UUID("12345678123456781234567812345678").bytes, 4),
    "createdAt": datetime.datetime(2025, 1, 18, 20, 0, tzinfo=datetime.UTC),
    "note": None,
    "rule": Regex("^Om", "i"),
}
FRAME = bson.encode(BOOKING)


def answers(typed: str) -> tuple[str, ...]:
    """The paths that answer, but only if the byte patterns would have led there at all."""
    wanted = query.parse(typed, zone=KOLKATA)
    if not list(_candidates(Block(first=0, count=1, data=FRAME), wanted)):
        assert query.matching_paths(FRAME, wanted) == ()
        return ()
    return query.matching_paths(FRAME, wanted)


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("doe", ("name",)),
        ('"Doe"', ()),
        ('"DOE"', ("name",)),
        ("KĀŚYAPA", ("गोत्र",)),
        ("काश्यप", ("गोत्र",)),
        ("501", ("amount",)),
        ("501.0", ("amount",)),
        ("50", ()),
        ("4", ("slots.0.seats",)),
        ("108.5", ("gift",)),
        ("0.5", ("ratio",)),
        ("507f1f77bcf86cd799439011", ("_id",)),
        ("507F1F77BC", ("_id",)),
        ("12345678-1234-5678", ("token",)),
        ("2025-01-19", ("createdAt",)),
        ("2025-01-18", ()),
        ("2025-01-18T20:00Z", ("createdAt",)),
        ("2025-01", ("createdAt",)),
        ("2025-01-19 01:30", ("createdAt",)),
        ("name:doe", ("name",)),
        ("amount:501", ("amount",)),
        ("amount:doe", ()),
        ("paid:true", ("paid",)),
        ("paid:false", ()),
        ("note:null", ("note",)),
        ("slots.time:10:30", ("slots.0.time",)),
        ("10:30", ("slots.0.time",)),
        ("time:11", ("slots.1.time",)),
        ("seats:2", ("slots.1.seats",)),
        ("गोत्र:काश्यप", ("गोत्र",)),
        ("createdAt:2025-01-19", ("createdAt",)),
        ("^om", ("rule",)),
        ("true", ()),
        (".*", ()),
        ("$where", ()),
    ],
)
def test_a_search_finds_what_a_person_means(typed: str, paths: tuple[str, ...]) -> None:
    assert answers(typed) == paths


@pytest.mark.parametrize("typed", ["", "   ", "x" * 257])
def test_an_empty_or_endless_search_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        query.parse(typed)


@pytest.mark.parametrize("typed", [":", "::", ":x", "x:", '"', '""', "a:b:c", "2025-99-99", "1e999", "-", "0" * 250])
def test_odd_searches_are_literals(typed: str) -> None:
    wanted = query.parse(typed)

    assert query.matching_paths(bson.encode({"a": f"<{wanted.text}>"}), wanted) in (("a",), ())


@given(text=st.text(min_size=1, max_size=20), before=st.text(max_size=5), after=st.text(max_size=5))
def test_any_text_finds_itself_in_either_case(text: str, before: str, after: str) -> None:
    typed = text.strip()
    if not typed or not typed.isprintable() or ":" in typed or '"' in typed:
        return
    for form in (typed, query.fold(typed)):
        frame = bson.encode({"v": before + form + after})
        wanted = query.parse(typed)

        assert query.matching_paths(frame, wanted) == ("v",)
        assert list(_candidates(Block(first=0, count=1, data=frame), wanted)) == [0]


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_number_finds_itself(number: int) -> None:
    frame = bson.encode({"v": Int64(number), "w": number})
    wanted = query.parse(f"v:{number}")

    assert query.matching_paths(frame, wanted) == ("v",)
    assert list(_candidates(Block(first=0, count=1, data=frame), wanted)) == [0]


def test_marks_report_where_the_words_stand() -> None:
    wanted = query.parse("doe")

    assert query.match_spans("Doe, John DOE", wanted) == ((0, 3), (10, 13))
