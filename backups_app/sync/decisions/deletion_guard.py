"""Blocks deletions when so much vanished from one side at once that it looks like an accident."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from backups_app.messages import sync as messages
from backups_app.messages import words
from backups_app.mongo import raw_bson

SHARE, DOCUMENTS = 0.30, 20


def blocks(*, vanished: int, known: int) -> bool:
    """Given how many of the documents that both sides had vanished from one side, return whether to block deletions.

    More than 30 % and more than 20 of them.
    """
    return vanished > DOCUMENTS and vanished > SHARE * known


def collection_vanished(side: str) -> str:
    """Return why nothing is deleted where the whole collection vanished from a side."""
    return messages.COLLECTION_VANISHED(side=words.side(side))


def sentence(*, vanished: int, known: int, side: str) -> str:
    """Return why deletions are blocked. `side` is where the documents vanished."""
    return messages.DOCUMENTS_VANISHED(vanished=vanished, known=known, side=words.side(side))


def expired(frame: bytes, *, indexes: Sequence[Mapping[str, Any]], now: datetime) -> bool:
    """Whether a TTL index of its collection would have deleted this raw document by now: that is no accident.

    An index of some documents only does not show whether this is one of them.
    """
    moment = int(now.timestamp() * 1000)
    for index in indexes:
        seconds = index.get("expireAfterSeconds")
        if not isinstance(seconds, int | float) or not math.isfinite(seconds) or "partialFilterExpression" in index:
            continue
        field = next(iter(index["key"])).encode()
        for name, value in raw_bson.elements(frame):
            if name == field and value.type == 0x09:
                if struct.unpack("<q", value.data)[0] + int(seconds) * 1000 <= moment:
                    return True
                break
    return False
