"""51 pairs of documents that a server, a driver or a careless program takes for one, and whose bytes differ."""

from __future__ import annotations

import random
import struct
from typing import Any

import bson

from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value

Pair = tuple[str, bytes, bytes]
D = bson.Decimal128


def _value(value: Any) -> Value:
    if isinstance(value, Value):
        return value
    ((_, element),) = raw_bson.elements(bson.encode({"": value}))
    return element


def _double(bits: int) -> Value:
    return Value(0x01, struct.pack("<Q", bits))


def _symbol(text: str) -> Value:
    return Value(0x0E, raw_bson.text(text).data)


def _fields(*fields: tuple[str, Any]) -> Value:
    return raw_bson.embedded(raw_bson.document([(name, _value(value)) for name, value in fields]))


def _array(*named: tuple[str, Any]) -> Value:
    return Value(0x04, _fields(*named).data)


QUIET_NAN, NAN_WITH_PAYLOAD, NEGATIVE_NAN = 0x7FF8000000000000, 0x7FF8000000000001, 0xFFF8000000000000

VALUES: list[tuple[str, Any, Any]] = [
    ("int32 and int64", 1, bson.Int64(1)),
    ("int32 and double", 1, 1.0),
    ("int32 and decimal", 1, D("1")),
    ("int64 and double", bson.Int64(1), 1.0),
    ("int64 and decimal", bson.Int64(1), D("1")),
    ("double and decimal", 1.0, D("1")),
    ("zero and minus zero", 0.0, -0.0),
    ("int zero and minus zero", 0, -0.0),
    ("decimal zero and minus zero", D("0"), D("-0")),
    ("decimal zeros of two scales", D("0"), D("0E+5")),
    ("decimal 1.0 and 1.00", D("1.0"), D("1.00")),
    ("decimal 10 and 1E1", D("10"), D("1E+1")),
    ("decimal 0.5 and double", D("0.5"), 0.5),
    ("2^53 as int64 and double", bson.Int64(2**53), float(2**53)),
    ("2^53+1 and its double", bson.Int64(2**53 + 1), float(2**53)),
    ("two NaN payloads", _double(QUIET_NAN), _double(NAN_WITH_PAYLOAD)),
    ("NaN and minus NaN", _double(QUIET_NAN), _double(NEGATIVE_NAN)),
    ("NaN and decimal NaN", float("nan"), D("NaN")),
    ("infinity and decimal infinity", float("inf"), D("Infinity")),
    ("symbol and string", _symbol("anna"), "anna"),
    ("empty symbol and string", _symbol(""), ""),
    ("true and 1", True, 1),
    ("null and undefined", None, Value(0x06, b"")),
    ("date and int64", Value(0x09, bytes(8)), bson.Int64(0)),
    ("timestamp and date", bson.Timestamp(1, 0), Value(0x09, bson.encode({"": bson.Timestamp(1, 0)})[6:14])),
    ("one ulp", 0.1, 0.10000000000000002),
    ("capital letters", "Anna", "anna"),
    ("accents", "José", "Jose"),
    ("composed and decomposed", "é", "e\u0301"),
    ("trailing space", "anna ", "anna"),
    ("NUL inside", "an\0na", "an\0nb"),
    ("binary subtypes", bson.Binary(b"a", 0), bson.Binary(b"a", 5)),
    ("object id and its hex", bson.ObjectId("0" * 24), "0" * 24),
    ("expression as a value", "$amount", "$total"),
    ("operator as a value", {"$add": [1, 1]}, {"$add": [1, bson.Int64(1)]}),
    ("literal as a value", {"$literal": 1}, {"$literal": 1.0}),
    ("regex options", bson.Regex("a", "i"), bson.Regex("a", "m")),
    ("code and string", bson.Code("a"), "a"),
    ("order of fields", _fields(("a", 1), ("b", 2)), _fields(("b", 2), ("a", 1))),
    ("a number inside", _fields(("a", _fields(("b", 1)))), _fields(("a", _fields(("b", 1.0))))),
    ("a number in an array", [1, [2, 3]], [1, [2, 3.0]]),
    ("a symbol in an array", _array(("0", _symbol("x"))), ["x"]),
    ("names in an array", _array(("0", 1), ("1", 2)), _array(("0", 1), ("7", 2))),
    ("array and object", _array(("0", 1)), _fields(("0", 1))),
    ("empty array and object", _array(), _fields()),
    ("twice one name inside", _fields(("a", 1), ("a", 2)), _fields(("a", 1), ("a", 3))),
    ("once and twice inside", _fields(("a", 1)), _fields(("a", 1), ("a", 1))),
]  # fmt: skip


def pairs() -> list[Pair]:
    """Return the pairs: name, saved bytes, live bytes. Both have one `_id` in the eyes of the index."""
    both = [(name, _document(name, one), _document(name, other)) for name, one, other in VALUES]
    ids: list[tuple[Any, Any]] = [(1, bson.Int64(1)), (1.0, 1), (D("2.0"), D("2.00"))]
    both += [(f"the _id itself, {n}", _with_id(one), _with_id(other)) for n, (one, other) in enumerate(ids)]
    twice = [("_id", "twice"), ("amount", 1), ("amount", 2)], [("_id", "twice"), ("amount", 1), ("amount", 3)]
    both.append(("twice one name", _fields(*twice[0]).data, _fields(*twice[1]).data))
    return both


def _document(name: str, value: Any) -> bytes:
    return raw_bson.document([("_id", _value(name)), ("before", _value(1)), ("v", _value(value)), ("after", _value(2))])


def _with_id(value: Any) -> bytes:
    return raw_bson.document([("_id", _value(value)), ("name", _value("anna"))])


def random_pairs(count: int, seed: int) -> list[Pair]:
    """Return random pairs, about half of them equal, built from values that look alike."""
    chance = random.Random(seed)
    return [(f"pair {n}", *_random_pair(chance, n)) for n in range(count)]


def _random_pair(chance: random.Random, number: int) -> tuple[bytes, bytes]:
    one = [(f"f{chance.randrange(4)}", _random_value(chance, 3)) for _ in range(chance.randrange(1, 6))]
    other = list(one)
    if chance.random() < 0.5:
        at = chance.randrange(len(other))
        other[at] = (other[at][0], _random_value(chance, 3))
    identity = ("_id", _value(number))
    return _fields(identity, *one).data, _fields(identity, *other).data


def _random_value(chance: random.Random, depth: int) -> Value:
    kind = chance.randrange(8 if depth else 6)
    if kind == 6:
        return _fields(*[(f"g{chance.randrange(3)}", _random_value(chance, depth - 1)) for _ in range(2)])
    if kind == 7:
        return _array(*[(str(n), _random_value(chance, depth - 1)) for n in range(2)])
    return _value(chance.choice(VALUES)[chance.randrange(1, 3)])
