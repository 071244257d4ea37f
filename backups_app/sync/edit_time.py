"""When a document says that it was edited: `updatedAt` in every form that applications write."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from bson.decimal128 import Decimal128

from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value

FIELDS = ("updatedAt", "updated_at", "modifiedAt")
TIE_MILLISECONDS = 1_000
FUTURE_MILLISECONDS = 10 * 60 * 1_000
_EARLIEST = 10**8
"""Smaller numbers are counters, not moments: 10⁸ seconds are March 1973."""


def milliseconds(frame: bytes, *, fields: Sequence[str], now: datetime) -> int | None:
    """Return when a raw document was edited, in milliseconds since 1970, by the first of `fields` that tells.

    None when none does: missing, not a moment, or more than ten minutes after `now`.
    """
    latest = int(now.timestamp() * 1000) + FUTURE_MILLISECONDS
    found: dict[bytes, Value] = {}
    for name, value in raw_bson.elements(frame):
        found.setdefault(name, value)
    for field in fields:
        moment = _moment(found.get(field.encode()))
        if moment is not None and moment <= latest:
            return moment
    return None


def _moment(value: Value | None) -> int | None:
    if value is None:
        return None
    kind, data = value
    if kind == 0x09:
        return int(struct.unpack("<q", data)[0])
    if kind == 0x11:
        seconds = int(struct.unpack("<II", data)[1])
        return seconds * 1000 if seconds else None
    if kind == 0x02:
        return _from_text(data[4:-1])
    return _from_number(kind, data)


def _from_text(encoded: bytes) -> int | None:
    try:
        moment = datetime.fromisoformat(encoded.decode().strip())
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def _from_number(kind: int, data: bytes) -> int | None:
    if kind == 0x13:
        number = Decimal128.from_bid(data).to_decimal()
    elif kind in (0x01, 0x10, 0x12):
        number = Decimal(struct.unpack({0x01: "<d", 0x10: "<i", 0x12: "<q"}[kind], data)[0])
    else:
        return None
    if not number.is_finite() or number < _EARLIEST:
        return None
    if number < 10**11:
        return int(number * 1000)
    return int(number) if number < 10**14 else int(number / 1000)
