"""Reads live documents by `_id`, raw, from the primary, keyed as the unique `_id` index sees them."""

from __future__ import annotations

from collections.abc import Collection as Several
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import filters

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


class TooMuch(Exception):
    """These documents are larger together than the caller wants to hold."""


def read(
    *,
    collection: Collection[Any],
    ids: Several[bytes],
    session: ClientSession | None = None,
    limit_bytes: int | None = None,
) -> dict[bytes, bytes]:
    """Given raw ids, return the live raw documents by key. What is not in the answer is not there.

    Raise `TooMuch` when more than one document is wanted and they exceed `limit_bytes` together.
    """
    possible = [raw_id for raw_id in ids if raw_ids.can_be_live(raw_id)]
    if not possible:
        return {}
    wanted = {raw_ids.key(raw_id) for raw_id in possible}
    options: dict[str, Any] = {"codec_options": RAW, "read_preference": ReadPreference.PRIMARY}
    if session is None:
        options["read_concern"] = ReadConcern("majority")
    found, size = {}, 0
    # One more than can come, so that the server closes the cursor with its first answer.
    batch = max(2, len(possible) + 1)
    raw = collection.with_options(**options)
    with raw.find(filters.by_ids(possible), session=session, batch_size=batch) as cursor:
        for document in cursor:
            frame = bytes(document.raw)
            key = _key(frame)
            if key is not None and key in wanted:  # a collection with a collation of its own finds relatives too
                found[key] = frame
                size += len(frame)
            if limit_bytes is not None and size > limit_bytes and len(possible) > 1:
                raise TooMuch
    return found


def _key(frame: bytes) -> bytes | None:
    """None for a measurement without an `_id`: the one who asks for null finds those, too."""
    try:
        return raw_ids.key(raw_ids.id_of(frame))
    except raw_ids.NoId:
        return None
