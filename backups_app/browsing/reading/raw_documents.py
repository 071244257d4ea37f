"""A document that may not be decoded, as people and programs are shown it: its bytes, and the `_id` that names it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import document_ids, documents
from backups_app.browsing.reading.documents import RAW_SHOWN, PageDocument
from backups_app.errors import TempleOpsError
from backups_app.mongo import raw_ids


@dataclass(frozen=True, kw_only=True, slots=True)
class UndecodableDocument:
    """`number` counts from 0; `identity` is what `--id` takes, empty where it cannot be known; `raw` are at most the
    first 4 KB. `restorable`: it is whole and can be restored alone."""

    number: int
    problem: str
    restorable: bool
    identity: str
    raw: bytes


def undecodable_document(
    document: PageDocument, *, store: Store, backup_id: str, collection: str
) -> UndecodableDocument:
    """Given a document of this collection that has a problem, return what there is to show of it."""
    frame = document.frame[:RAW_SHOWN]
    if not frame:
        try:
            frame = documents.raw(store=store, backup_id=backup_id, collection=collection, number=document.number)
        except TempleOpsError:  # gone since the page was read
            frame = b""
    known = identity(document)
    return UndecodableDocument(
        number=document.number, problem=document.problem, restorable=document.whole and bool(known), identity=known,
        raw=frame,
    )  # fmt: skip


def identity(document: PageDocument) -> str:
    """Return a document's `_id` as `--id` takes it; empty where it has none, or is too damaged to report."""
    try:
        return document_ids.address(raw_ids.id_of(document.frame)) if document.whole else ""
    except (ValueError, IndexError, struct.error):
        return ""


def hex_dump(data: bytes) -> str:
    """Return bytes as lines of sixteen, with their place before and their characters after them."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:06x}  {row.hex(' '):<47}  {shown}")
    return "\n".join(lines)
