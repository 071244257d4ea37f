"""Puts a plan into effect, collection by collection: structure, documents, indexes, proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.backup_files.digests import document_digests
from backups_app.backup_files.digests.document_digests import DocumentDigests
from backups_app.backup_files.manifest import CollectionEntry
from backups_app.messages import restore as messages
from backups_app.messages import words
from backups_app.mongo import raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.mongo.exact_writes import failures, live_collection
from backups_app.mongo.structures import structure_differences, structures
from backups_app.mongo.structures.structures import Structure
from backups_app.progress import Progress
from backups_app.restore import numbered, proof
from backups_app.restore import work as works
from backups_app.restore.choices import Choices
from backups_app.restore.live import Live, physical_name
from backups_app.restore.outcome import CollectionOutcome
from backups_app.restore.proof import Expected
from backups_app.restore.readback import Fingerprint, Reading
from backups_app.restore.source import Source
from backups_app.restore.work import DocumentActions, PlannedIds
from backups_app.restore.write import CollectionWriter

STAYS_EMPTY = messages.STAYS_EMPTY()
VALIDATION = ("validator", "validationLevel", "validationAction")
"""Set after the documents: a backup may hold some that came before the rule, and they are put back all the same."""

Claim = Callable[[str, PlannedIds], None]


@dataclass(kw_only=True)
class Engine:
    """`before` is the safety backup of the target, None for a test copy. `unfinished` are collections that an earlier
    attempt created and did not finish: they get their indexes and rules as if this one had created them. `creating`
    receives a name before the collection is created, `claim` a collection and its plan before a document is written."""

    source: Source
    choices: Choices
    database: Database[Any]
    before: Source | None
    claim: Claim | None
    progress: Progress
    unfinished: frozenset[str] = frozenset()
    creating: Callable[[str], None] = field(default=lambda name: None)

    def restore(self, name: str) -> CollectionOutcome:
        """Restore one collection or view of the plan and return what became of it.

        Raise `VerificationFailed` before anything is written when the backup is not what was verified, pymongo's
        errors when the server is lost (repeat it), and what progress raises.
        """
        entry = self.source.manifest.collections[name]
        outcome = CollectionOutcome(name=name)
        described = self.source.described(name)
        wanted = Structure(name=name, type=entry.type, options=described.options, indexes=described.indexes)
        there = Live(self.database).structure(name)
        if name in self.source.absent:
            self._empty(entry, there, outcome)
        elif there is not None and there.type != entry.type:
            outcome.withheld = structure_differences.differences(wanted=wanted, there=there)[0]
        elif entry.type == "view":
            self._restore_view(wanted, there, outcome)
        else:
            self._restore_documents(entry, wanted, there, outcome)
        return outcome

    def entry(self, name: str) -> CollectionEntry:
        """Return what the manifest says of a collection of the plan."""
        return self.source.manifest.collections[name]

    def is_missing(self, name: str) -> bool:
        """Return whether nothing of a collection is there, so that every document of the backup will be inserted. Raise
        pymongo's errors."""
        entry = self.entry(name)
        return entry.type != "view" and self._into_nothing(entry, name, Live(self.database).structure(name))

    def restore_empty(self, name: str) -> CollectionOutcome:
        """Create a collection that stays empty on purpose, with its options and indexes, where it is missing. Return
        what became of it. Raise pymongo's errors."""
        entry = self.source.manifest.collections[name]
        described = self.source.described(name)
        wanted = Structure(name=name, type=entry.type, options=described.options, indexes=described.indexes)
        outcome = CollectionOutcome(name=name)
        if entry.type != "view" and self._create(wanted, Live(self.database).structure(name), outcome):
            self._finish(wanted, outcome)
        return outcome

    def _empty(self, entry: CollectionEntry, there: Structure | None, outcome: CollectionOutcome) -> None:
        """Empty a collection that was not there when the backup was made; no collection is ever dropped."""
        outcome.withheld = why_not_emptied(there)
        if there is not None and not outcome.withheld:
            self._restore_documents(entry, there, there, outcome)
            outcome.sentences.append(messages.WAS_NOT_THERE_BEFORE(name=there.name, consequence=STAYS_EMPTY))

    def _restore_view(self, wanted: Structure, there: Structure | None, outcome: CollectionOutcome) -> None:
        if there is None:
            outcome.created = self._made(wanted.name, wanted.options, None, outcome)
        else:
            outcome.sentences += structure_differences.differences(wanted=wanted, there=there)

    def _restore_documents(
        self, entry: CollectionEntry, wanted: Structure, there: Structure | None, outcome: CollectionOutcome
    ) -> None:
        """Restore the documents of one collection.

        1. Compare the backup with the state before (the safety backup), by digests of every document. Where nothing was
           there, only hash the backup: every document will be inserted.
        2. Decide what is inserted, replaced, deleted and kept.
        3. Withhold it where a capped collection or a time-series holds anything already.
        4. Create the collection where it is missing, without the rules that old documents may break.
        5. Claim all of the plan. Write: each document is compared with the state before; what was edited stays.
        6. Prove what is there now: by its fingerprint where nothing was there, else by digests. Indexes
           come after that: one with a time to live would begin to delete.
        7. Give a collection of our making its rules and indexes; of any other one, name what differs.
        """
        states = None if self._into_nothing(entry, wanted.name, there) else self._states(entry, wanted.name)
        if states is None:
            self.source.check(wanted.name, progress=self.progress)
        work = works.all_missing(entry.documents) if states is None else self._work(*states)
        outcome.withheld = why_withheld(wanted, there, work=work, occupied=0 if states is None else states[1].documents)
        if outcome.withheld:
            return
        ours = self._create(wanted, there, outcome)
        if outcome.withheld:
            return
        if self.claim is not None:
            self.claim(wanted.name, PlannedIds(work=work, wanted=None if states is None else states[0]))
        self.progress.expect(wanted.name, work.writes)
        reading = Reading(self.source, wanted.name)
        handled = self._write(entry, wanted, work, reading, outcome)
        outcome.unchanged += work.count(works.SAME)
        outcome.kept, outcome.extra = work.count(works.KEEP), len(work.extra) - work.deletes
        if states is None and not handled and self._is_as_read(entry, wanted.name, reading):
            outcome.proven = entry.documents
        else:
            documents, before = states or (self._digest(wanted.name), DocumentDigests())
            self._prove(entry, outcome, proof.Expected(documents, before, work, handled))
        if ours:
            self._finish(wanted, outcome)
        else:
            outcome.sentences += self._differences(wanted)

    def _into_nothing(self, entry: CollectionEntry, name: str, there: Structure | None) -> bool:
        """Whether every document of the backup is missing, without a look at any: there was nothing before."""
        if not all_count(entry, self.choices):
            return False
        if self.before is None:
            return there is None or Live(self.database).is_empty(name, kind=entry.type)
        held = self.before.entry(name)
        return held is None or not held.documents

    def _states(self, entry: CollectionEntry, name: str) -> tuple[DocumentDigests, DocumentDigests]:
        """Return the digests of the backup and of the state before: the safety backup, or a test copy as it is."""
        documents = self._digest(name)
        if self.before is not None:
            return documents, self.before.digest(name, progress=self.progress)
        return documents, Live(self.database).digest(name, kind=entry.type, progress=self.progress)

    def _digest(self, name: str) -> DocumentDigests:
        return self.source.digest(name, progress=self.progress)

    def _work(self, documents: DocumentDigests, before: DocumentDigests) -> DocumentActions:
        if self.choices.document is None:
            return works.decide(wanted=documents, there=before, mode=self.choices.mode)
        identity = document_digests.identity_hash(raw_ids.key(self.choices.document))
        return works.only(wanted=documents, there=before, mode=self.choices.mode, identity=identity)

    def _create(self, wanted: Structure, there: Structure | None, outcome: CollectionOutcome) -> bool:
        """Create the collection where it is missing. Return whether its indexes and rules are ours to finish."""
        if there is not None:
            return wanted.name in self.unfinished
        self.creating(wanted.name)
        options = {name: value for name, value in wanted.options.items() if name not in VALIDATION}
        id_index = next((index for index in wanted.indexes if index.get("name") == "_id_"), None)
        outcome.created = self._made(wanted.name, options, id_index, outcome)
        return outcome.created

    def _made(
        self, name: str, options: Mapping[str, Any], id_index: Mapping[str, Any] | None, outcome: CollectionOutcome
    ) -> bool:
        """Create a collection or view. One that the server does not take is withheld, and the others go on."""
        try:
            return structures.create(self.database, name=name, options=options, id_index=id_index)
        except OperationFailure as error:
            if failures.kind(error) is not failures.FailureKind.REFUSED:
                raise
            outcome.withheld = messages.SERVER_DOES_NOT_MAKE_IT(reason=structures.named(error))
            return False

    def _write(
        self,
        entry: CollectionEntry,
        wanted: Structure,
        work: DocumentActions,
        reading: Reading,
        outcome: CollectionOutcome,
    ) -> set[bytes]:
        """Write the documents. Return the identities of those that are not as planned for a reason that was
        reported."""
        physical = physical_name(wanted.name, kind=entry.type)
        writer = CollectionWriter(
            live=live_collection.inspect(collection=collection_of(self.database, physical)),
            work=work,
            batches=reading.batches,
            extras=lambda: self._frames_before(entry, wanted.name),
            outcome=outcome,
            progress=self.progress,
            in_order=bool(wanted.options.get("capped")),
        )
        writer.write()
        return writer.handled

    def _frames_before(self, entry: CollectionEntry, name: str) -> Any:
        if self.before is not None:
            return self.before.frames(name)
        return Live(self.database).frames(name, kind=entry.type)

    def _finish(self, wanted: Structure, outcome: CollectionOutcome) -> None:
        """Give a collection of our making its rules and its indexes. What is refused is stated, and not complete."""
        rules = {name: wanted.options[name] for name in VALIDATION if name in wanted.options}
        if rules:
            outcome.not_made += structures.set_rules(self.database, name=wanted.name, rules=rules)
        there = structures.with_indexes(self.database, Structure(name=wanted.name, type=wanted.type))
        missing = structure_differences.missing_indexes(wanted=wanted.indexes, there=there.indexes)
        outcome.not_made += structures.create_indexes(self.database, name=wanted.name, indexes=missing)
        outcome.sentences += outcome.not_made or self._differences(wanted)
        made = structures.with_indexes(self.database, Structure(name=wanted.name, type=wanted.type))
        outcome.notes += structure_differences.renewed(wanted=wanted, there=made)

    def _differences(self, wanted: Structure) -> list[str]:
        there = Live(self.database).structure(wanted.name)
        return [] if there is None else structure_differences.differences(wanted=wanted, there=there)

    def _is_as_read(self, entry: CollectionEntry, name: str, reading: Reading) -> bool:
        """Whether the collection holds exactly the documents of the backup. If not, the digests show what differs."""
        found = Fingerprint()
        with closing(Live(self.database).batches(name, kind=entry.type)) as batches:
            for batch in batches:
                found.add(batch)
                self.progress.checkpoint()
        return reading.is_equal(found)

    def _prove(self, entry: CollectionEntry, outcome: CollectionOutcome, expected: Expected) -> None:
        after = Live(self.database).digest(outcome.name, kind=entry.type, progress=self.progress)
        found = proof.prove(expected, after=after)
        if found.differing:
            frames = numbered.picked(self.source.frames(outcome.name), found.differing)
            outcome.differing.add(raw_ids.id_of(one.frame) for one in frames)
        outcome.differing.count += found.undeleted
        outcome.proven = found.matching
        if found.edited or found.appeared:
            outcome.sentences.append(messages.CHANGED_MEANWHILE(n=found.edited + found.appeared))


def all_count(entry: CollectionEntry, choices: Choices) -> bool:
    """Return whether every document of the backup is wanted: not one alone, and none whose `_id` stands twice in it,
    for there only the digests know which one counts. An incremental does not know that of its base."""
    return choices.document is None and entry.overlay is None and not entry.duplicate_ids


def why_not_emptied(there: Structure | None) -> str:
    """Return why what was not there before the backup is left as it is now, or an empty string."""
    if there is None or (there.type == "collection" and not there.options.get("capped")):
        return ""
    kind = words.collection_type(there.type) if there.type != "collection" else messages.CAPPED_COLLECTION()
    return messages.NOT_EMPTIED(kind=kind)


def why_withheld(wanted: Structure, there: Structure | None, *, work: DocumentActions, occupied: int) -> str:
    """Return why the documents of a collection are not touched at all, or an empty string.

    A collection that is capped, in the backup or now, would push out newer documents, and buckets of a time-series
    cannot be compared one by one with measurements that came since: both are restored only where nothing else is.
    """
    if not occupied or not work.writes:
        return ""
    if any(one is not None and one.options.get("capped") for one in (wanted, there)):
        return messages.CAPPED_NOT_RESTORED()
    if wanted.type == "timeseries":
        return messages.TIME_SERIES_NOT_RESTORED()
    return ""


def summary(outcomes: Mapping[str, CollectionOutcome]) -> dict[str, int]:
    """Return the sums over all collections."""
    names = ("inserted", "replaced", "deleted", "unchanged", "kept", "extra", "proven")
    sums = {name: sum(getattr(outcome, name) for outcome in outcomes.values()) for name in names}
    named = ("newer", "clashes", "refused", "differing")
    return sums | {name: sum(getattr(outcome, name).count for outcome in outcomes.values()) for name in named}
