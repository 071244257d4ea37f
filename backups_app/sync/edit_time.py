"""When a document says that it was edited: `updatedAt` in every form that applications write."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bson.decimal128 import Decimal128

from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value

FIELDS = ("updatedAt", "updated_at", "modifiedAt")
TIE_MILLISECONDS = 1_000
FUTURE_MILLISECONDS = 10 * 60 * 1_000
_EARLIEST = 10**8
"""Smaller numbers are counters, not moments: 10⁸ seconds are March 1973."""

_NUMBER = re.compile(r"[0-9]{10}|[0-9]{13}|[0-9]{16}")
_DAY = r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-W[0-9]{2}(?:-[1-7])?)"
_SHORT_DAY = r"(?:[0-9]{8}|[0-9]{4}W[0-9]{2}(?:[1-7])?)"
_TIME = r"[Tt ][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2}(?:[.,][0-9]+)?)?)?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_ISO = re.compile(f"{_DAY}(?:{_TIME})?|{_SHORT_DAY}{_TIME}")
"""What ISO 8601 calls a date. Python takes more for one: any character between day and time, so that `1711121300000`
would be a day of the year 1711."""


@dataclass(frozen=True)
class SyncClock:
    """The time of a sync, which goes on from `began_at` (UTC): what is edited meanwhile is not dated in the future.

    Of two clocks the one that went further counts: the monotonic one stands still while a machine sleeps, the other
    one may be set back.
    """

    began_at: datetime
    _wall: float = field(default_factory=time.time)
    _monotonic: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        seconds = max(time.time() - self._wall, time.monotonic() - self._monotonic)
        return self.began_at + timedelta(seconds=seconds)


def milliseconds(frame: bytes, *, fields: Sequence[str], now: datetime) -> int | None:
    """Return when a raw document was edited, in milliseconds since 1970, by the first of `fields` that says.

    None when none does: missing, not a moment, or more than ten minutes after `now`.
    """
    latest = int(now.timestamp() * 1000) + FUTURE_MILLISECONDS
    found: dict[bytes, Value] = {}
    for key, value in raw_bson.elements(frame):
        found.setdefault(key, value)
    for name in fields:
        moment = _moment(found.get(name.encode()))
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
    if kind in (0x02, 0x0E):
        return _from_text(data[4:-1])
    return _from_number(kind, data)


def _from_text(encoded: bytes) -> int | None:
    """Text of 10, 13 or 16 digits means what the number means. Other text that is no ISO date is no moment."""
    message = encoded.decode("ascii", errors="replace").strip()
    if _NUMBER.fullmatch(message):
        return _from_amount(Decimal(message))
    if not _ISO.fullmatch(message):
        return None
    try:
        moment = datetime.fromisoformat(message.upper())
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
    return _from_amount(number)


def _from_amount(number: Decimal) -> int | None:
    """Seconds, milliseconds or microseconds, by their size."""
    if not number.is_finite() or number < _EARLIEST:
        return None
    if number < 10**11:
        return int(number * 1000)
    return int(number) if number < 10**14 else int(number / 1000)
