"""How numbers, sizes and moments are written for people and for the API."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

from bson import json_util

_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def size(size_bytes: int) -> str:
    """Return a size as the specification prints it: `45.67 KB`, 1,024 bytes to the KB."""
    value = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1024:
            return f"{int(value)} B" if unit == "B" else f"{value:.2f} {unit}"
        value /= 1024
    return f"{value:.2f} TB"


def grouped(number: int) -> str:
    """Return a whole number with Indian digit grouping: `1,23,45,678`."""
    digits = str(abs(number))
    head, tail = digits[:-3], digits[-3:]
    groups = [tail]
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ("-" if number < 0 else "") + ",".join(groups)


def utc(moment: datetime) -> str:
    """Return an aware moment as ISO 8601 in UTC with milliseconds and `Z`: `2025-01-19T14:30:22.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_seconds(moment: datetime) -> str:
    """Return an aware moment as ISO 8601 in UTC to the second with `Z`: `2025-01-19T14:30:22Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def documents(count: int) -> str:
    """Return `1 document` or `50 documents`."""
    return f"{count} document{'' if count == 1 else 's'}"


def one_line(text: str) -> str:
    """Return what a person typed as one line: signs that control a terminal, a header or the direction of a text are
    spaces, and of several spaces one is left. Joiners stay: names in many scripts are written with them."""
    return " ".join("".join(" " if _is_control(sign) else sign for sign in text).split())


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Zl", "Zp") or sign in _DIRECTIONS


def plain(value: Any) -> Any:
    """Return `value` as plain JSON: moments as UTC strings with `Z`, other BSON values as relaxed Extended JSON."""
    if isinstance(value, datetime):
        return utc_seconds(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return json.loads(json_util.dumps(value, json_options=json_util.RELAXED_JSON_OPTIONS))
