"""The filters of exact writes, put together as bytes: nothing of a document is decoded on its way into a filter.

Why this shape: `$literal` keeps values that begin with `$` from being read as operators; `$$ROOT` equality is
sensitive to order, covers nested data and is evaluated again by the server when a document changed under the plan;
`$indexOfArray` compares each live document with its own expected bytes, so one statement carries 500.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bson.raw_bson import RawBSONDocument

from backups_app import batches
from backups_app.mongo import raw_bson, raw_ids
from backups_app.mongo.raw_bson import Value

_DOCUMENT = 0x03

STATEMENT_DOCUMENTS = 500
STATEMENT_BYTES = 4 * 1024 * 1024

Frames = Mapping[bytes, bytes]
"""Raw documents by their raw ids, in order."""


def by_ids(ids: Sequence[bytes]) -> RawBSONDocument:
    """Return `{_id: {$in: ids}}`."""
    return RawBSONDocument(raw_bson.document([("_id", _operator("$in", raw_ids.array(ids)))]))


def by_ids_and_bytes(frames: Frames) -> RawBSONDocument:
    """Return the filter that matches those of these documents that are still as they are here."""
    ids = raw_ids.array(frames)
    documents = raw_bson.array((_DOCUMENT, frame) for frame in frames.values())
    position = _operator("$indexOfArray", raw_bson.array([_operator("$literal", ids), raw_bson.text("$_id")]))
    expected = _operator("$arrayElemAt", raw_bson.array([_operator("$literal", documents), position]))
    same = _operator("$eq", raw_bson.array([raw_bson.text("$$ROOT"), expected]))
    return RawBSONDocument(raw_bson.document([("_id", _operator("$in", ids)), ("$expr", same)]))


def batches_of(frames: Frames) -> Iterator[dict[bytes, bytes]]:
    """Cut documents into what one statement carries: at most 500, at most 4 MiB, a larger document alone."""
    parts = batches.cut(
        frames.items(), size_of=lambda pair: len(pair[1]), most=STATEMENT_DOCUMENTS, most_bytes=STATEMENT_BYTES
    )
    return map(dict, parts)


def _operator(name: str, argument: Value) -> Value:
    return raw_bson.embedded(raw_bson.document([(name, argument)]))
