"""Parts of a batch's purge that need no ledger: what is left out, what came of each id, what is there again."""

from __future__ import annotations

from collections.abc import Sequence

from backups_app.catalog.purge_ledger import LedgerEntry
from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import live_documents
from backups_app.mongo.exact_writes.delete import DeleteOutcome
from backups_app.mongo.exact_writes.live_collection import LiveCollection
from backups_app.purge.verified_file import FileBatch


def not_released(batch: FileBatch, entry: LedgerEntry) -> Sequence[bytes]:
    """Return the documents of a batch that no restore took back."""
    if not entry.released:
        return batch.frames
    ids_and_frames = zip(batch.ids, batch.frames, strict=True)
    return [frame for raw_id, frame in ids_and_frames if raw_ids.key(raw_id) not in entry.released]


class OutcomeById:
    """An outcome, to be asked by raw id."""

    def __init__(self, outcome: DeleteOutcome) -> None:
        self.deleted = frozenset(outcome.deleted)
        self.already_absent = frozenset(outcome.already_absent)
        self.kept = frozenset(outcome.kept)
        self.refused = outcome.refused


def count_equal(live: LiveCollection, window: Sequence[FileBatch]) -> int:
    """Return how many live documents equal those of some batches."""
    by_id = {raw_id: frame for batch in window for raw_id, frame in zip(batch.ids, batch.frames, strict=True)}
    there = live_documents.read(collection=live.collection, ids=list(by_id))
    return sum(there.get(raw_ids.key(raw_id)) == frame for raw_id, frame in by_id.items())
