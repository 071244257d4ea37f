"""The schema of a collection as a sample of its documents shows it: which fields, of which types, how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from backups_app.browsing.values import tree, values
from backups_app.browsing.values.tree import Node, Shape
from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value

SAMPLE = 1_000
FIELDS_LIMIT = 500
DEPTH_LIMIT = 8
_SAMPLES_SHOWN = 3
_SAMPLE_TEXT = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldSummary:
    """One field by its dotted name (`slots[].time`). `types` maps a type's name to the number of values seen;
    `documents` of the `sample` hold the field; `samples` are a few different values."""

    name: str
    types: dict[str, int]
    documents: int
    sample: int
    samples: tuple[Node, ...]

    @property
    def share(self) -> float:
        """How many of the sampled documents hold the field, from 0 to 1."""
        return self.documents / self.sample if self.sample else 0.0


@dataclass(slots=True)
class _Seen:
    types: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    last: int = -1
    samples: dict[str, Node] = field(default_factory=dict)


def summarise(frames: Iterable[bytes], *, zone: tzinfo = UTC) -> tuple[FieldSummary, ...]:
    """Given validated documents, return their fields in the order in which they were first seen."""
    seen: dict[str, _Seen] = {}
    shape = Shape(zone=zone, text_limit=_SAMPLE_TEXT)
    count = 0
    for count, frame in enumerate(frames, 1):
        for name, value in _named(frame):
            if name in seen or len(seen) < FIELDS_LIMIT:
                _note(seen.setdefault(name, _Seen()), count, value, shape)
    return tuple(
        FieldSummary(
            name=name,
            types=dict(entry.types.most_common()),
            documents=entry.documents,
            sample=count,
            samples=tuple(entry.samples.values()),
        )
        for name, entry in seen.items()
    )


def _note(entry: _Seen, document: int, value: Value, shape: Shape) -> None:
    entry.types[values.type_name(value)] += 1
    if entry.last != document:
        entry.last = document
        entry.documents += 1
    if not values.is_container(value) and len(entry.samples) < _SAMPLES_SHOWN:
        node = tree.of_value(name="", value=value, shape=shape)
        entry.samples.setdefault(node.text, node)


def _named(frame: bytes) -> Iterator[tuple[str, Value]]:
    stack = [("", raw_bson.elements(frame), False)]
    while stack:
        prefix, rest, in_array = stack[-1]
        raw_name, value = next(rest, (b"", None))
        if value is None:
            stack.pop()
            continue
        name = prefix if in_array else f"{prefix}{'.' if prefix else ''}{raw_name.decode('utf-8', 'replace')}"
        yield name, value
        if values.is_container(value) and len(stack) < DEPTH_LIMIT:
            array = value.type == values.ARRAY
            stack.append((name + "[]" if array else name, raw_bson.elements(value.data), array))
