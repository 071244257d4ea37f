"""Deletes on one side what the verified backup holds, byte for byte, batch after batch.

For each batch: ask whether the run is still ours; write the ledger; delete exactly; record what was seen. Repeating is
harmless and is how a purge is resumed: batches that this side is finished with are passed over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from bson import json_util
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.backup_files.manifest import Manifest
from backups_app.catalog import purge_ledger, restored_ids
from backups_app.catalog.purge_ledger import LedgerEntry, SeenOnSide
from backups_app.catalog.restored_ids import RestoredIds
from backups_app.errors import (
    DatabaseRefused,
    DatabaseUnreachable,
    PurgeUnfinished,
    PurgeWithheld,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.messages import purge as messages
from backups_app.mongo import connections, raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.mongo.exact_writes import live_collection
from backups_app.mongo.exact_writes.delete import delete_equal
from backups_app.mongo.exact_writes.live_collection import LiveCollection
from backups_app.mongo.refusals import refusals
from backups_app.progress import Progress
from backups_app.purge import side_by_side, verified_file
from backups_app.purge.batch_outcomes import OutcomeById, count_equal, not_released
from backups_app.purge.verified_file import FileBatch, VerifiedFile
from backups_app.records import PURGEABLE, Side

Result = TypeVar("Result")

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
    in the backup, so they are skipped. `restored`: a restore took them back since the purge was interrupted: they stay.
    `reappeared`: they were absent and are there again, byte for byte, or stayed as restored ones: documents of their
    own now. `done` when this side is finished. Records store them as `catalog.stored_names.purge_entry` says.
    """

    deleted: int = 0
    already_absent: int = 0
    skipped_changed: int = 0
    skipped_ids: list[str] = field(default_factory=list)
    refused: int = 0
    duplicate_ids: int = 0
    restored: int = 0
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
    with connections.reachable(Side.LOCAL):
        restored = restored_ids.of_run(local, run_id=run_id, collection=collection)
    batches = _Batches(
        restored=restored,
        side=side,
        local=local,
        run_id=run_id,
        collection=collection,
        sides=(Side.REMOTE, Side.LOCAL) if two_sided else (Side.LOCAL,),
        now=now,
    )
    work = _Work(batches=batches, forget_base=forget_base, progress=progress)
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

    batches: _Batches
    forget_base: Callable[[Sequence[bytes]], None]
    progress: Progress
    report: CollectionPurge = field(default_factory=CollectionPurge)
    closing: list[LedgerEntry] = field(default_factory=list)
    forgetting: list[bytes] = field(default_factory=list)

    def perform(self, live: LiveCollection, file: VerifiedFile) -> None:
        name = self.batches.collection
        with connections.reachable(Side.LOCAL):
            purge_ledger.ensure_indexes(self.batches.local)
        self.progress.expect(name, file.documents)
        in_batches = 0
        windows = self._side_by_side(live, file, self.batches.purge)
        with contextlib.closing(windows):
            for purged in windows:
                documents = sum(self._take(one) for one in purged)
                in_batches += documents
                self.progress.advance(name, documents)
        self._close_together()
        self.report.duplicate_ids = file.documents - in_batches
        self.report.reappeared = max(0, self._still_equal(live, file) - self.report.refused)
        self.report.done = self.report.refused == 0

    def _take(self, purged: _Purged) -> int:
        """Count a batch. Return its documents. The last side's entries are closed many at a time."""
        self.report.refused += purged.refused
        self.report.restored += purged.restored
        self._count(purged.batch, purged.seen)
        if purged.closing is not None:
            self.closing.append(purged.closing)
            self.forgetting += purged.batch.ids
            if len(self.forgetting) >= FORGOTTEN_AT_ONCE:
                self._close_together()
        return len(purged.batch.frames)

    def _close_together(self) -> None:
        """Close the entries that both sides are finished with. The base is forgotten first: with the entry closed,
        sync decides about the keys again."""
        with connections.reachable(Side.LOCAL):
            if self.forgetting:
                self.forget_base(self.forgetting)
            purge_ledger.close_entries(self.batches.local, entries_to_close=self.closing, side=self.batches.side)
        self.closing, self.forgetting = [], []

    def _count(self, batch: FileBatch, seen: SeenOnSide) -> None:
        self.report.deleted += seen.deleted
        self.report.already_absent += seen.already_absent
        self.report.skipped_changed += len(seen.skipped)
        for number in seen.skipped[: SKIPPED_IDS - len(self.report.skipped_ids)]:
            self.report.skipped_ids.append(json_util.dumps(raw_ids.decoded(batch.ids[number])))

    def _still_equal(self, live: LiveCollection, file: VerifiedFile) -> int:
        """One more pass over everything: count the live documents that equal the backup's."""
        with contextlib.closing(self._side_by_side(live, file, count_equal)) as counts:
            return sum(counts)

    def _side_by_side(self, live: LiveCollection, file: VerifiedFile, work: Callable[..., Result]) -> Generator[Result]:
        return side_by_side.in_order(
            file.windows(live.statements_at_once),
            lambda window: work(live, window),
            size_of=lambda window: sum(batch.size_bytes for batch in window),
            before=self.progress.checkpoint,
        )


@dataclass(frozen=True, kw_only=True)
class _Purged:
    """What became of a batch. `closing`: its entry, where this was the last side and nothing was refused."""

    batch: FileBatch
    seen: SeenOnSide = field(default_factory=SeenOnSide)
    refused: int = 0
    restored: int = 0
    closing: LedgerEntry | None = None


@dataclass(frozen=True, kw_only=True)
class _Batches:
    """Purges batches of one collection on one side: in several threads at once, so it holds nothing that changes."""

    side: Side
    local: Database[Any]
    run_id: str
    collection: str
    sides: tuple[Side, ...]
    restored: RestoredIds
    now: datetime

    def purge(self, live: LiveCollection, window: Sequence[FileBatch]) -> list[_Purged]:
        """Purge some batches together, as far as this side is not finished with them."""
        opened = [(batch, self._open(batch)) for batch in window if batch.frames]
        to_do = [not_released(batch, entry) for batch, entry in opened if self._is_open(entry)]
        seen = OutcomeById(delete_equal(live=live, frames=[frame for frames in to_do for frame in frames]))
        return [self._purged(batch, entry, seen) for batch, entry in opened]

    def _open(self, batch: FileBatch) -> LedgerEntry | None:
        """Write or find the batch's ledger entry. None when it cannot be remembered: then nothing is deleted."""
        with contextlib.suppress(purge_ledger.TooLargeToRemember), connections.reachable(Side.LOCAL):
            return purge_ledger.open_batch(
                self.local,
                run_id=self.run_id,
                collection=self.collection,
                first=batch.first,
                frames=batch.frames,
                sides=self.sides,
                begins=self.side,
                released=[raw_id for raw_id in batch.ids if self.restored.holds(raw_ids.key(raw_id))],
                now=self.now,
            )
        return None

    def _is_open(self, entry: LedgerEntry | None) -> TypeGuard[LedgerEntry]:
        return entry is not None and self.side in entry.open_sides

    def _purged(self, batch: FileBatch, entry: LedgerEntry | None, by_id: OutcomeById) -> _Purged:
        if entry is None:
            return _Purged(batch=batch, refused=len(batch.frames))
        if not self._is_open(entry):
            seen = entry.seen.get(self.side, SeenOnSide())
            return _Purged(batch=batch, seen=seen, restored=len(entry.released))
        return self._record(batch, entry, by_id)

    def _record(self, batch: FileBatch, entry: LedgerEntry, by_id: OutcomeById) -> _Purged:
        """Write into the ledger what was seen. The entry of the last side stays open: `_close_together`."""
        ids = batch.ids
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
        closing, restored = entry if last else None, len(entry.released)
        return _Purged(batch=batch, seen=seen, refused=refused, restored=restored, closing=closing)
