"""Deletes on one side what the verified backup holds, byte for byte, batch after batch.

For each batch: ask whether the run is still ours; write the ledger; delete exactly; record what was seen. Repeating is
harmless and is how a purge is resumed: batches that this side is finished with are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bson import json_util
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.backup_files.manifest import Manifest
from backups_app.batches import cut
from backups_app.catalog import purge_ledger
from backups_app.catalog.purge_ledger import LedgerEntry, SeenOnSide
from backups_app.errors import (
    DatabaseRefused,
    DatabaseUnreachable,
    PurgeUnfinished,
    PurgeWithheld,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.messages import purge as messages
from backups_app.mongo import connections, raw_ids, refusals
from backups_app.mongo.collections import collection_of
from backups_app.mongo.exact_writes import live_collection, live_documents
from backups_app.mongo.exact_writes.delete import DeleteOutcome, delete_equal
from backups_app.mongo.exact_writes.filters import STATEMENT_BYTES
from backups_app.mongo.exact_writes.live_collection import LiveCollection
from backups_app.progress import Progress
from backups_app.purge import verified_file
from backups_app.purge.verified_file import FileBatch, VerifiedFile
from backups_app.records import PURGEABLE, Side

SKIPPED_IDS = 100
FORGOTTEN_AT_ONCE = 50_000
"""Ids whose base is forgotten together: the base packs a thousand keys a document, and a batch alone would rewrite
nearly all of it."""


@dataclass(kw_only=True)
class CollectionPurge:
    """What became of a collection's documents on one side, over all attempts of this run.

    `deleted` and `already_absent` count documents; what is absent of a batch that an interrupted attempt began and did
    not record counts as deleted. `skipped_changed` are there with other bytes, `skipped_ids` the first 100 of them as
    relaxed Extended JSON. `refused`: the server did not delete them. `duplicate_ids`: their `_id` stands more than once
    in the backup, so they are skipped. `reappeared`: they were absent and are there again, byte for byte: new documents
    now. `done` when this side is finished. Records store them as `catalog.stored_names.purge_entry` says.
    """

    deleted: int = 0
    already_absent: int = 0
    skipped_changed: int = 0
    skipped_ids: list[str] = field(default_factory=list)
    refused: int = 0
    duplicate_ids: int = 0
    reappeared: int = 0
    done: bool = False


class PurgeStopped(Exception):
    """A purge that did not reach its end. `report` is what was done so far, `cause_error` why it stopped."""

    def __init__(self, report: CollectionPurge, cause_error: TempleOpsError) -> None:
        super().__init__(cause_error.detail)
        self.report = report
        self.cause_error = cause_error


def obstacles(*, database: Database[Any], collections: Sequence[str]) -> dict[str, str]:
    """Return which of these collections cannot be deleted exactly on this side, and why. For `plan.decide`."""
    looked = {name: live_collection.inspect(collection=collection_of(database, name)) for name in collections}
    return {name: messages.NOT_DELETED_EXACTLY(reason=live.why_not) for name, live in looked.items() if live.why_not}


def purge_collection(
    *,
    side: Side,
    database: Database[Any],
    local: Database[Any],
    folder: Path,
    manifest: Manifest,
    collection: str,
    run_id: str,
    two_sided: bool,
    forget_base: Callable[[Sequence[bytes]], None],
    progress: Progress,
    now: datetime,
) -> CollectionPurge:
    """Delete on `side` what the published backup in `folder` holds of one collection, byte for byte.

    1. Open the data file and prove it to be the one of the manifest.
    2. Batch by batch: `progress.checkpoint`, the ledger in `local`, the exact delete, what was seen.
    3. Look once more at everything: what equals the backup now came back after it was gone, and stays.

    `two_sided`: the run purges Atlas too, so an entry stays open until both sides are finished. `forget_base` is handed
    the raw ids of a batch before its entry is closed. Raise `PurgeStopped` with the report so far, `OwnershipLost` or
    `RunCancelled` from `progress`; ValueError for a collection outside the allow-list.
    """
    if collection not in PURGEABLE:
        raise ValueError(messages.NEVER_PURGED(collection=collection))
    work = _Work(
        side=side,
        local=local,
        run_id=run_id,
        collection=collection,
        sides=(Side.REMOTE, Side.LOCAL) if two_sided else (Side.LOCAL,),
        forget_base=forget_base,
        progress=progress,
        now=now,
    )
    try:
        live = live_collection.inspect(collection=collection_of(database, collection))
        if live.why_not:
            raise PurgeWithheld(side=side.value, collection=collection, reason=live.why_not)
        with verified_file.opened(folder=folder, manifest=manifest, collection=collection) as file:
            work.perform(live, file)
    except (DatabaseUnreachable, DatabaseRefused, PurgeWithheld, VerificationFailed) as error:
        raise PurgeStopped(work.report, error) from error
    except PyMongoError as error:
        named = refusals.named(error, side=side) or PurgeUnfinished(side=side.value)
        raise PurgeStopped(work.report, named) from error
    return work.report


@dataclass(kw_only=True)
class _Work:
    """One collection on one side, while it is purged."""

    side: Side
    local: Database[Any]
    run_id: str
    collection: str
    sides: tuple[Side, ...]
    forget_base: Callable[[Sequence[bytes]], None]
    progress: Progress
    now: datetime
    report: CollectionPurge = field(default_factory=CollectionPurge)
    closing: list[LedgerEntry] = field(default_factory=list)
    forgetting: list[bytes] = field(default_factory=list)

    def perform(self, live: LiveCollection, file: VerifiedFile) -> None:
        with connections.reachable(Side.LOCAL):
            purge_ledger.ensure_indexes(self.local)
        self.progress.expect(self.collection, file.documents)
        in_batches = 0
        for window in _windows(file.batches(), live.statements_at_once):
            self.progress.checkpoint()
            self._window(live, window)
            in_batches += sum(len(batch.frames) for batch in window)
            self.progress.advance(self.collection, sum(len(batch.frames) for batch in window))
        self._close_together()
        self.report.duplicate_ids = file.documents - in_batches
        self.report.reappeared = max(0, self._still_equal(live, file) - self.report.refused)
        self.report.done = self.report.refused == 0

    def _window(self, live: LiveCollection, window: Sequence[FileBatch]) -> None:
        """Purge some batches together, as far as this side is not finished with them."""
        opened = [(batch, entry) for batch in window if batch.frames and (entry := self._open(batch))]
        to_do = {entry.first: self._not_released(batch, entry) for batch, entry in opened if self._is_open(entry)}
        outcome = delete_equal(live=live, frames=[frame for frames in to_do.values() for frame in frames])
        seen = _OutcomeById(outcome)
        for batch, entry in opened:
            if self._is_open(entry):
                self._close(batch, entry, seen)
            else:
                self._count(batch, entry.seen.get(self.side, SeenOnSide()))

    def _open(self, batch: FileBatch) -> LedgerEntry | None:
        """Write or find the batch's ledger entry. None when it cannot be remembered: then nothing is deleted."""
        try:
            with connections.reachable(Side.LOCAL):
                return purge_ledger.open_batch(
                    self.local,
                    run_id=self.run_id,
                    collection=self.collection,
                    first=batch.first,
                    frames=batch.frames,
                    sides=self.sides,
                    begins=self.side,
                    now=self.now,
                )
        except purge_ledger.TooLargeToRemember:
            self.report.refused += len(batch.frames)
            return None

    def _is_open(self, entry: LedgerEntry) -> bool:
        return self.side in entry.open_sides

    def _not_released(self, batch: FileBatch, entry: LedgerEntry) -> list[bytes]:
        if not entry.released:
            return list(batch.frames)
        return [frame for frame in batch.frames if raw_ids.key(raw_ids.id_of(frame)) not in entry.released]

    def _close(self, batch: FileBatch, entry: LedgerEntry, by_id: _OutcomeById) -> None:
        """Record what was seen. The last side's entries are closed many at a time, see `_close_together`."""
        ids = [raw_ids.id_of(frame) for frame in batch.frames]
        refused = sum(raw_id in by_id.refused for raw_id in ids)
        before = entry.seen.get(self.side, SeenOnSide())
        now_absent = sum(raw_id in by_id.already_absent for raw_id in ids)
        # Those that an earlier attempt deleted are gone as well, also when it did not live to say so.
        deleted_before = now_absent if entry.is_unrecorded(self.side) else before.deleted
        seen = SeenOnSide(
            deleted=deleted_before + sum(raw_id in by_id.deleted for raw_id in ids),
            already_absent=max(0, now_absent - deleted_before),
            skipped=tuple(number for number, raw_id in enumerate(ids) if raw_id in by_id.kept),
        )
        last = not refused and entry.open_sides == {self.side}
        with connections.reachable(Side.LOCAL):
            finished = not refused and not last
            purge_ledger.close_side(self.local, entry=entry, side=self.side, seen=seen, finished=finished)
        if last:
            self.closing.append(entry)
            self.forgetting += ids
            if len(self.forgetting) >= FORGOTTEN_AT_ONCE:
                self._close_together()
        self.report.refused += refused
        self._count(batch, seen)

    def _close_together(self) -> None:
        """Close the entries that both sides are finished with. The base is forgotten first: with the entry closed,
        sync decides about the keys again."""
        with connections.reachable(Side.LOCAL):
            if self.forgetting:
                self.forget_base(self.forgetting)
            purge_ledger.close_entries(self.local, entries_to_close=self.closing, side=self.side)
        self.closing, self.forgetting = [], []

    def _count(self, batch: FileBatch, seen: SeenOnSide) -> None:
        self.report.deleted += seen.deleted
        self.report.already_absent += seen.already_absent
        self.report.skipped_changed += len(seen.skipped)
        for number in seen.skipped[: SKIPPED_IDS - len(self.report.skipped_ids)]:
            self.report.skipped_ids.append(json_util.dumps(raw_ids.decoded(raw_ids.id_of(batch.frames[number]))))

    def _still_equal(self, live: LiveCollection, file: VerifiedFile) -> int:
        """One more pass over everything: count the live documents that equal the backup's."""
        equal = 0
        for window in _windows(file.batches(), live.statements_at_once):
            self.progress.checkpoint()
            equal += _equal(live, [frame for batch in window for frame in batch.frames])
        return equal


def _windows(batches: Iterable[FileBatch], statements: int) -> Iterator[list[FileBatch]]:
    """Group batches that travel together: so many, and at most 4 MiB, so that a slow line carries them in time."""
    return cut(batches, size_of=lambda batch: batch.size_bytes, most=statements, most_bytes=STATEMENT_BYTES)


class _OutcomeById:
    """An outcome, to be asked by raw id."""

    def __init__(self, outcome: DeleteOutcome) -> None:
        self.deleted = frozenset(outcome.deleted)
        self.already_absent = frozenset(outcome.already_absent)
        self.kept = frozenset(outcome.kept)
        self.refused = outcome.refused


def _equal(live: LiveCollection, frames: Sequence[bytes]) -> int:
    by_key = {raw_ids.key(raw_ids.id_of(frame)): frame for frame in frames}
    there = live_documents.read(collection=live.collection, ids=[raw_ids.id_of(frame) for frame in frames])
    return sum(by_key.get(key) == frame for key, frame in there.items())
