"""The documents of a collection in a backup: a page of them, or one by its number or its `_id`."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import islice

from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.reading.bson_frames import InvalidFrame, NotUtf8
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import collections, document_ids, opening
from backups_app.browsing.reading.collection_file import CollectionFile
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.errors import DamagedDocument, DocumentNotFound, InvalidInput
from backups_app.messages import browsing as messages
from backups_app.mongo import raw_ids

LIMIT = 100
LIMIT_MOST = 1_000
RAW_SHOWN = 4_096
PAGE_BYTES = 4 * 1024 * 1024
"""A page ends before the document with which it would hold more, except its first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageDocument:
    """A document by its number from 0. When `problem` is not empty, `frame` is for showing its raw bytes, and must not
    be decoded. `whole`: it is all there and can be restored, though its text is not UTF-8; otherwise it is damaged."""

    number: int
    frame: bytes
    problem: str = ""
    whole: bool = True

    @property
    def damaged(self) -> bool:
        return not self.whole


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentPage:
    """`documents` from number `offset` on, of `total`. `broken_at` is the number of a document behind which the file
    cannot be read any further from here, or None; `note` why there are none, where the collection was not empty.
    `truncated`: the page ended by its bytes, before its limit."""

    collection: str
    documents: tuple[PageDocument, ...]
    offset: int
    limit: int
    total: int
    broken_at: int | None = None
    note: str = ""
    truncated: bool = False

    @property
    def next(self) -> int | None:
        """The number to go on with; None at the end, and where the file cannot be read further."""
        end = self.offset + len(self.documents)
        return end if end < self.total and self.broken_at is None else None

    @property
    def readable(self) -> tuple[bytes, ...]:
        """The documents of the page that may be decoded."""
        return tuple(document.frame for document in self.documents if not document.problem)


def page(*, store: Store, backup_id: str, collection: str, offset: int = 0, limit: int = LIMIT) -> DocumentPage:
    """Return up to `limit` documents (at most 1,000, and about 4 MiB) from number `offset` on; every sound one is
    validated.

    Raise `InvalidInput` for a limit or offset out of range, `InvalidBackupId`, `BackupNotFound`,
    `CollectionNotFound`, `BackupRemoved`, `CollectionPreparing`.
    """
    if not 1 <= limit <= LIMIT_MOST or not 0 <= offset < 2**40:
        raise InvalidInput(message=messages.LIMIT_OUT_OF_RANGE(most=LIMIT_MOST))
    source = open_collection(backup=opening.open_backup(store=store, backup_id=backup_id), collection=collection)
    documents, broken_at = _read(source, offset, limit)
    ends_early = broken_at is None and len(documents) < min(limit, source.total - offset)
    return DocumentPage(
        collection=collection,
        documents=tuple(documents),
        offset=offset,
        limit=limit,
        total=source.total,
        broken_at=broken_at,
        note=collections.why_no_documents(source.entry),
        truncated=ends_early,
    )


def document_at(*, store: Store, backup_id: str, collection: str, number: int) -> PageDocument:
    """Return document `number` (from 0), sound or damaged. Raise `DocumentNotFound` beyond the end."""
    found = page(store=store, backup_id=backup_id, collection=collection, offset=max(number, 0), limit=1).documents
    if number < 0 or not found:
        raise DocumentNotFound
    return found[0]


def sound(*, store: Store, backup_id: str, collection: str, number: int) -> bytes:
    """As `one`, but the bytes of a document that is whole. Raise `DamagedDocument` otherwise."""
    return restorable(document_at(store=store, backup_id=backup_id, collection=collection, number=number))


def raw(*, store: Store, backup_id: str, collection: str, number: int) -> bytes:
    """Return up to 4 KB from where document `number` starts, undecoded: "Show raw bytes"."""
    source = open_collection(backup=opening.open_backup(store=store, backup_id=backup_id), collection=collection)
    try:
        return source.raw(number=number, size=RAW_SHOWN)
    except InvalidFrame as error:
        raise DocumentNotFound from error


def by_id(*, store: Store, backup_id: str, collection: str, typed: str) -> PageDocument:
    """Return the first document with this `_id`, as a person types it, also one that can only be shown raw.

    Raise `DocumentNotFound`, or `DamagedDocument` where it may lie behind what can be read.
    """
    backup = opening.open_backup(store=store, backup_id=backup_id)
    source = open_collection(backup=backup, collection=collection)
    damage: DamagedDocument | None = None
    for raw_id in document_ids.candidates(typed):
        try:
            found = find_id(source, raw_id=raw_id)
        except DamagedDocument as error:  # another meaning of what was typed may lie before it
            damage, found = error, None
        if found is not None:
            return found
    raise damage or DocumentNotFound()


def find_id(source: CollectionFile, *, raw_id: bytes) -> PageDocument | None:
    """Return the first document whose `_id` has exactly this type and these bytes, or None. Reads the whole file."""
    pattern = raw_id[:1] + b"_id\0" + raw_id[1:]
    for block in source.blocks(start=0):
        at = block.data.find(pattern)
        while at >= 0:
            number = block.number_at(at)
            found = checked_document(block.first + number, block.frame(number))
            if _has_id(found.frame, raw_id):
                return found
            at = block.data.find(pattern, block.end_of(number))
    return None


def _read(source: CollectionFile, offset: int, limit: int) -> tuple[list[PageDocument], int | None]:
    found: list[PageDocument] = []
    wanted = min(limit, max(0, source.total - offset))
    size = 0
    try:
        for number, frame in enumerate(islice(source.frames(start=offset), wanted), offset):
            size += len(frame)
            if found and size > PAGE_BYTES:
                return found, None
            found.append(checked_document(number, frame))
    except InvalidFrame as error:
        found.append(PageDocument(number=error.number, frame=b"", problem=error.problem, whole=False))
        return [document for document in found if document.number >= offset], error.number
    if source.broken and offset <= source.total <= offset + limit:
        found.append(PageDocument(number=source.total, frame=b"", problem=source.broken, whole=False))
        return found, source.total
    return found, None


def checked_document(number: int, frame: bytes) -> PageDocument:
    """Return document `number` with what is wrong with it."""
    try:
        bson_frames.validate(frame)
    except InvalidFrame as error:
        return PageDocument(number=number, frame=frame, problem=error.problem, whole=isinstance(error, NotUtf8))
    return PageDocument(number=number, frame=frame)


def restorable(document: PageDocument) -> bytes:
    """Return the bytes of a document that is whole. Raise `DamagedDocument` otherwise."""
    if document.damaged:
        raise DamagedDocument(number=document.number + 1, readable=document.number)
    return document.frame


def _has_id(frame: bytes, raw_id: bytes) -> bool:
    try:
        return raw_ids.id_of(frame) == raw_id
    except (ValueError, IndexError, struct.error):  # its damage lies before its `_id`, or in it
        return False
