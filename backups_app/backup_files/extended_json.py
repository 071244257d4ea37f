"""MongoDB Extended JSON v2 straight from a document's bytes, so that nothing is blurred by decoding.

`relaxed` is what the API shows, `canonical` what mongodump writes into its metadata files, `plain` turns ObjectIds,
dates and decimals into strings. All take a validated frame (`bson_frames.validate`), which bounds their recursion.
Where a document has a name twice, JSON can show only the last (`repeated_names` tells).
"""

from __future__ import annotations

import json
import math
import struct
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from bson.decimal128 import Decimal128

from backups_app.mongo import raw_bson

Form = Literal["relaxed", "canonical", "plain"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MILLISECOND = 253402300799999
"""The end of the year 9999: later dates, and those before 1970, are written as numbers."""
_DOCUMENT, _ARRAY, _SCOPED_CODE = 0x03, 0x04, 0x0F
_RAW_SHOWN = 4_096


def relaxed(frame: bytes) -> dict[str, Any]:
    """Return the document as relaxed Extended JSON: numbers as numbers, dates as ISO strings under `$date`."""
    return _object(frame, "relaxed")


def relaxed_or_raw(frame: bytes) -> dict[str, Any]:
    """As `relaxed`; a document whose text is not UTF-8 is returned by its first bytes, and why."""
    try:
        return relaxed(frame)
    except UnicodeDecodeError:
        return {"problem": "a name or a string is not UTF-8", "raw_hex": frame[:_RAW_SHOWN].hex()}


def canonical(frame: bytes) -> dict[str, Any]:
    """Return the document as canonical Extended JSON: every type kept."""
    return _object(frame, "canonical")


def plain(frame: bytes) -> dict[str, Any]:
    """Return the document as ordinary JSON: ObjectIds, dates, decimals and whatever JSON lacks become strings."""
    return _object(frame, "plain")


def value(one: raw_bson.Value, form: Form) -> Any:
    """Return one value of a validated document in this form."""
    return _value(one.type, one.data, form)


def canonical_text(frame: bytes) -> str:
    """Return the canonical form as mongodump writes it: one line without spaces, Unicode unescaped."""
    text = json.dumps(canonical(frame), ensure_ascii=False, separators=(",", ":"))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def repeated_names(frame: bytes) -> frozenset[str]:
    """Return the names that stand more than once at the document's top level."""
    seen: set[bytes] = set()
    twice = {name for name, _ in raw_bson.elements(frame) if name in seen or seen.add(name)}  # type: ignore[func-returns-value]
    return frozenset(name.decode("utf-8", "replace") for name in twice)


def _object(raw: bytes, form: Form) -> dict[str, Any]:
    return {name.decode(): _value(value.type, value.data, form) for name, value in raw_bson.elements(raw)}


def _value(kind: int, data: bytes, form: Form) -> Any:
    if kind == _DOCUMENT:
        return _object(data, form)
    if kind == _ARRAY:
        return [_value(value.type, value.data, form) for _, value in raw_bson.elements(data)]
    if kind == _SCOPED_CODE:
        code_end = 8 + struct.unpack_from("<i", data, 4)[0]
        code = data[8 : code_end - 1].decode()
        return code if form == "plain" else {"$code": code, "$scope": _object(data[code_end:], form)}
    return _WRITERS[kind](data, form)


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


_WRITERS: dict[int, Callable[[bytes, Form], Any]] = {
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
