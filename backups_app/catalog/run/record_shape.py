"""Of which type each field of a run's record is. Pure.

A `metadata.json` may be edited by hand, or come from a target to which others can write. A page that adds up its
numbers, and MongoDB that stores them, must not fail over it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Check = Callable[[Any], bool]

LARGEST = 2**63 - 1
"""MongoDB holds no larger whole number."""
DEEPEST = 60
"""MongoDB takes no document that is nested 100 levels deep."""


def _text(value: Any) -> bool:
    return isinstance(value, str)


def is_count(value: Any) -> bool:
    """Return whether a value is a whole number from 0 on that MongoDB can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def _document(value: Any) -> bool:
    return isinstance(value, Mapping)


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list | tuple) and all(map(check, value))


def _by_name(check: Check) -> Check:
    return lambda value: isinstance(value, Mapping) and all(map(check, value.values()))


def _with(fields: Mapping[str, Check], *, required: bool = False) -> Check:
    """A document whose fields are of these types. What is not there, or is None, is wrong only where it is required."""
    return lambda value: (
        isinstance(value, Mapping)
        and not wrong_fields(value, fields)
        and not (required and any(value.get(name) is None for name in fields))
    )


_LABEL = {"name": _text, "done": is_count, "total": is_count, "bytes": is_count}
_STEP = {
    "name": _text,
    "state": _text,
    "sentence": _text,
    "counts": _document,
    "labels": _list_of(_with(_LABEL)),
}  # fmt: skip
_SIDE = _by_name(_with({"deleted": is_count, "kept_changed": is_count, "kept_ids": _list_of(lambda _: True)}))
_PURGE = {
    "refusal": _text,
    "sides": _list_of(_text),
    "collections": _list_of(_text),
    "withheld": _by_name(_text),
    "remote": _SIDE,
    "local": _SIDE,
}
_EMPTIED = _with({"name": _text, "run": _text}, required=True)
_RESTORE = {
    "choices": _document,
    "taken": _list_of(_text),
    "emptied": _list_of(_EMPTIED),
    "collections": _list_of(_with({"name": _text}, required=True)),
    "sums": _by_name(is_count),
    "unfinished": _list_of(_text),
    "copy": _document,
}
_RECORD: Mapping[str, Check] = {
    **dict.fromkeys(
        (
            "kind", "backup_path", "store_id", "host", "database", "created_by", "origin", "note", "status",
            "sync_status", "phase", "engine", "error_code", "error_message", "cancelled_by", "idempotency_key",
        ),
        _text,
    ),
    **dict.fromkeys(("documents", "bytes", "fence"), is_count),
    **dict.fromkeys(
        ("collections_backed_up", "collections_deleted_local", "collections_deleted_remote", "warnings"),
        _list_of(_text),
    ),
    **dict.fromkeys(("owner", "starter", "child", "audit", "pinned", "stream"), _document),
    "steps": _list_of(_with(_STEP)),
    "incremental": _with({"base": _text, "number": is_count, "read": _text}),
    "purge": _with(_PURGE),
    "kept_changed": _with({"count": is_count, "ids": _list_of(lambda _: True)}),
    "restore": _with(_RESTORE),
    "verification": _with({"problem": _text, "seen": _text}),
    "holds_alone": _by_name(is_count),
}  # fmt: skip


def wrong_fields(document: Mapping[str, Any], fields: Mapping[str, Check] = _RECORD) -> list[str]:
    """Return the names of the fields that are not of their type. One that is not there, or is None, is not wrong."""
    return [
        name
        for name, check in fields.items()
        if (value := document.get(name)) is not None and not check(value)
    ]  # fmt: skip


def without_wrong_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without the fields that are not of their type, so that it can be read."""
    wrong = wrong_fields(document)
    return {name: value for name, value in document.items() if name not in wrong}


def can_be_stored(value: Any, *, depth: int = 0) -> bool:
    """Return whether MongoDB, and JSON, can hold a value as it is: no number out of range, no text that is no
    Unicode, no depth without end."""
    if isinstance(value, Mapping):
        names = all(_is_name(name) for name in value)
        return names and depth < DEEPEST and all(can_be_stored(one, depth=depth + 1) for one in value.values())
    if isinstance(value, list | tuple):
        return depth < DEEPEST and all(can_be_stored(one, depth=depth + 1) for one in value)
    if isinstance(value, str):
        return is_unicode(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) <= LARGEST
    return value is None or isinstance(value, datetime)


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and "\0" not in name and is_unicode(name)


def is_unicode(text: str) -> bool:
    """Return whether a text can be written as UTF-8: JSON can name halves of a sign, which are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
