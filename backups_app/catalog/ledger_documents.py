"""What an entry of the purge ledger keeps of its documents: `{id: …, sha256: …}` of each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bson.raw_bson import RawBSONDocument

from backups_app.mongo import raw_bson

_DOCUMENT = 0x03


def with_documents(entry: bytes, ids: Sequence[bytes], frames: Sequence[bytes]) -> RawBSONDocument:
    """Return an entry with what it keeps of its documents, each `_id` byte for byte: put together as bytes, for
    there are hundreds of them."""
    digests = (hashlib.sha256(frame).digest() for frame in frames)
    documents = raw_bson.array((_DOCUMENT, _remembered(*one)) for one in zip(ids, digests, strict=True))
    fields = ((name.decode(), value) for name, value in raw_bson.elements(entry))
    return RawBSONDocument(
        raw_bson.document((name, documents if name == "documents" else value) for name, value in fields)
    )


def _remembered(raw_id: bytes, digest: bytes) -> bytes:
    """Return `{id: …, sha256: …}` as raw BSON."""
    fields = b"%cid\0%b\x05sha256\0\x20\0\0\0\0%b\0" % (raw_id[0], raw_id[1:], digest)
    return (len(fields) + 4).to_bytes(4, "little") + fields
