"""What the four steps of a restore show: collections to choose, the preview in rows and samples, the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups_app import formats
from backups_app.browsing.compare import differences
from backups_app.browsing.compare.differences import FieldChange
from backups_app.browsing.reading import backups, collections
from backups_app.browsing.reading.collections import CollectionSummary
from backups_app.browsing.values import tree
from backups_app.browsing.values.tree import Node
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import raw_ids
from backups_app.pages.restore.restore_address import HERE, RestoreQuery
from backups_app.pages.shared import wording
from backups_app.pages.shared.translation import translated
from backups_app.pages.viewer import document_view, viewer_documents
from backups_app.restore.choices import Mode
from backups_app.restore.preview import PreviewedCollection, RestorePreview, Sample
from backups_app.use_cases.listing import present_counts
from backups_app.use_cases.restores import emptied as emptied_runs


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One collection to choose. `now` is None where nobody can know."""

    name: str
    type: str
    in_backup: int | None
    now: int | None
    chosen: bool

    @property
    def differs(self) -> bool:
        """Whether the database holds another number of documents now."""
        return self.in_backup is not None and self.now is not None and self.in_backup != self.now


@dataclass(frozen=True, kw_only=True)
class Emptied:
    """Collections that one run emptied on purpose. `run_at` is when that run began."""

    run: str
    run_at: datetime | None
    choices: Sequence[Choice]


@dataclass(frozen=True, kw_only=True)
class ChosenContents:
    """What step 1 offers: ordinary collections, those emptied on purpose, and how many records of ours there are."""

    ordinary: Sequence[Choice]
    emptied: Sequence[Emptied]
    own: int

    @property
    def differing(self) -> list[Choice]:
        """Ordinary collections with another number of documents now: what one looks for first."""
        return [choice for choice in self.ordinary if choice.differs]

    @property
    def others(self) -> list[Choice]:
        return [choice for choice in self.ordinary if not choice.differs]


def contents(asked: RestoreQuery, *, configuration: Configuration, everything: bool) -> ChosenContents:
    """Return what can be chosen. Emptied collections are chosen only where the address names them.

    Raise `InvalidBackupId`, `BackupNotFound`.
    """
    inside = collections.of_backup(store=viewer_documents.store(), backup_id=asked.backup_id)
    offered = [entry for entry in inside if not entry.internal]
    emptied = emptied_runs.on_purpose(configuration=configuration, backup_id=asked.backup_id)
    now = present_counts.counts_now(configuration=configuration, names=[entry.name for entry in offered])

    def choice(entry: CollectionSummary) -> Choice:
        chosen = entry.name in asked.collections or (everything and entry.name not in emptied)
        there = None if entry.type == "view" else now.get(entry.name)
        return Choice(name=entry.name, type=entry.type, in_backup=entry.documents, now=there, chosen=chosen)

    runs = dict.fromkeys(emptied[entry.name] for entry in offered if entry.name in emptied)
    return ChosenContents(
        ordinary=[choice(entry) for entry in offered if entry.name not in emptied],
        emptied=[
            Emptied(
                run=run,
                run_at=wording.moment_of(run),
                choices=[choice(entry) for entry in offered if emptied.get(entry.name) == run],
            )
            for run in runs
        ],
        own=len(inside) - len(offered),
    )


def undoes(asked: RestoreQuery) -> bool:
    """Return whether these choices take a restore back: its safety backup, exactly as it was."""
    if asked.mode != Mode.REPLACE or asked.where != HERE or asked.document:
        return False
    try:
        return backups.summary(store=viewer_documents.store(), backup_id=asked.backup_id).is_safety_backup
    except TempleOpsError:
        return False


@dataclass(frozen=True, kw_only=True)
class SampleShown:
    """One document of the preview: what would become of it, and its identifying fields or what differs."""

    action: str
    collection: str
    short_id: str
    fields: Sequence[Node]
    changes: Sequence[FieldChange]


@dataclass(frozen=True, kw_only=True)
class PreviewShown:
    """A preview in the page's words."""

    preview: RestorePreview
    samples: Sequence[SampleShown]

    @property
    def rows(self) -> Sequence[PreviewedCollection]:
        return self.preview.collections

    @property
    def added(self) -> int:
        return self.preview.total("insert")

    @property
    def overwritten(self) -> int:
        return self.preview.total("replace")

    @property
    def deleted(self) -> int:
        return self.preview.total("delete")

    @property
    def same(self) -> int:
        return self.preview.total("unchanged")

    @property
    def staying(self) -> int:
        """Documents that are there in a version of their own, or are not in the backup, and stay."""
        return self.preview.total("keep") + self.preview.total("extra")

    @property
    def does_something(self) -> bool:
        created = any(row.creates and not row.withheld for row in self.rows)
        return bool(self.added + self.overwritten + self.deleted) or created

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Collection (or database) and sentence; what would not be done at all stands first."""
        disk = (
            [(self.preview.choices.target, translated(self.preview.disk_problem))] if self.preview.disk_problem else []
        )
        withheld = [
            (row.name, _("nothing is done: %(reason)s") % {"reason": translated(row.withheld)})
            for row in self.rows
            if row.withheld
        ]
        named = self.preview.choices.collections is not None  # then only what an undo cannot take back is left out
        staying = [(left.name, translated(left.reason)) for left in self.preview.left_out if named]
        return (
            disk
            + withheld
            + staying
            + [
                (row.name, translated(problem))
                for row in self.rows
                for problem in row.problems
                if problem != row.withheld
            ]
        )

    @property
    def deed(self) -> str:
        """What the button does, in numbers: `Add 1,240 documents`, `Add 1, overwrite 2, delete 3`."""
        ways = (
            (_("add %(n)s"), self.added),
            (_("overwrite %(n)s"), self.overwritten),
            (_("delete %(n)s"), self.deleted),
        )
        sentences = [(way, count) for way, count in ways if count] or [ways[0]]
        deeds = ", ".join(way % {"n": formats.grouped(count)} for way, count in sentences)
        text = ngettext("%(deeds)s document", "%(deeds)s documents", sentences[-1][1]) % {"deeds": deeds}
        return text[:1].upper() + text[1:]


def preview_of(preview: RestorePreview) -> PreviewShown:
    """Return a preview as the page shows it."""
    shown = [_sample(row.name, sample) for row in preview.collections for sample in row.samples]
    return PreviewShown(preview=preview, samples=shown)


def _sample(collection: str, sample: Sample) -> SampleShown:
    frame = sample.backup if sample.backup is not None else sample.now
    assert frame is not None
    zone = timezone.get_current_timezone()
    both = sample.now is not None and sample.backup is not None
    changes = differences.fields(sample.now, sample.backup, zone=zone) if both else ()  # type: ignore[arg-type]
    return SampleShown(
        action=sample.action,
        collection=collection,
        short_id=_short_id(raw_ids.id_of(frame)),
        fields=() if both else tree.preview(frame, zone=zone),
        changes=changes,
    )


def _short_id(raw_id: bytes) -> str:
    """A whole number is reported as one; any other `_id` in its short form."""
    value = raw_ids.decoded(raw_id)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else document_view.short_id(raw_id)


def modes(asked: RestoreQuery) -> list[tuple[str, str, str]]:
    """Return the ways to restore: key, words, and what each does. One document is never a reason to delete others."""
    ways = [
        (Mode.ADD.value, _("Add what is missing"), _("Nothing that is there is overwritten or deleted.")),
        (
            Mode.OVERWRITE.value,
            _("Add what is missing and overwrite what differs"),
            _("Documents that differ become as they are in the backup. Nothing is deleted."),
        ),
        (
            Mode.REPLACE.value,
            _("Replace: make it exactly like the backup"),
            _("Also deletes the documents that the backup does not hold. Indexes stay."),
        ),
    ]
    return ways[:2] if asked.document else ways
