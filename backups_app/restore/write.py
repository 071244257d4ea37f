"""Puts the documents of one collection in place. Every write compares with what it expects; nobody's edit is lost.

1. Documents that are missing are inserted: one that has come meanwhile makes the insert fail, and stays.
2. Documents that differ are replaced, if they are still what the safety backup holds.
3. Documents that the backup does not hold are deleted, if the mode is to replace and they are still the same.
4. What clashed with a unique index is tried again, for 2 and 3 may have dissolved it.

Repeating is harmless: what was done is found done.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from backups_app.backup_files.digests import document_digests
from backups_app.messages import restore as messages
from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import delete, failures, insert, live_documents, replace
from backups_app.mongo.exact_writes.live_collection import LiveCollection
from backups_app.mongo.exact_writes.replace import Replacement
from backups_app.mongo.exact_writes.write_outcome import WriteOutcome
from backups_app.progress import Progress
from backups_app.restore import numbered
from backups_app.restore import work as works
from backups_app.restore.numbered import Batch, Numbered
from backups_app.restore.outcome import CollectionOutcome
from backups_app.restore.work import DocumentActions

WRITERS = 2
TRIES = 5
CLASH_ROUNDS = 3
T = TypeVar("T")


@dataclass(kw_only=True)
class CollectionWriter:
    """What the writing of one collection shares. `batches` and `extras` read the backup and the other state again each
    time; `handled` collects the identities of documents that are not as planned, for a reason that was reported."""

    live: LiveCollection
    work: DocumentActions
    batches: Callable[[], Iterator[list[bytes]]]
    extras: Callable[[], Iterator[bytes]]
    outcome: CollectionOutcome
    progress: Progress
    in_order: bool = False
    handled: set[bytes] = field(default_factory=set)
    clashed: list[int] = field(default_factory=list)

    def write(self) -> None:
        """Do it all. Raise pymongo's errors when the server is lost: what was done stays, repeat it."""
        self._insert()
        self._replace()
        self._delete()
        for _ in range(CLASH_ROUNDS):
            if not self._retry_clashes():
                break
        self._name_clashes()

    # ── inserts ──────────────────────────────────────────────────────────────

    def _insert(self) -> None:
        writers = 1 if self.in_order else WRITERS
        with ThreadPoolExecutor(writers, thread_name_prefix="restore") as pool:
            waiting: deque[Future[tuple[Batch, WriteOutcome, int]]] = deque()
            try:
                for batch in self._inserts():
                    self.progress.checkpoint()
                    waiting.append(pool.submit(self._insert_batch, batch))
                    if len(waiting) > writers:
                        self._take_inserted(*waiting.popleft().result())
                while waiting:
                    self._take_inserted(*waiting.popleft().result())
            finally:
                for future in waiting:
                    future.cancel()

    def _inserts(self) -> Iterator[Batch]:
        if self.work.count(works.INSERT) == len(self.work.actions):
            return numbered.all_of(self.batches())
        return numbered.separated(self._chosen(works.INSERT))

    def _insert_batch(self, batch: Batch) -> tuple[Batch, WriteOutcome, int]:
        """Insert one batch. Return it, what became of it, and how many of its documents were there, equal, already."""
        written = _patiently(lambda: insert.insert_missing(collection=self._target, frames=batch.frames, session=None))
        equal = self._equal_ones(batch.frames, written)
        return batch, written, equal

    def _equal_ones(self, batch: Sequence[bytes], written: WriteOutcome) -> int:
        """Of the documents whose `_id` was there, take those with the same bytes for done: an earlier attempt."""
        if not written.stale:
            return 0
        stale = set(written.stale)
        frames = dict(zip(raw_ids.keys_of(batch), batch, strict=True))
        ids = [raw_ids.id_of(frames[key]) for key in stale]
        there = _patiently(lambda: live_documents.read(collection=self._target, ids=ids))
        equal = {key for key in stale if there.get(key) == frames[key]}
        written.stale = [key for key in written.stale if key not in equal]
        return len(equal)

    def _take_inserted(self, batch: Batch, written: WriteOutcome, equal: int) -> None:
        self.outcome.inserted += len(written.done)
        self.outcome.unchanged += equal
        self._take_rest(batch, written)
        self.progress.advance(self.outcome.name, len(batch.frames), sum(map(len, batch.frames)))

    # ── replacements ─────────────────────────────────────────────────────────

    def _replace(self) -> None:
        for batch in numbered.separated(self._chosen(works.REPLACE)):
            self.progress.checkpoint()
            self._replace_and_take(batch)
            self.progress.advance(self.outcome.name, len(batch.frames))

    def _replace_and_take(self, batch: Batch) -> None:
        written, equal = _patiently(lambda: self._replace_batch(batch))
        self.outcome.replaced += len(written.done)
        self.outcome.unchanged += equal
        self._take_rest(batch, written)

    def _replace_batch(self, batch: Batch) -> tuple[WriteOutcome, int]:
        """Replace those that are still what is expected. Return the outcome, and how many had been replaced before."""
        there = live_documents.read(collection=self._target, ids=[raw_ids.id_of(frame) for frame in batch.frames])
        possible, equal, outcome = [], 0, WriteOutcome()
        for number, frame in zip(*batch, strict=True):
            key = raw_ids.key(raw_ids.id_of(frame))
            now = there.get(key)
            if now == frame:
                equal += 1
            elif now is not None and document_digests.content_hash(now) == self.work.expected[number]:
                possible.append(Replacement(expected=now, new=frame))
            else:
                outcome.stale.append(key)
        outcome.add(self._replaced(possible))
        return outcome, equal

    def _replaced(self, possible: list[Replacement]) -> WriteOutcome:
        if not possible:
            return WriteOutcome()
        if not self.live.transactions:
            return replace.replace_equal(collection=self._target, replacements=possible, session=None)
        with self._session() as session:
            return replace.replace_equal(collection=self._target, replacements=possible, session=session)

    # ── deletions ────────────────────────────────────────────────────────────

    def _delete(self) -> None:
        """Delete what the backup does not hold, exactly: one that was edited since stays."""
        if not self.work.deletes:
            return
        if self.live.why_not:
            self.outcome.sentences.append(messages.NOTHING_DELETABLE(reason=self.live.why_not))
            self.outcome.because(self.live.why_not, self.work.deletes)
            self.outcome.refused.count += self.work.deletes
            return
        for batch in numbered.in_batches(numbered.picked(self.extras(), self.work.extra)):
            self.progress.checkpoint()
            done = delete.delete_equal(live=self.live, frames=[one.frame for one in batch])
            self.outcome.deleted += len(done.deleted) + len(done.already_absent)
            self.outcome.newer.add(done.kept)
            self.outcome.refused.add(done.refused)
            for reason in done.refused.values():
                self.outcome.because(reason)
            self._handle([*done.kept, *done.refused])
            self.progress.advance(self.outcome.name, len(batch))

    # ── what could not be done ───────────────────────────────────────────────

    def _take_rest(self, batch: Batch, written: WriteOutcome) -> None:
        if not (written.stale or written.refused or written.clashes):
            return
        by_key = {
            key: (number, frame) for key, number, frame in zip(raw_ids.keys_of(batch.frames), *batch, strict=True)
        }
        newer = [raw_ids.id_of(by_key[key][1]) for key in written.stale]
        refused = [raw_ids.id_of(by_key[key][1]) for key in written.refused]
        self.outcome.newer.add(newer)
        self.outcome.refused.add(refused)
        for reason in written.refused.values():
            self.outcome.because(reason)
        self._handle([*newer, *refused])
        self.clashed += [by_key[key][0] for key in written.clashes]

    def _retry_clashes(self) -> bool:
        """Try again what clashed. Return whether some of it went in, so that another round may help the rest."""
        if not self.clashed:
            return False
        before, numbers = len(self.clashed), sorted(self.clashed)
        self.clashed = []
        for batch in numbered.separated(numbered.picked(self._frames(), numbers)):
            self.progress.checkpoint()
            inserts = _with_action(batch, self.work, works.INSERT)
            replaces = _with_action(batch, self.work, works.REPLACE)
            if inserts.frames:
                _, written, equal = self._insert_batch(inserts)
                self.outcome.inserted += len(written.done)
                self.outcome.unchanged += equal
                self._take_rest(inserts, written)
            if replaces.frames:
                self._replace_and_take(replaces)
        return 0 < len(self.clashed) < before

    def _name_clashes(self) -> None:
        ids = (
            [raw_ids.id_of(one.frame) for one in numbered.picked(self._frames(), sorted(self.clashed))]
            if self.clashed
            else []
        )
        self.outcome.clashes.add(ids)
        if ids:
            self.outcome.because(messages.UNIQUE_INDEX_VALUE_TAKEN(), len(ids))
        self._handle(ids)

    def _handle(self, ids: Sequence[bytes]) -> None:
        self.handled.update(document_digests.identity_hash(raw_ids.key(raw_id)) for raw_id in ids)

    # ── inside ───────────────────────────────────────────────────────────────

    @property
    def _target(self) -> Collection[Any]:
        return self.live.collection

    def _frames(self) -> Iterator[bytes]:
        return chain.from_iterable(self.batches())

    def _session(self) -> ClientSession:
        return self._target.database.client.start_session()

    def _chosen(self, action: int) -> Iterator[Numbered]:
        if not self.work.count(action):
            return
        for number, frame in enumerate(self._frames()):
            if self.work.actions[number] == action:
                yield Numbered(number, frame)


def _with_action(batch: Batch, work: DocumentActions, action: int) -> Batch:
    """Return the documents of a batch that are to be treated so."""
    chosen = [at for at, number in enumerate(batch.numbers) if work.actions[number] == action]
    return Batch([batch.numbers[at] for at in chosen], [batch.frames[at] for at in chosen])


def _patiently(attempt: Callable[[], T]) -> T:
    """Try again what failed without a known outcome, or collided with others: each attempt reads and compares again."""
    for turn in range(TRIES):
        try:
            return attempt()
        except PyMongoError as error:
            if failures.kind(error) is failures.FailureKind.FINAL or turn == TRIES - 1:
                raise
        time.sleep(0.1 * 2**turn)
    raise AssertionError("unreachable")
