"""One document of a backup as pages show it: its tree, its JSON, the short form of its id."""

from __future__ import annotations

import json
import re
from datetime import UTC

from backups_app.backup_files import extended_json
from backups_app.browsing import document_ids, values
from backups_app.mongo import raw_ids

SHORT = 14
NUMBER = re.compile(r'\{"\$number(?:Int|Long|Double|Decimal)": "([^"]*)"\}')
AS_ADDRESSED = frozenset({0x02, 0x03, 0x04, 0x07})
"""String, object, array and ObjectId: what their address says is what people would write."""


def json_text(frame: bytes) -> str:
    """Return a document as relaxed Extended JSON, indented."""
    return json.dumps(extended_json.relaxed(frame), ensure_ascii=False, indent=2)


def short_id(raw_id: bytes) -> str:
    """Return `507f1f77…9011`, or `59999`: enough of an `_id` to tell two apart at a glance."""
    value = raw_ids.value(raw_id)
    whole = document_ids.address(raw_id) if value.type in AS_ADDRESSED else values.show(value, zone=UTC, limit=80).text
    return whole if len(whole) <= SHORT else f"{whole[:8]}…{whole[-4:]}"


def plain_id(address: str) -> str:
    """Return an address as people write it: `17` for `{"$numberInt": "17"}`; one of another kind stays as it is."""
    number = NUMBER.fullmatch(address)
    return number[1] if number else address


def short_id_of(frame: bytes) -> str:
    """Return the short form of a document's `_id`; empty without one, as a foreign file may hold it."""
    try:
        return short_id(raw_ids.of(frame))
    except ValueError:
        return ""


def identity_of(frame: bytes) -> str:
    """Return a document's `_id` as `--id` takes it; empty without one."""
    try:
        return document_ids.address(raw_ids.of(frame))
    except ValueError:
        return ""


def hex_dump(data: bytes) -> str:
    """Return bytes as lines of sixteen, with their place before and their characters after them."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:06x}  {row.hex(' '):<47}  {shown}")
    return "\n".join(lines)
