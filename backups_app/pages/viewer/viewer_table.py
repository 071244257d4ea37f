"""Documents as a table: nested fields flattened, columns chosen, rows sorted. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from backups_app.browsing.values import tree
from backups_app.browsing.values.tree import Node, Shape
from backups_app.pages.viewer.viewer_place import Place

COLUMNS = 8
"""How many columns a table shows until somebody chooses."""
CELL_CHARACTERS = 40
LEVELS = 3
MOST_FIELDS = 60
NUMBERS = frozenset({"Int32", "Int64", "Double", "Decimal128"})
ASCENDING, DESCENDING = "ascending", "descending"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. `sorted` is `ascending`, `descending` or empty; `url` sorts by it, or turns the order."""

    name: str
    numeric: bool
    shown: bool
    sorted: str
    url: str


def flat(frame: bytes) -> dict[str, Node]:
    """Return the fields of a document by their dotted names, objects opened three levels deep. Arrays stay closed."""
    shape = Shape(zone=timezone.get_current_timezone(), text_limit=CELL_CHARACTERS, depth=LEVELS)
    found: dict[str, Node] = {}
    for name, node in _leaves(tree.document(frame, shape=shape), ""):
        if len(found) >= MOST_FIELDS:
            break
        found.setdefault(name, node)
    return found


def _leaves(parent: Node, prefix: str) -> Iterator[tuple[str, Node]]:
    for node in parent.children:
        name = f"{prefix}{node.name}"
        if node.type == "Object" and node.children and node.more_from is None:
            yield from _leaves(node, f"{name}.")
        else:
            yield name, node


def columns(place: Place, rows: Sequence[Mapping[str, Node]], *, sortable: bool) -> list[Column]:
    """Return every column that these rows could have, `_id` left out, in the order in which the fields appear."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "_id"]
    chosen = [name for name in place.columns if name in names] or names[:COLUMNS]
    return [
        Column(
            name=name,
            numeric=all(row[name].type in NUMBERS for row in rows if name in row and row[name].type != "null"),
            shown=name in chosen,
            sorted=_sorted(place, name),
            url=place.begun(sort=name if _sorted(place, name) != ASCENDING else f"-{name}", page=1).url
            if sortable
            else "",
        )
        for name in names
    ]


def _sorted(place: Place, name: str) -> str:
    return {name: ASCENDING, f"-{name}": DESCENDING}.get(place.sort, "")


def in_order(rows: Sequence[Any], place: Place) -> list[Any]:
    """Return rows (anything with `fields`) sorted as the place asks; what lacks the field stands last both ways."""
    descending = place.sort.startswith("-")
    name = place.sort.removeprefix("-")
    with_it = [row for row in rows if name in row.fields]
    without = [row for row in rows if name not in row.fields]
    return sorted(with_it, key=lambda row: _key(row.fields[name]), reverse=descending) + without


def _key(node: Node) -> tuple[int, float, str]:
    """Order numbers as numbers, dates by their moment, everything else by its text whatever the case."""
    if node.type in NUMBERS:
        try:
            return 0, float(node.text), ""
        except ValueError:
            return 0, float("inf"), node.text
    return (1, 0.0, node.iso) if node.iso else (2, 0.0, node.text.casefold())
