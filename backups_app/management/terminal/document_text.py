"""A document, and what changed in one, as lines for a terminal. Nothing in them can steer the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import tzinfo

from backups_app.browsing.compare.differences import FieldChange
from backups_app.browsing.reading import raw_documents
from backups_app.browsing.reading.raw_documents import UndecodableDocument
from backups_app.browsing.values import tree
from backups_app.browsing.values.tree import Node, Shape

_QUOTED = frozenset({"String", "Symbol", "Code"})
_UNNAMED = frozenset({"Boolean", "null", "Undefined"})


def document(frame: bytes, *, zone: tzinfo) -> Iterator[str]:
    """Yield the lines of a validated document: names, values, types; arrays 50 items, strings 500 characters."""
    shape = Shape(zone=zone, depth=200, nodes=100_000)
    for node in tree.document(frame, shape=shape).children:
        yield from _lines(node, 1)


def raw(entry: UndecodableDocument) -> Iterator[str]:
    """Yield the lines of a document that may not be decoded: why, its bytes, and how it can be restored."""
    yield f"  shown by its bytes: {entry.problem}" if entry.restorable else f"  cannot be read: {entry.problem}"
    yield from (f"  {line}" for line in raw_documents.hex_dump(entry.raw).splitlines())
    if entry.restorable:
        yield f"  Everything of it is there. Restore it alone with: --id {shlex.quote(entry.identity)}"


def change(entry: FieldChange) -> str:
    """Return one changed field: `~ amount: 501 -> 551`."""
    if entry.sign == "=":
        return f"= {safe(entry.name) or 'the document'}: only the order of its fields"
    before, after = (_value(node) if node else "" for node in (entry.before, entry.after))
    message = {"~": f"{before} -> {after}", "+": after, "-": before}[entry.sign]
    return f"{entry.sign} {safe(entry.name)}: {message}"


def safe(text: str) -> str:
    """Return the text with everything that a terminal might obey written as an escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def _lines(node: Node, depth: int) -> Iterator[str]:
    badge = "  (this name stands here more than once)" if node.duplicate else ""
    yield f"{'  ' * depth}{safe(node.name)}: {_value(node)}{badge}"
    for child in node.children:
        yield from _lines(child, depth + 1)
    if node.more_from is not None:
        yield f"{'  ' * (depth + 1)}… {node.size - node.more_from} more"


def _value(node: Node) -> str:
    if node.container:
        return f"{'[ ]' if node.type == 'Array' else '{ }'} {node.text}"
    text = f'"{safe(node.text)}"' if node.type in _QUOTED else safe(node.text)
    if node.cut:
        text += f"… ({node.length} in all)"
    if node.type in _UNNAMED:
        return text
    return f"{text}  {node.type}" + (f"  {node.iso}" if node.iso and node.iso != node.text else "")
