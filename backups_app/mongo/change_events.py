"""What the events of a change stream say of a database, for sync and for incremental backups.

A stream is not complete: it has no event for time-series inserts, `create`, `createIndex` and `collMod` (tried on
6.0.5). It says which documents of ordinary collections were touched, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.errors import OperationFailure

from backups_app.messages import sync as messages
from backups_app.mongo import raw_ids

TOUCHED_AT_MOST = 200_000
"""More changed documents of one collection are found more cheaply by a scan."""

_HISTORY_LOST = frozenset({136, 260, 280, 286})
"""`CappedPositionLost`, `InvalidResumeToken`, `ChangeStreamFatalError`, `ChangeStreamHistoryLost`: the place is no
longer in the oplog (error codes of MongoDB)."""

_DOCUMENT_CHANGES = frozenset({"insert", "update", "replace", "delete"})


class StreamBroken(Exception):
    """The stream cannot know what changed; the reason is a sentence. A scan finds out."""


def refused(error: OperationFailure) -> StreamBroken:
    """Return the reason for which the server does not go on with a stream."""
    if error.code in _HISTORY_LOST:
        return StreamBroken(messages.STREAM_HISTORY_GONE(code=str(error.code)))
    name = (error.details or {}).get("codeName") or f"code {error.code}"
    return StreamBroken(messages.STREAM_UNREADABLE(error=str(name)))


@dataclass(kw_only=True)
class Touched:
    """What a stream reported: raw ids by collection and key. `whole` are collections that must be scanned: dropped,
    renamed, or with too many changes. `token` is where the next reading goes on."""

    token: Mapping[str, Any]
    ids: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)


def note(touched: Touched, *, kind: str, name: str, to: str, raw_id: bytes) -> None:
    """Take in one event: its operation, its collection, the collection that another was renamed to, and the raw `_id`
    of the touched document. Raise `StreamBroken` for one that says nothing of single collections."""
    if kind in _DOCUMENT_CHANGES:
        ids = touched.ids.setdefault(name, {})
        if len(ids) < TOUCHED_AT_MOST:
            ids[raw_ids.key(raw_id)] = raw_id
        else:
            touched.whole.add(name)
    elif kind in ("drop", "rename"):
        touched.whole |= {name, to or name}
    else:  # dropDatabase, invalidate, and whatever a later server invents
        raise StreamBroken(messages.STREAM_REPORTED(event=kind))
