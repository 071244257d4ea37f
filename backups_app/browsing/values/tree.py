"""A document as a tree that pages and commands draw: name, type, text, and children a handful at a time.

Pure: bytes in, nodes out. A *path* names a place by ordinals ("4.0.12": the thirteenth child of the first child of the
fifth field), so that duplicate names, dots and empty names are addressed as exactly as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from itertools import islice

from backups_app.browsing.values import values
from backups_app.errors import DocumentNotFound
from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value

ARRAY_ITEMS = 50
OBJECT_FIELDS = 200
TEXT_LIMIT = 500
TEXT_AT_ONCE = 256 * 1024
DEPTH_SHOWN = 8
NODES_AT_ONCE = 2_000
PREVIEW_FIELDS = 4
"""What lies deeper, or is too much for one answer, is loaded when it is opened."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One field, or one item of an array.

    `length`: characters of a string, bytes of a binary, 0 otherwise; `cut` says that `text` holds only its beginning.
    `children` are those loaded so far, out of `size`; `more_from` is the first one that is not, or None.
    `duplicate`: another field of the same object bears this name, and most tools show only the last of them.
    """

    path: str
    name: str
    type: str
    text: str
    iso: str = ""
    length: int = 0
    cut: bool = False
    duplicate: bool = False
    container: bool = False
    size: int = 0
    children: tuple[Node, ...] = ()
    more_from: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How much is shown at once: the zone of dates, and the limits above."""

    zone: tzinfo = UTC
    array_items: int = ARRAY_ITEMS
    object_fields: int = OBJECT_FIELDS
    text_limit: int | None = TEXT_LIMIT
    depth: int = DEPTH_SHOWN
    nodes: int = NODES_AT_ONCE

    def at_once(self, container: Value) -> int:
        """Return how many children of this container are loaded at a time."""
        return self.array_items if container.type == values.ARRAY else self.object_fields


def document(frame: bytes, *, shape: Shape | None = None) -> Node:
    """Given a validated document, return its root: an Object without a name whose children are the fields."""
    return _Planter(shape or Shape()).node(path="", name="", value=Value(values.OBJECT, frame), depth=0)


def items(frame: bytes, *, path: str, start: int = 0, shape: Shape | None = None) -> Node:
    """Return the container at `path` with its children from number `start` on. Raise DocumentNotFound without one."""
    name, value = find(frame, path=path)
    if not values.is_container(value):
        raise DocumentNotFound
    return _Planter(shape or Shape()).node(path=path, name=name, value=value, depth=0, start=start)


def whole(frame: bytes, *, path: str, zone: tzinfo = UTC, start: int = 0) -> Node:
    """Return the value at `path` with its whole text, or 256 Ki characters of it from character `start` on: "Show all".
    `more_from` is where a longer one goes on. Raise DocumentNotFound when it is not there."""
    name, value = find(frame, path=path)
    node = _Planter(Shape(zone=zone, text_limit=None)).node(path=path, name=name, value=value, depth=0)
    end = start + TEXT_AT_ONCE
    if start == 0 and len(node.text) <= end:
        return node
    cut = end < len(node.text)
    return replace(node, text=node.text[start:end], cut=cut, more_from=end if cut else None)


def preview(frame: bytes, *, zone: tzinfo = UTC, limit: int = PREVIEW_FIELDS) -> tuple[Node, ...]:
    """Return up to `limit` fields by which a person recognises a document: names (also `devotee.name`), then amounts,
    then numbers of bookings and receipts, then what else is short."""
    fields = list(_identifying_fields(frame))
    best = sorted(enumerate(fields), key=lambda numbered: (_rank(*numbered[1]), numbered[0]))[:limit]
    planter = _Planter(Shape(zone=zone, text_limit=80))
    return tuple(planter.node(path="", name=_text(name), value=value, depth=0) for _, (name, value) in best)


def _identifying_fields(frame: bytes) -> Iterator[tuple[bytes, Value]]:
    """Yield the fields of the first level, and of each object in it the one that names it, with its dotted name."""
    for name, value in islice(raw_bson.elements(frame), OBJECT_FIELDS):
        if name == b"_id":
            continue
        if value.type in _IDENTIFYING:
            yield name, value
        elif value.type == values.OBJECT:
            inside = dict(islice(raw_bson.elements(value.data), OBJECT_FIELDS))
            known = next((one for one in _NAMES if one in inside and inside[one].type in _IDENTIFYING), None)
            if known is not None:
                yield name + b"." + known, inside[known]


def of_value(*, name: str, value: Value, shape: Shape) -> Node:
    """Return one value as a tree of its own."""
    return _Planter(shape).node(path="", name=name, value=value, depth=0)


def leaves(frame: bytes) -> Iterator[tuple[str, Value]]:
    """Yield every value that is no container with its dotted name (`devotee.names.0`), depth first."""
    stack: list[tuple[str, Iterator[tuple[bytes, Value]]]] = [("", raw_bson.elements(frame))]
    while stack:
        prefix, rest = stack[-1]
        name, value = next(rest, (b"", None))
        if value is None:
            stack.pop()
        elif values.is_container(value):
            stack.append((f"{prefix}{_text(name)}.", raw_bson.elements(value.data)))
        else:
            yield f"{prefix}{_text(name)}", value


def leaf(frame: bytes, *, name: str, zone: tzinfo = UTC) -> Node:
    """Return the value with this dotted name, its text whole. Raise DocumentNotFound when there is none."""
    value = next((value for there, value in leaves(frame) if there == name), None)
    if value is None:
        raise DocumentNotFound
    return of_value(name=name, value=value, shape=Shape(zone=zone, text_limit=None))


def find(frame: bytes, *, path: str) -> tuple[str, Value]:
    """Return the name and value at `path`. Raise DocumentNotFound when there is none."""
    name, value = b"", Value(values.OBJECT, frame)
    for part in path.split(".") if path else ():
        if not (part.isascii() and part.isdigit()) or len(part) > 9 or not values.is_container(value):
            raise DocumentNotFound
        name, found = next(islice(raw_bson.elements(value.data), int(part), None), (b"", None))
        if found is None:
            raise DocumentNotFound
        value = found
    return _text(name), value


_BINARY = 0x05
_IDENTIFYING = frozenset({0x02, 0x07, 0x08, 0x09, 0x0E, 0x10, 0x12, 0x13, 0x01})
_NAMES = (b"name", b"title", b"devotee_name", b"employee_name", b"label", b"subject", b"ritual", b"action", b"filename")


_AMOUNTS = (b"amount", b"total", b"price", b"cost", b"value")
_NUMBERS = (b"number", b"_no", b"code", b"receipt")
_DECIMALS = frozenset({0x01, 0x10, 0x12, 0x13})


def _rank(name: bytes, value: Value) -> int:
    """Return the place of a field in the line of a card: a lower one stands further in front."""
    if name in _NAMES:
        return _NAMES.index(name)
    if name.rpartition(b".")[2] in _NAMES or b"name" in name:
        return 10
    low = name.lower()
    if value.type in _DECIMALS and any(word in low for word in _AMOUNTS):
        return 12
    if any(low.endswith(word) for word in _NUMBERS):
        return 14
    by_type = {0x02: 20, 0x0E: 20, 0x09: 30, 0x13: 40, 0x01: 41, 0x10: 42, 0x12: 42, 0x08: 50, 0x07: 60}
    return by_type[value.type]


class _Planter:
    """Grows one tree, and stops filling containers when its share of nodes is used up."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.left = shape.nodes

    def node(self, *, path: str, name: str, value: Value, depth: int, start: int = 0, duplicate: bool = False) -> Node:
        if not values.is_container(value):
            return self._leaf(path=path, name=name, value=value, duplicate=duplicate)
        size = sum(1 for _ in raw_bson.elements(value.data))
        children = self._children(path=path, value=value, depth=depth, start=start)
        shown = start + len(children)
        return Node(
            path=path,
            name=name,
            type=values.type_name(value),
            text=_count(value, size),
            duplicate=duplicate,
            container=True,
            size=size,
            children=children,
            more_from=shown if shown < size else None,
        )

    def _children(self, *, path: str, value: Value, depth: int, start: int) -> tuple[Node, ...]:
        if depth >= self.shape.depth or self.left <= 0:
            return ()
        doubled = _duplicates(value) if value.type == values.OBJECT else frozenset()
        wanted = list(islice(raw_bson.elements(value.data), start, start + self.shape.at_once(value)))
        self.left -= len(wanted)
        return tuple(
            self.node(
                path=f"{path}.{number}" if path else str(number),
                name=_text(name),
                value=child,
                depth=depth + 1,
                duplicate=name in doubled,
            )
            for number, (name, child) in enumerate(wanted, start)
        )

    def _leaf(self, *, path: str, name: str, value: Value, duplicate: bool) -> Node:
        limit = self.shape.text_limit
        shown = values.shown_value(value, zone=self.shape.zone, limit=limit)
        written = shown.length * (2 if value.type == _BINARY else 1)
        return Node(
            path=path,
            name=name,
            type=values.type_name(value),
            text=shown.text,
            iso=shown.iso,
            length=shown.length,
            cut=limit is not None and written > limit,
            duplicate=duplicate,
        )


def _duplicates(value: Value) -> frozenset[bytes]:
    seen: set[bytes] = set()
    twice: set[bytes] = set()
    for name, _ in raw_bson.elements(value.data):
        (twice if name in seen else seen).add(name)
    return frozenset(twice)


def _count(value: Value, size: int) -> str:
    word = "item" if value.type == values.ARRAY else "field"
    return f"{size} {word}{'' if size == 1 else 's'}"


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
