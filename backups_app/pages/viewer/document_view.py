"""One document of a backup as pages show it: its values in the language of the page, its JSON, its short id."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups_app import formats
from backups_app.backup_files.shown import extended_json, shortened
from backups_app.browsing.reading import document_ids
from backups_app.browsing.search import query
from backups_app.browsing.search.query import Query
from backups_app.browsing.values import values
from backups_app.browsing.values.tree import Node
from backups_app.mongo import raw_ids

SHORT = 14
WHOLE_NUMBERS = frozenset({"Int32", "Int64"})
BEFORE, AROUND = 24, 80
"""Characters shown before a match, and in all, where a text is too long for one line."""
NUMBER = re.compile(r'\{"\$number(?:Int|Long|Double|Decimal)": "([^"]*)"\}')
BINARY = re.compile(r"subtype (\d+), \d+ bytes?: (.*)", re.DOTALL)
AS_ADDRESSED = frozenset({0x02, 0x03, 0x04, 0x07})
"""String, object, array and ObjectId: what their address says is what people would write."""


def around(text: str, wanted: Query) -> str:
    """Return the part of a text that stands around its first match."""
    first = next(iter(query.match_spans(text, wanted)), (0, 0))[0]
    start = max(0, first - BEFORE) if len(text) > AROUND else 0
    rest = len(text) > start + AROUND
    return f"{'…' if start else ''}{text[start : start + AROUND]}{'…' if rest else ''}"


def json_text(frame: bytes) -> str:
    """Return a document as relaxed Extended JSON, indented; by its bytes where its text is not UTF-8. One above 1 MiB
    is shortened."""
    return json.dumps(extended_json.relaxed_or_raw(shortened.shorten(frame)), ensure_ascii=False, indent=2)


def short_id(raw_id: bytes) -> str:
    """Return `507f1f77…9011`, or `59999`: enough of an `_id` to distinguish two at a glance."""
    value = raw_ids.value(raw_id)
    whole = (
        document_ids.address(raw_id)
        if value.type in AS_ADDRESSED
        else values.shown_value(value, zone=UTC, limit=80).text
    )
    return whole if len(whole) <= SHORT else f"{whole[:8]}…{whole[-4:]}"


def plain_id(address: str) -> str:
    """Return an address as people write it: `17` for `{"$numberInt": "17"}`; one of another kind stays as it is."""
    number = NUMBER.fullmatch(address)
    return number[1] if number else address


def short_id_of(frame: bytes) -> str:
    """Return the short form of a document's `_id`; empty without one, as a foreign file may hold it."""
    try:
        return short_id(raw_ids.id_of(frame))
    except ValueError:
        return ""


def identity_of(frame: bytes) -> str:
    """Return a document's `_id` as `--id` takes it; empty without one."""
    try:
        return document_ids.address(raw_ids.id_of(frame))
    except ValueError:
        return ""


def node_text(node: Node) -> str:
    """Return a value's text in the language of the page: its month, its unit, its count of children."""
    if node.container:
        return children_text(node)
    if node.type == "Date":
        return _date(node.iso) or node.text
    binary = BINARY.fullmatch(node.text) if node.type == "Binary" else None
    if binary:
        shown = _("subtype %(subtype)s, %(size)s bytes")
        return f"{shown % {'subtype': binary[1], 'size': formats.grouped(node.length)}}: {binary[2]}"
    return node.text


def readable(node: Node, wanted: str = "") -> str:
    """Return a value's text for a line or a table: whole numbers in groups, dates without seconds. While something is
    searched for, the text in which it was found."""
    if wanted:
        return node_text(node)
    if node.type in WHOLE_NUMBERS and "year" not in node.name.lower():
        return formats.grouped(int(node.text))
    if node.type == "Date":
        return _date(node.iso, "j M Y, H:i") or node.text
    return node_text(node)


def children_text(node: Node) -> str:
    """Return how much a container holds: `12 items`, `3 fields`."""
    if node.type == "Array":
        return ngettext("%(n)s item", "%(n)s items", node.size) % {"n": formats.grouped(node.size)}
    return ngettext("%(n)s field", "%(n)s fields", node.size) % {"n": formats.grouped(node.size)}


def _date(iso: str, pattern: str = "j M Y, H:i:s") -> str:
    """Return the moment in the zone and the language of the page; empty for one that no calendar of ours holds."""
    try:
        local = timezone.localtime(datetime.fromisoformat(iso))
    except (ValueError, OverflowError):
        return ""
    return f"{date_format(local, pattern)} {local.tzname() or ''}".rstrip()
