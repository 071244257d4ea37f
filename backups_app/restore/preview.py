"""What a restore would do, found out by reading both sides and comparing for real. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database

from backups_app import formats
from backups_app.backup_files.digests.document_digests import DocumentDigests, identity_hash
from backups_app.backup_files.manifest import CollectionEntry
from backups_app.backup_files.reading.collection_reader import StreamHashes
from backups_app.backup_files.shown import shortened
from backups_app.messages import restore as messages
from backups_app.mongo import raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.mongo.exact_writes import encoding, live_documents
from backups_app.mongo.structures import structure_differences
from backups_app.mongo.structures.structures import Structure
from backups_app.progress import Progress
from backups_app.restore import clashes, engine, numbered, plan
from backups_app.restore import work as works
from backups_app.restore.choices import Choices
from backups_app.restore.live import Live, physical_name
from backups_app.restore.plan import LeftOut, Plan
from backups_app.restore.source import Source
from backups_app.restore.work import DocumentActions

SAMPLES = 3
"""Of each kind of change so many documents are shown."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One document of a preview. `action` is `insert`, `replace`, `keep` or `delete`; a side that has none is None. One
    above 1 MiB is shortened. `raw_id` and `number`, its place in the backup's file, find it again: a preview that is
    kept holds no document."""

    action: str
    now: bytes | None
    backup: bytes | None
    raw_id: bytes = b""
    number: int | None = None

    @classmethod
    def of(cls, action: str, *, now: bytes | None, backup: bytes | None, number: int | None = None) -> Sample:
        """Return a sample of these documents, one of which is there. `number`: the place of the one in the backup."""
        raw_id = raw_ids.id_of(now if backup is None else backup)  # type: ignore[arg-type]
        now, backup = (None if frame is None else shortened.shorten(frame) for frame in (now, backup))
        return cls(action=action, now=now, backup=backup, raw_id=raw_id, number=number)


@dataclass(kw_only=True)
class PreviewedCollection:
    """One collection. `keep` counts documents that are there in another version and stay; `extra` those that the
    backup does not hold and that stay. `problems` are sentences; `withheld` says why nothing would be done."""

    name: str
    type: str
    in_backup: int
    there_now: int
    insert: int = 0
    replace: int = 0
    delete: int = 0
    unchanged: int = 0
    keep: int = 0
    extra: int = 0
    creates: bool = False
    withheld: str = ""
    problems: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def writes(self) -> int:
        return self.insert + self.replace + self.delete


@dataclass(frozen=True, kw_only=True)
class RestorePreview:
    """Everything that a person sees before confirming. `confirmation` is the hash that the restore must name."""

    choices: Choices
    server: str
    confirmation: str
    collections: tuple[PreviewedCollection, ...]
    left_out: tuple[LeftOut, ...]
    insert_bytes: int
    disk_free_bytes: int | None

    @property
    def disk_problem(self) -> str:
        """Say that the server's disk is too small for what would be written, or nothing."""
        if self.disk_free_bytes is None or self.disk_free_bytes > self.insert_bytes:
            return ""
        wanted, free = formats.size(self.insert_bytes), formats.size(self.disk_free_bytes)
        return messages.SERVER_DISK_TOO_FULL(wanted=wanted, free=free)

    def total(self, name: str) -> int:
        """Return the sum of one of the counts over all collections."""
        return sum(getattr(collection, name) for collection in self.collections)

    @property
    def needs_the_phrase(self) -> bool:
        """Whether RESTORE has to be typed."""
        return self.choices.needs_the_phrase


@dataclass(kw_only=True)
class Previewer:
    """Compares a backup with a database. `database` is the target, None when a test copy does not exist yet."""

    source: Source
    choices: Choices
    database: Database[Any] | None
    progress: Progress
    insert_bytes: int = 0

    def look(self, decided: Plan) -> tuple[PreviewedCollection, ...]:
        """Return what would happen to each collection of the plan. Raise `VerificationFailed`, pymongo's errors."""
        return tuple(self._collection(name) for name in decided.taken)

    def _collection(self, name: str) -> PreviewedCollection:
        entry = self.source.manifest.collections[name]
        described = self.source.described(name)
        wanted = Structure(name=name, type=entry.type, options=described.options, indexes=described.indexes)
        there = Live(self.database).structure(name) if self.database is not None else None
        preview = PreviewedCollection(
            name=name, type=entry.type, in_backup=entry.documents, there_now=0, creates=there is None
        )
        if name in self.source.absent:
            self._emptied(entry, there, preview)
            return preview
        if there is not None:
            preview.problems += structure_differences.differences(wanted=wanted, there=there)
        if there is not None and there.type != entry.type:
            preview.withheld = preview.problems[0]
        elif entry.type != "view":
            self._documents(entry, wanted, there, preview)
        return preview

    def _emptied(self, entry: CollectionEntry, there: Structure | None, preview: PreviewedCollection) -> None:
        """What was not there when the backup was made: its documents would go."""
        preview.creates = False
        preview.withheld = engine.why_not_emptied(there)
        if there is not None and not preview.withheld:
            self._documents(entry, there, there, preview)
            preview.problems.append(messages.WAS_NOT_THERE_BEFORE(name=there.name, consequence=engine.STAYS_EMPTY))

    def _documents(
        self, entry: CollectionEntry, wanted: Structure, there: Structure | None, preview: PreviewedCollection
    ) -> None:
        self.progress.expect(wanted.name, entry.documents)
        if self._into_nothing(entry, there):
            work = works.all_missing(entry.documents)
        else:
            documents = self.source.digest(wanted.name, progress=self.progress)
            now = self._now(entry, wanted.name, there)
            work = self._work(documents, now)
            preview.there_now = now.documents
        preview.withheld = engine.why_withheld(wanted, there, work=work, occupied=preview.there_now)
        preview.insert, preview.replace, preview.delete = (
            work.count(works.INSERT),
            work.count(works.REPLACE),
            work.deletes,
        )
        preview.unchanged = work.count(works.SAME)
        preview.keep, preview.extra = work.count(works.KEEP), len(work.extra) - work.deletes
        self._foresee(entry, wanted, there, work, preview)
        self.progress.advance(wanted.name, entry.documents)

    def _into_nothing(self, entry: CollectionEntry, there: Structure | None) -> bool:
        """As the engine decides: nothing is there, and no `_id` stands twice in the backup."""
        return there is None and engine.all_count(entry, self.choices)

    def _now(self, entry: CollectionEntry, name: str, there: Structure | None) -> DocumentDigests:
        if self.database is None or there is None:
            return DocumentDigests()
        return Live(self.database).digest(name, kind=entry.type, progress=self.progress)

    def _work(self, documents: DocumentDigests, now: DocumentDigests) -> DocumentActions:
        if self.choices.document is None:
            return works.decide(wanted=documents, there=now, mode=self.choices.mode)
        identity = identity_hash(raw_ids.key(self.choices.document))
        return works.only(wanted=documents, there=now, mode=self.choices.mode, identity=identity)

    # ── problems and samples ─────────────────────────────────────────────────

    def _foresee(
        self,
        entry: CollectionEntry,
        wanted: Structure,
        there: Structure | None,
        work: DocumentActions,
        preview: PreviewedCollection,
    ) -> None:
        """Look at every document that would be written: can the server take it, and does it clash with what stays?"""
        older = work.count(works.OLDER)
        if older:
            preview.problems.append(messages.OLDER_VERSIONS_IN_BACKUP(n=older))
        preview.problems += _expiring(there or wanted)
        impossible, foreseen = 0, self._clashes(wanted, there, work)
        for batch in self._written(wanted.name, work):
            self.progress.checkpoint()
            self.insert_bytes += sum(map(len, batch))
            odd = encoding.Together(batch).needing_pipeline()
            impossible += sum(encoding.why_not(frame) is not None for frame in odd)
            foreseen.look(batch)
        if impossible:
            preview.problems.append(messages.DOCUMENTS_NOT_STORABLE(n=impossible))
        preview.problems += foreseen.sentences()
        preview.samples = self._samples(entry, wanted.name, work)

    def _clashes(self, wanted: Structure, there: Structure | None, work: DocumentActions) -> clashes.Clashes:
        if self.database is None or there is None or not work.writes:
            return clashes.Clashes(database=None, structure=wanted, wanted=wanted)
        return clashes.Clashes(database=self.database, structure=there, wanted=wanted)

    def _written(self, name: str, work: DocumentActions) -> Iterator[list[bytes]]:
        """Yield the documents that would be written, in batches. Raise `VerificationFailed` when the backup is not what
        was verified."""
        if not work.count(works.INSERT) + work.count(works.REPLACE):
            return
        first, heard = 0, StreamHashes()
        for batch in self.source.batches(name, heard=heard):
            actions = work.actions[first : first + len(batch)]
            first += len(batch)
            everything = actions.count(works.INSERT) == len(batch)
            yield (
                batch
                if everything
                else [
                    frame
                    for frame, action in zip(batch, actions, strict=True)
                    if action in (works.INSERT, works.REPLACE)
                ]
            )
        self.source.require_verified(name, heard)

    def _samples(self, entry: CollectionEntry, name: str, work: DocumentActions) -> list[Sample]:
        wanted = {works.INSERT: "insert", works.REPLACE: "replace", works.KEEP: "keep"}
        numbers = {action: work.first(action, SAMPLES) for action in wanted}
        chosen = sorted(number for some in numbers.values() for number in some)
        picked = {one.number: one.frame for one in numbered.picked(self.source.frames(name), chosen)}
        now = self._live_versions(entry, name, list(picked.values()))
        found = []
        for action, word in wanted.items():
            for number in numbers[action]:
                frame = picked[number]
                live = now.get(raw_ids.key(raw_ids.id_of(frame)))
                found.append(Sample.of(word, now=live, backup=frame, number=number))
        return found + self._deleted_samples(entry, name, work)

    def _live_versions(self, entry: CollectionEntry, name: str, frames: Sequence[bytes]) -> dict[bytes, bytes]:
        physical = physical_name(name, kind=entry.type)
        if self.database is None or Live(self.database).structure(name) is None:
            return {}  # of a name that it does not take a server is not even asked
        collection = collection_of(self.database, physical)
        return live_documents.read(collection=collection, ids=[raw_ids.id_of(frame) for frame in frames])

    def _deleted_samples(self, entry: CollectionEntry, name: str, work: DocumentActions) -> list[Sample]:
        if self.database is None or not work.deletes:
            return []
        frames = Live(self.database).frames(name, kind=entry.type)
        picked = numbered.picked(frames, work.extra[:SAMPLES])
        return [Sample.of("delete", now=one.frame, backup=None) for one in picked]


def make(
    *,
    source: Source,
    choices: Choices,
    decided: plan.Plan,
    database: Database[Any] | None,
    server: str,
    confirmation: str,
    progress: Progress,
    disk_free_bytes: int | None = None,
) -> RestorePreview:
    """Return the preview of a restore. Raise `VerificationFailed`, pymongo's errors, and what progress raises."""
    previewer = Previewer(source=source, choices=choices, database=database, progress=progress)
    collections = previewer.look(decided)
    return RestorePreview(
        choices=choices,
        server=server,
        confirmation=confirmation,
        collections=collections,
        left_out=decided.left_out,
        insert_bytes=previewer.insert_bytes,
        disk_free_bytes=disk_free_bytes,
    )


def _expiring(structure: Structure) -> list[str]:
    return [
        messages.INDEX_EXPIRES_DOCUMENTS(name=index["name"], seconds=index["expireAfterSeconds"])
        for index in structure.indexes
        if "expireAfterSeconds" in index
    ]
