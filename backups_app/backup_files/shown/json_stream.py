"""A document as the text of Extended JSON, piece by piece: a large one is written without holding all of it twice."""

from __future__ import annotations

import json
from collections.abc import Iterator

from backups_app.backup_files.shown import extended_json
from backups_app.backup_files.shown.json_values import Form
from backups_app.mongo import raw_bson
from backups_app.mongo.raw_bson import Value

PIECE_CHARACTERS = 64 * 1024
_DOCUMENT, _ARRAY = 0x03, 0x04


def pieces(frame: bytes, form: Form) -> Iterator[str]:
    """Given a validated document, yield its JSON in pieces of about 64 Ki characters; a longer text is one piece."""
    waiting: list[str] = []
    size = 0
    for part in _value(Value(_DOCUMENT, frame), form):
        waiting.append(part)
        size += len(part)
        if size >= PIECE_CHARACTERS:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)


def _value(value: Value, form: Form) -> Iterator[str]:
    if value.type not in (_DOCUMENT, _ARRAY):
        yield json.dumps(extended_json.value(value, form), ensure_ascii=False)
        return
    is_array = value.type == _ARRAY
    yield "[" if is_array else "{"
    comma = ""
    for name, child in raw_bson.elements(value.data):
        yield comma if is_array else f"{comma}{json.dumps(name.decode(), ensure_ascii=False)}: "
        yield from _value(child, form)
        comma = ", "
    yield "]" if is_array else "}"
