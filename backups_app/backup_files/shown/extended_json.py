"""MongoDB Extended JSON v2 straight from a document's bytes, so that nothing is blurred by decoding.

`relaxed` is what the API shows, `canonical` what mongodump writes into its metadata files, `plain` turns ObjectIds,
dates and decimals into strings. All take a validated frame (`bson_frames.validate`), which bounds their recursion.
Where a document has a name twice, JSON can show only the last (`repeated_names` says).
"""

from __future__ import annotations

import json
import struct
from typing import Any

from backups_app.backup_files.shown import json_values
from backups_app.backup_files.shown.json_values import Form
from backups_app.mongo import raw_bson

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
    return json_values.WRITERS[kind](data, form)
