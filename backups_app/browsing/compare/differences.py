"""What differs between two versions of one document, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from backups_app.browsing.values import tree, values
from backups_app.browsing.values.tree import Node
from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value

ADDED, REMOVED, CHANGED, REORDERED = "+", "-", "~", "="
CHANGES_LIMIT = 500
DEPTH_LIMIT = 20
CHILDREN_LIMIT = 20_000
"""Of a larger list it is reported that it changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One difference: `sign` is `+`, `-`, `~`, or `=` when only the order of the fields of `name` differs. `name` is
    dotted; the root's is empty. `before` and `after` are None where there is nothing."""

    sign: str
    name: str
    before: Node | None
    after: Node | None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON, its values as text with their types."""
        before, after = (
            {"type": node.type, "text": node.iso or node.text} if node else None for node in (self.before, self.after)
        )
        return {"sign": self.sign, "field": self.name, "before": before, "after": after}


def fields(before: bytes, after: bytes, *, zone: tzinfo = UTC) -> tuple[FieldChange, ...]:
    """Given two versions of a document as bytes, return what differs, in the order of the fields, at most 500.

    Equal bytes give nothing; different bytes give at least one change.
    """
    if before == after:
        return ()
    whole = Value(values.OBJECT, before), Value(values.OBJECT, after)
    found = _Changes(zone)
    found.compare("", whole[0], whole[1], 0)
    return tuple(found.changes[:CHANGES_LIMIT])


class _Changes:
    def __init__(self, zone: tzinfo) -> None:
        self.shape = tree.Shape(zone=zone, nodes=50, depth=1)
        self.changes: list[FieldChange] = []

    def compare(self, name: str, before: Value, after: Value, depth: int) -> None:
        """Walk two containers of one type side by side. Equal names are paired in their order."""
        if max(_size(before), _size(after)) > CHILDREN_LIMIT:
            self._add(CHANGED, name, before, after)
            return
        old, new = dict(_numbered(before)), dict(_numbered(after))
        count = len(self.changes)
        for key in [*old, *(key for key in new if key not in old)]:
            if len(self.changes) >= CHANGES_LIMIT:
                return
            self._pair(f"{name}{'.' if name else ''}{key[0]}", old.get(key), new.get(key), depth)
        if len(self.changes) == count:
            self.changes.append(FieldChange(sign=REORDERED, name=name, before=None, after=None))

    def _pair(self, name: str, before: Value | None, after: Value | None, depth: int) -> None:
        if before == after:
            return
        if before is not None and after is not None:
            if before.type == after.type and values.is_container(before) and depth < DEPTH_LIMIT:
                self.compare(name, before, after, depth + 1)
                return
            self._add(CHANGED, name, before, after)
        else:
            self._add(ADDED if before is None else REMOVED, name, before, after)

    def _add(self, sign: str, name: str, before: Value | None, after: Value | None) -> None:
        self.changes.append(
            FieldChange(sign=sign, name=name, before=self._node(name, before), after=self._node(name, after))
        )

    def _node(self, name: str, value: Value | None) -> Node | None:
        return None if value is None else tree.of_value(name=name, value=value, shape=self.shape)


def _size(container: Value) -> int:
    return sum(1 for _ in raw_bson.elements(container.data))


def _numbered(container: Value) -> Iterator[tuple[tuple[str, int], Value]]:
    seen: Counter[bytes] = Counter()
    for name, value in raw_bson.elements(container.data):
        yield (name.decode("utf-8", "replace"), seen[name]), value
        seen[name] += 1
