"""Two backups side by side: collection by collection, and within one document by document."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import islice
from threading import Lock

from backups_app.backup_files import document_digests as digests
from backups_app.backup_files import locks
from backups_app.backup_files.bson_frames import InvalidFrame
from backups_app.backup_files.document_digests import Comparison
from backups_app.backup_files.store import Store
from backups_app.browsing.compare import differences
from backups_app.browsing.compare.differences import FieldChange
from backups_app.browsing.reading import document_ids, documents, opening
from backups_app.browsing.reading.collection_file import CollectionFile, open_collection
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.browsing.values import tree
from backups_app.browsing.values.tree import Node
from backups_app.errors import CollectionNotFound, CollectionPreparing, DamagedDocument
from backups_app.mongo import raw_ids
from backups_app.progress import Progress, Silent

_KEPT = 16
_PREPARE_SECONDS = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionDifference:
    """One collection of two backups. `documents_*` is None where that backup does not hold it."""

    name: str
    documents_a: int | None
    documents_b: int | None
    only_a: int
    only_b: int
    changed: int
    same: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentDifference:
    """One document that differs. `kind` is `only_a`, `only_b` or `changed`; `number_*` its place in that backup's file;
    `identity` its `_id` as `--id` takes it; `changes` the fields, from a to b; `preview` names it to people."""

    kind: str
    identity: str
    number_a: int | None
    number_b: int | None
    changes: tuple[FieldChange, ...] = ()
    preview: tuple[Node, ...] = ()


def of_backups(
    *, store: Store, a: str, b: str, only: Sequence[str] | None = None, progress: Progress | None = None
) -> tuple[CollectionDifference, ...]:
    """Compare the collections of two backups, or the `only` ones, by name. Files with the same hash are not read.

    Raise `InvalidBackupId`, `BackupNotFound`, `CollectionNotFound` for an `only` name that neither holds,
    `DamagedDocument`, or what `progress` raises.
    """
    first, second = (opening.open_backup(store=store, backup_id=backup_id) for backup_id in (a, b))
    known = {**first.manifest.collections, **second.manifest.collections}
    if only is not None and not set(only) <= set(known):
        raise CollectionNotFound
    names = sorted(known if only is None else set(only))
    with locks.reading(store.root, a), locks.reading(store.root, b):
        return tuple(_difference(first, second, name, progress or Silent()) for name in names)


def of_collection(*, store: Store, a: str, b: str, collection: str, progress: Progress | None = None) -> Comparison:
    """Compare one collection document by document. Raises as `of_backups`."""
    first, second = (opening.open_backup(store=store, backup_id=backup_id) for backup_id in (a, b))
    if collection not in {**first.manifest.collections, **second.manifest.collections}:
        raise CollectionNotFound
    with locks.reading(store.root, a), locks.reading(store.root, b):
        return _compared(first, second, collection, progress or Silent())


def documents_of(
    *,
    store: Store,
    a: str,
    b: str,
    collection: str,
    comparison: Comparison,
    kind: str,
    start: int = 0,
    limit: int = 25,
    zone: tzinfo = UTC,
) -> tuple[DocumentDifference, ...]:
    """Return the documents of one `kind` (`only_a`, `only_b`, `changed`) of a comparison, `limit` from `start` on.

    Fewer when more than about 4 MiB of documents had to be read for them: go on behind the last one.
    """
    pairs: Iterator[tuple[int | None, int | None]] = {
        "only_a": ((number, None) for number in comparison.only_a[start : start + limit]),
        "only_b": ((None, number) for number in comparison.only_b[start : start + limit]),
        "changed": (pair for pair in comparison.changed[start : start + limit]),
    }[kind]
    reader = _Reader(store, collection, a, b)
    found: list[DocumentDifference] = []
    for number_a, number_b in pairs:
        if reader.read_bytes >= documents.PAGE_BYTES:
            break
        found.append(reader.difference(kind, number_a, number_b, zone))
    return tuple(found)


@dataclass(slots=True)
class _Reader:
    store: Store
    collection: str
    a: str
    b: str
    read_bytes: int = 0

    def difference(self, kind: str, number_a: int | None, number_b: int | None, zone: tzinfo) -> DocumentDifference:
        before, after = self._frame(self.a, number_a), self._frame(self.b, number_b)
        return DocumentDifference(
            kind=kind,
            identity=document_ids.address(raw_ids.id_of(before or after or b"")),
            number_a=number_a,
            number_b=number_b,
            changes=differences.fields(before, after, zone=zone) if before and after else (),
            preview=tree.preview(after or before or b"", zone=zone),
        )

    def _frame(self, backup_id: str, number: int | None) -> bytes | None:
        if number is None:
            return None
        frame = documents.sound(store=self.store, backup_id=backup_id, collection=self.collection, number=number)
        self.read_bytes += len(frame)
        return frame


def _difference(first: OpenBackup, second: OpenBackup, name: str, progress: Progress) -> CollectionDifference:
    a, b = (backup.manifest.collections.get(name) for backup in (first, second))
    compared = _compared(first, second, name, progress)
    changed, same = len(compared.changed), compared.same
    return CollectionDifference(
        name=name,
        documents_a=None if a is None else len(compared.only_a) + changed + same,
        documents_b=None if b is None else len(compared.only_b) + changed + same,
        only_a=len(compared.only_a),
        only_b=len(compared.only_b),
        changed=changed,
        same=same,
    )


def _compared(first: OpenBackup, second: OpenBackup, name: str, progress: Progress) -> Comparison:
    hashes = tuple(_stream_hash(backup, name) for backup in (first, second))
    if hashes[0] and hashes[0] == hashes[1]:
        return Comparison(same=first.manifest.collections[name].documents)
    known = _remembered.get(hashes)
    if known is None:
        known = digests.compare(_digest(first, name, progress), _digest(second, name, progress))
        _remembered.put(hashes, known)
    return known


def _digest(backup: OpenBackup, name: str, progress: Progress) -> digests.DocumentDigests:
    if name not in backup.manifest.collections:
        return digests.DocumentDigests()
    source = _opened(backup, name, progress)
    progress.expect(name, source.total)
    return digests.digests_of(_sound(source), label=name, progress=progress)


def _opened(backup: OpenBackup, name: str, progress: Progress) -> CollectionFile:
    """Open a collection; where a foreign file has to be prepared first, do that bit by bit."""
    while True:
        try:
            return open_collection(backup=backup, collection=name, seconds=_PREPARE_SECONDS)
        except CollectionPreparing:
            progress.checkpoint()


def _sound(source: CollectionFile) -> Iterator[bytes]:
    try:
        yield from islice(source.frames(start=0), source.total)
    except InvalidFrame as error:
        raise DamagedDocument(number=error.number + 1, readable=error.number) from error
    if source.broken:
        raise DamagedDocument(number=source.total + 1, readable=source.total)


def _stream_hash(backup: OpenBackup, name: str) -> str:
    """The hash that verification wrote; empty where there is none, and nothing may be concluded."""
    if name not in backup.manifest.collections:
        return f"absent from {backup.backup_id}"
    return backup.manifest.content_hash(name)


class _Remembered:
    """The last comparisons of verified files: they never change, and pages ask for them again and again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, ...], Comparison] = OrderedDict()

    def get(self, hashes: tuple[str, ...]) -> Comparison | None:
        with self._lock:
            return self._known.get(hashes) if all(hashes) else None

    def put(self, hashes: tuple[str, ...], comparison: Comparison) -> None:
        with self._lock:
            if all(hashes):
                self._known[hashes] = comparison
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)


_remembered = _Remembered()
