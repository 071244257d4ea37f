"""What a person typed into the search box, and whether a document answers it.

A query is a literal: `doe`, `"Doe"` (case matters), or `field:value`. It is never a pattern and never reaches a
database. A value is looked for in every form it can have: text that contains it, a number equal to it, an ObjectId or
UUID that begins with it, a date on that day or minute; behind a field also `true`, `false` and `null`.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from itertools import islice

from bson.decimal128 import Decimal128

from backups_app.browsing.values import tree, values
from backups_app.errors import InvalidInput
from backups_app.messages import browsing as messages
from backups_app.mongo.raw_bson import Value

LENGTH_LIMIT = 256
_TEXT_TYPES = frozenset({0x02, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F})
_DATE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(Z?))?)?")
_INT32, _INT64 = (-(2**31), 2**31), (-(2**63), 2**63)


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """`folded` are byte patterns to look for in lower-cased blocks, `raw` those to look for as they are: a document
    that holds none of them does not match; one that does is decided by `matching_paths`."""

    text: str
    field: str | None = None
    exact: bool = False
    number: Decimal | None = None
    hexadecimal: str | None = None
    span: tuple[int, int] | None = None
    constant: Value | None = None
    folded: tuple[bytes, ...] = ()
    raw: tuple[bytes, ...] = ()


def parse(typed: str, *, zone: tzinfo = UTC) -> Query:
    """Given what was typed, return the query; days and minutes are those of `zone`.

    Raise InvalidInput when there is nothing to look for or more than 256 characters.
    """
    text = typed.strip()
    if not text or len(text) > LENGTH_LIMIT:
        raise InvalidInput(message=messages.SEARCH_LENGTH(most=LENGTH_LIMIT))
    if len(text) > 2 and text[0] == text[-1] == '"':
        return Query(text=text[1:-1], exact=True, raw=(text[1:-1].encode("utf-8", "replace"),))
    field, text = _split(text)
    number, hexadecimal, span = _number(text), _hexadecimal(text), _span(text, zone)
    constant = _CONSTANTS.get(text.lower()) if field else None
    raw = [*_number_patterns(number), *_hex_patterns(hexadecimal), *_span_patterns(span)]
    if field and constant:
        name = field.rpartition(".")[2].encode() + b"\0"
        raw += [bytes([constant.type]) + name + constant.data, b"\x04" + name]
    return Query(
        text=text,
        field=field,
        number=number,
        hexadecimal=hexadecimal,
        span=span,
        constant=constant,
        folded=_text_patterns(text),
        raw=tuple(raw),
    )


PATHS_LIMIT = 100
_FOLDED_AT_ONCE = 4_096


def matching_paths(frame: bytes, query: Query) -> tuple[str, ...]:
    """Return the dotted names of the first hundred values in this document that answer the query; empty when it does
    not match."""
    wanted = fold(query.text)
    answering = (
        name
        for name, value in tree.leaves(frame)
        if (query.field is None or _is_field(name, query.field)) and _answers(value, query, wanted)
    )
    return tuple(islice(answering, PATHS_LIMIT))


def match_spans(text: str, query: Query) -> tuple[tuple[int, int], ...]:
    """Return where the words of the query stand in a shown text, as (start, end): what a page marks."""
    shown, wanted = (text, query.text) if query.exact else (fold(text), fold(query.text))
    found: list[tuple[int, int]] = []
    at = shown.find(wanted)
    while at >= 0 and len(found) < 100:
        found.append((at, at + len(wanted)))
        at = shown.find(wanted, at + len(wanted))
    return tuple(found)


def fold(text: str) -> str:
    """Return the text in lower case, each character in its place."""
    if text.isascii():
        return text.lower()
    return "".join(_folded(text[at : at + _FOLDED_AT_ONCE]) for at in range(0, len(text), _FOLDED_AT_ONCE))


def _folded(text: str) -> str:
    """Character by character only where the whole would change in length, or by its neighbours: slow, and large."""
    low = text.lower()
    if len(low) == len(text) and "Σ" not in text:
        return low
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def _answers(value: Value, query: Query, wanted: str) -> bool:
    if value.type in _TEXT_TYPES:
        shown = values.shown_value(value).text
        return query.text in shown if query.exact else wanted in fold(shown)
    if query.constant is not None and value == query.constant:
        return True
    if query.span is not None and value.type == 0x09:
        return query.span[0] <= values.milliseconds(value) < query.span[1]
    if query.hexadecimal is not None and value.type in (0x05, 0x07):
        body = value.data[5:] if value.type == 0x05 else value.data
        return body.hex().startswith(query.hexadecimal)
    return query.number is not None and value.type in _NUMBER_TYPES and _equals(value, query.number)


_NUMBER_TYPES = frozenset({0x01, 0x10, 0x12, 0x13})


def _equals(value: Value, number: Decimal) -> bool:
    if value.type == 0x01:
        return bool(struct.unpack("<d", value.data)[0] == float(number))
    if value.type == 0x13:
        return Decimal128.from_bid(value.data).to_decimal() == number
    return bool(struct.unpack("<i" if value.type == 0x10 else "<q", value.data)[0] == number)


def _is_field(name: str, field: str) -> bool:
    if name == field:
        return True
    plain = ".".join(part for part in name.split(".") if not part.isdigit())
    return plain == field or ("." not in field and plain.rpartition(".")[2] == field)


def _split(text: str) -> tuple[str | None, str]:
    field, _, rest = text.partition(":")
    named = field and rest.strip() and not rest.startswith("//") and (field[0].isalpha() or field[0] in "_$")
    if not named or any(character.isspace() or character in "\"'" for character in field):
        return None, text
    return field, rest.strip()


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 40 and "_" not in text else None


def _hexadecimal(text: str) -> str | None:
    digits = text.replace("-", "").lower()
    is_hex = 8 <= len(digits) <= 32 and all(character in "0123456789abcdef" for character in digits)
    return digits if is_hex else None


def _span(text: str, zone: tzinfo) -> tuple[int, int] | None:
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, utc = found.groups()
    try:
        at = datetime(int(year), int(month), int(day or 1), tzinfo=UTC if utc else zone)
        start = at.replace(hour=int(hour or 0), minute=int(minute or 0), second=int(second or 0))
        return _milliseconds(start), _milliseconds(start + _width(start, day, hour, second))
    except (ValueError, OverflowError):
        return None


def _width(start: datetime, day: str | None, hour: str | None, second: str | None) -> timedelta:
    if second:
        return timedelta(seconds=1)
    if hour:
        return timedelta(minutes=1)
    if day:
        return timedelta(days=1)
    return (start.replace(day=28) + timedelta(days=4)).replace(day=1) - start


def _milliseconds(at: datetime) -> int:
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def _text_patterns(text: str) -> tuple[bytes, ...]:
    """Lower-casing a block of bytes only touches ASCII: take the longest part that has one form, or else both cases
    of the first character."""
    parts: list[str] = [""]
    for character in text:
        one_form = character.isascii() or character.lower() == character == character.upper()
        parts = [*parts[:-1], parts[-1] + character] if one_form else [*parts, ""]
    longest = max(parts, key=len).lower()
    if longest:
        return (longest.encode("utf-8", "replace"),)
    return tuple({form.encode("utf-8", "replace") for form in (text[0], text[0].lower(), text[0].upper())})


def _number_patterns(number: Decimal | None) -> list[bytes]:
    if number is None:
        return []
    patterns = [struct.pack("<d", float(number))]
    if number == number.to_integral_value():
        whole = int(number)
        patterns += [b"\0" + struct.pack("<i", whole)] if _INT32[0] <= whole < _INT32[1] else []
        patterns += [struct.pack("<q", whole)] if _INT64[0] <= whole < _INT64[1] else []
    forms = [number, number.normalize(), *(_places(number, places) for places in range(4))]
    return patterns + list({Decimal128(form).bid for form in forms if form is not None})


def _places(number: Decimal, places: int) -> Decimal | None:
    try:
        form = number.quantize(Decimal(1).scaleb(-places))
    except InvalidOperation:
        return None
    return form if form == number else None


def _hex_patterns(digits: str | None) -> list[bytes]:
    return [bytes.fromhex(digits[: len(digits) // 2 * 2])] if digits else []


def _span_patterns(span: tuple[int, int] | None) -> list[bytes]:
    """The high bytes that all moments of the span share: as few patterns as say it with at most eight."""
    if span is None:
        return []
    for dropped in range(1, 5):
        first, last = (edge >> (8 * dropped) for edge in (span[0], span[1] - 1))
        if last - first < 8:
            return [struct.pack("<q", high)[: 8 - dropped] for high in range(first, last + 1)]
    return []


_CONSTANTS = {
    "true": Value(0x08, b"\x01"),
    "false": Value(0x08, b"\x00"),
    "null": Value(0x0A, b""),
    "undefined": Value(0x06, b""),
}
