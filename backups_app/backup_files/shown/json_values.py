"""Extended JSON of the values that hold no others: one function for each BSON type."""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from bson.decimal128 import Decimal128

Form = Literal["relaxed", "canonical", "plain"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LAST_MILLISECOND = 253402300799999
"""The end of the year 9999: later dates, and those before 1970, are written as numbers."""


def _string(data: bytes, form: Form) -> Any:
    return data[4:-1].decode()


def _double(data: bytes, form: Form) -> Any:
    number = struct.unpack("<d", data)[0]
    if form != "canonical" and math.isfinite(number):
        return number
    text = _double_text(number)
    return text if form == "plain" else {"$numberDouble": text}


def _double_text(number: float) -> str:
    """Write a double as the Go driver does: shortest digits, an exponent from 10^6 on, at least one decimal."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    assert isinstance(exponent, int)
    significant = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) + exponent - 1 if number else 0
    if -4 <= power < 6:
        return repr(float(number))
    mantissa = significant[0] + ("." + significant[1:] if len(significant) > 1 else "")
    return f"{'-' * sign}{mantissa}E{'-' if power < 0 else '+'}{abs(power):02d}"


def _binary(data: bytes, form: Form) -> Any:
    subtype, content = data[4], data[5:]
    if subtype == 2:
        content = content[4:]
    if form == "plain":
        return str(UUID(bytes=content)) if subtype == 4 and len(content) == 16 else b64encode(content).decode()
    return {"$binary": {"base64": b64encode(content).decode(), "subType": f"{subtype:02x}"}}


def _object_id(data: bytes, form: Form) -> Any:
    return data.hex() if form == "plain" else {"$oid": data.hex()}


def _date(data: bytes, form: Form) -> Any:
    milliseconds = struct.unpack("<q", data)[0]
    if form == "canonical" or not 0 <= milliseconds <= _LAST_MILLISECOND:
        return f"{milliseconds} ms" if form == "plain" else {"$date": {"$numberLong": str(milliseconds)}}
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    precision = "milliseconds" if milliseconds % 1000 else "seconds"
    text = moment.isoformat(timespec=precision).replace("+00:00", "Z")
    return text if form == "plain" else {"$date": text}


def _regex(data: bytes, form: Form) -> Any:
    pattern, options = (part.decode() for part in data.split(b"\0")[:2])
    if form == "plain":
        return f"/{pattern}/{options}"
    return {"$regularExpression": {"pattern": pattern, "options": "".join(sorted(options))}}


def _pointer(data: bytes, form: Form) -> Any:
    target, identity = data[4:-13].decode(), data[-12:].hex()
    if form == "plain":
        return f"{target}/{identity}"
    return {"$dbPointer": {"$ref": target, "$id": {"$oid": identity}}}


def _code(data: bytes, form: Form) -> Any:
    return _string(data, form) if form == "plain" else {"$code": _string(data, form)}


def _symbol(data: bytes, form: Form) -> Any:
    return _string(data, form) if form == "plain" else {"$symbol": _string(data, form)}


def _int32(data: bytes, form: Form) -> Any:
    number = struct.unpack("<i", data)[0]
    return {"$numberInt": str(number)} if form == "canonical" else number


def _int64(data: bytes, form: Form) -> Any:
    number = struct.unpack("<q", data)[0]
    return {"$numberLong": str(number)} if form == "canonical" else number


def _timestamp(data: bytes, form: Form) -> Any:
    increment, seconds = struct.unpack("<II", data)
    return f"{seconds}, {increment}" if form == "plain" else {"$timestamp": {"t": seconds, "i": increment}}


def _decimal(data: bytes, form: Form) -> Any:
    text = str(Decimal128.from_bid(data))
    return text if form == "plain" else {"$numberDecimal": text}


WRITERS: dict[int, Callable[[bytes, Form], Any]] = {
    0x01: _double,
    0x02: _string,
    0x05: _binary,
    0x06: lambda data, form: None if form == "plain" else {"$undefined": True},
    0x07: _object_id,
    0x08: lambda data, form: data == b"\x01",
    0x09: _date,
    0x0A: lambda data, form: None,
    0x0B: _regex,
    0x0C: _pointer,
    0x0D: _code,
    0x0E: _symbol,
    0x10: _int32,
    0x11: _timestamp,
    0x12: _int64,
    0x13: _decimal,
    0x7F: lambda data, form: "MaxKey" if form == "plain" else {"$maxKey": 1},
    0xFF: lambda data, form: "MinKey" if form == "plain" else {"$minKey": 1},
}
