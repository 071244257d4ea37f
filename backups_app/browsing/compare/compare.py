"""Two backups side by side: collection by collection, and within one document by document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from backups_app.backup_files import bases
from backups_app.backup_files.digests.document_digests import Comparison
from backups_app.backup_files.store.store import Store
from backups_app.browsing.compare import collection_comparison, differences
from backups_app.browsing.compare.differences import FieldChange
from backups_app.browsing.reading import document_ids, documents, opening
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.browsing.values import tree
from backups_app.browsing.values.tree import Node
from backups_app.errors import CollectionNotFound
from backups_app.mongo import raw_ids
from backups_app.progress import Progress, Silent


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
    with bases.reading(store.root, a), bases.reading(store.root, b):
        return tuple(_difference(first, second, name, progress or Silent()) for name in names)


def of_collection(*, store: Store, a: str, b: str, collection: str, progress: Progress | None = None) -> Comparison:
    """Compare one collection document by document. Raises as `of_backups`."""
    first, second = (opening.open_backup(store=store, backup_id=backup_id) for backup_id in (a, b))
    if collection not in {**first.manifest.collections, **second.manifest.collections}:
        raise CollectionNotFound
    with bases.reading(store.root, a), bases.reading(store.root, b):
        return collection_comparison.comparison_of(first, second, collection, progress or Silent())


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
    compared = collection_comparison.comparison_of(first, second, name, progress)
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
