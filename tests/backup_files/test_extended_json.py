"""Extended JSON is what MongoDB's own library writes, and keeps what decoding would lose."""

from __future__ import annotations

import io
import json
import math
import re
import struct
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion

from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.shown import extended_json

GOLDEN = Path(__file__).parents[1] / "fixtures" / "mongodump_plain" / "golden"


def frames_of(name: str) -> list[bytes]:
    return list(bson_frames.frames(io.BytesIO((GOLDEN / name).read_bytes())))


def test_canonical_json_brings_back_the_same_bytes() -> None:
    compared = 0
    for path in sorted(GOLDEN.glob("*.bson")):
        for frame in frames_of(path.name):
            if extended_json.repeated_names(frame) or not _is_reversible(frame):
                continue
            back = json_util.loads(json.dumps(extended_json.canonical(frame)), json_options=_options())
            assert bson.encode(back) == frame, path.name
            compared += 1
    assert compared > 300


def _options() -> json_util.JSONOptions:
    return json_util.JSONOptions(
        json_mode=json_util.JSONMode.CANONICAL,
        datetime_conversion=DatetimeConversion.DATETIME_MS,
        uuid_representation=bson.binary.UuidRepresentation.UNSPECIFIED,
    )


def _is_reversible(frame: bytes) -> bool:
    """pymongo itself cannot keep undefined, symbol, DBPointer, payloads of NaN, old binary; no reader of Extended JSON
    can distinguish names that begin with `$` from its own."""
    options: CodecOptions[Any] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
    has_own_names = re.search(rb"[\x01-\x13\x7f\xff]\$", frame) is not None
    return not has_own_names and bson.encode(bson.decode(frame, options)) == frame


def test_every_type_has_a_form_and_all_of_it_is_json() -> None:
    for frame in frames_of("every_type.bson") + frames_of("every_id.bson"):
        for form in (extended_json.relaxed, extended_json.canonical, extended_json.plain):
            json.dumps(form(frame), allow_nan=False)


ONE_OF_EACH = {
    "oid": bson.ObjectId("507f1f77bcf86cd799439011"),
    "date": bson.DatetimeMS(1737297022000),
    "millis": bson.DatetimeMS(1737297022005),
    "early": bson.DatetimeMS(-1),
    "late": bson.DatetimeMS(253402300800000),
    "int": 7,
    "long": bson.Int64(7),
    "double": 1.5,
    "nan": math.nan,
    "decimal": bson.Decimal128("1.00"),
    "binary": bson.Binary(b"\x01\x02", 0),
    "regex": bson.Regex("a+", "xi"),
    "stamp": bson.Timestamp(5, 6),
    "code": bson.Code("f()"),
    "scoped": bson.Code("f()", {"x": 1}),
    "min": bson.MinKey(),
    "none": None,
    "yes": True,
    "list": [1, {"a": "b"}],
}


def test_the_relaxed_form_is_the_specifications() -> None:
    relaxed = extended_json.relaxed(bson.encode(ONE_OF_EACH))

    assert relaxed == {
        "oid": {"$oid": "507f1f77bcf86cd799439011"},
        "date": {"$date": "2025-01-19T14:30:22Z"},
        "millis": {"$date": "2025-01-19T14:30:22.005Z"},
        "early": {"$date": {"$numberLong": "-1"}},
        "late": {"$date": {"$numberLong": "253402300800000"}},
        "int": 7,
        "long": 7,
        "double": 1.5,
        "nan": {"$numberDouble": "NaN"},
        "decimal": {"$numberDecimal": "1.00"},
        "binary": {"$binary": {"base64": "AQI=", "subType": "00"}},
        "regex": {"$regularExpression": {"pattern": "a+", "options": "ix"}},
        "stamp": {"$timestamp": {"t": 5, "i": 6}},
        "code": {"$code": "f()"},
        "scoped": {"$code": "f()", "$scope": {"x": 1}},
        "min": {"$minKey": 1},
        "none": None,
        "yes": True,
        "list": [1, {"a": "b"}],
    }


def test_the_plain_form_turns_ids_dates_and_decimals_into_strings() -> None:
    plain = extended_json.plain(bson.encode(ONE_OF_EACH))

    assert plain["oid"] == "507f1f77bcf86cd799439011"
    assert plain["date"] == "2025-01-19T14:30:22Z"
    assert plain["decimal"] == "1.00"
    assert plain["nan"] == "NaN"
    assert plain["stamp"] == "5, 6"
    assert "$" not in json.dumps(plain)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (4096.0, "4096.0"), (999999.0, "999999.0"), (1000000.0, "1E+06"),
        (1234567.0, "1.234567E+06"), (1e21, "1E+21"), (0.0001, "0.0001"), (0.00001, "1E-05"), (1.5e-7, "1.5E-07"),
        (-2.5e300, "-2.5E+300"), (0.1, "0.1"), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (5e-324, "5E-324"),
        (123456.789, "123456.789"), (100000.0, "100000.0"), (1.7976931348623157e308, "1.7976931348623157E+308"),
    ],
)  # fmt: skip
def test_doubles_are_written_as_mongodump_writes_them(number: float, text: str) -> None:
    canonical = extended_json.canonical(bson.encode({"x": number}))

    assert canonical == {"x": {"$numberDouble": text}}


def test_a_name_that_stands_twice_is_reported() -> None:
    frame = struct.pack("<i", 19) + b"\x10a\0\x01\0\0\0\x10a\0\x02\0\0\0\0"

    assert extended_json.repeated_names(frame) == {"a"}
    assert extended_json.repeated_names(bson.encode({"a": 1})) == frozenset()


def test_two_hundred_levels_are_written() -> None:
    value: Any = 1
    for _ in range(199):
        value = {"a": value}

    assert json.dumps(extended_json.relaxed(bson.encode(value))).count("{") == 199
