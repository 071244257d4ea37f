"""A person removes one copy from a target: by the id of its backup, typed again, and for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from backups_app.access.trail import audit
from backups_app.backup_files import layout
from backups_app.configuration import Configuration
from backups_app.copying import removal
from backups_app.errors import (
    BackupHeld,
    BackupIsNewest,
    BackupNotFound,
    BackupPinned,
    CopyMayBeOnly,
    CopyNotFound,
    RemovalNotConfirmed,
    RemovalRefused,
    TargetMoved,
    needed_by,
)
from backups_app.messages.message import Message
from backups_app.messages.protection import assurance as wording
from backups_app.models import BackupCopy
from backups_app.retention.facts import Backup, newest_first
from backups_app.runs import preparation
from backups_app.runs.copies import elsewhere
from backups_app.storage import copy_reading, copy_rows, counted, target_looks, target_places
from backups_app.storage.copy_rows import State
from backups_app.storage.target import StorageTarget
from backups_app.use_cases import confirmation
from backups_app.use_cases.copies import neighbours, places, stored_facts
from backups_app.use_cases.copies.acts import REMOVED, CopyRequest
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.retention import facts as retention_facts
from backups_app.use_cases.retention.facts import is_signed


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What removing one copy would mean. `refusals` say why it stays, `other_places` where else the backup is: this
    computer (an empty name) and targets that answer. `is_known`: our records know what the backup holds. `only_here`
    names what then only this disk holds; None where another copy counts, or where it holds nothing alone. `dependants`
    are the incrementals whose copies there begin from it."""

    refusals: Sequence[RemovalRefused]
    other_places: Sequence[str]
    is_known: bool
    only_here: Message | None = None
    dependants: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What a removal left. `only_here` names what only this disk holds now, `kept` the objects that stay because they
    belong to other copies there; None where there is nothing to say."""

    only_here: Message | None = None
    kept: Message | None = None


def outlook(*, configuration: Configuration, backup_id: str, target: str, copy: str = "") -> Outlook:
    """Return what removing this copy would mean, by our own records: the target is not asked. With `copy` it is one
    that no row knows: beside a complete one at the same target it may go.

    A copy may always go while its backup is here or at another target. The last one stays where a guard would keep the
    backup itself: it is pinned, it alone may hold deleted documents, or it is the newest one of all.
    Raise `ModeNotLocal`, `InvalidBackupId`, `TargetNotFound`.
    """
    readiness.require_local(configuration)
    layout.check_id(backup_id)
    places.settings_of(configuration, target)
    rows = list(BackupCopy.objects.filter(state=State.COMPLETE).defer("written"))
    facts = _facts(backup_id)
    other = _other_places(configuration, rows, backup_id, target)
    dependants = sorted({row.backup_id for row in rows if (row.target, row.backup.get("base")) == (target, backup_id)})
    if copy and any((row.backup_id, row.target) == (backup_id, target) for row in rows):
        other, dependants = [*other, target], []
    refusals: list[RemovalRefused] = [needed_by(dependants)] if dependants else []
    if not other:
        refusals += _of_the_last_one(configuration, facts, backup_id, target, rows)
    then = None if copy else only_here(configuration=configuration, backup_id=backup_id, without=target)
    return Outlook(
        refusals=refusals, other_places=other, is_known=facts is not None, only_here=then, dependants=dependants
    )


def only_here(*, configuration: Configuration, backup_id: str, without: str = "") -> Message | None:
    """Return the sentence that names the deleted documents of a backup that is here and has no copy that counts;
    `without` is a target that is left out. None where a copy counts, or where it holds nothing alone."""
    facts = _facts(backup_id)
    if facts is None or not facts.is_holder or backup_id not in preparation.store(configuration).backups().ids:
        return None
    names = [name for name in elsewhere.trusted_targets(configuration, now=timezone.now()) if name != without]
    there = counted.by_target(targets=names, recipients=configuration.copy_recipients)
    if any(counted.is_whole(backup_id=backup_id, base=facts.base, ids=ids) for ids in there.values()):
        return None
    n = sum((facts.holds or {}).values())
    return wording.HOLDERS_ONLY_HERE(n=n) if n else wording.HOLDER_ONLY_HERE()


def remove(asked: CopyRequest, *, backup_id: str, target: str, typed: str, copy: str = "") -> Removed:
    """Remove the copy of one backup from one target, for good. `typed` is its id, typed again. It is not copied there
    again by itself. With `copy`, the name of its manifest there, remove only that one, which no row knows. Objects that
    another copy there consists of stay.

    Raise `RemovalNotConfirmed`, `TargetNotFound`, `CopyNotFound`, `TargetDenied`, `TargetMoved` and other kinds of
    `TargetFailed`, `BackupNeeded` where an incremental there begins from it, `ObjectsMayBelong` beside a manifest that
    cannot be read, and the other refusals of `outlook`.
    """
    configuration = asked.configuration
    before = outlook(configuration=configuration, backup_id=backup_id, target=target, copy=copy)
    confirmation.require(backup_id, typed=typed, refusal=RemovalNotConfirmed())
    opened = places.open_target(configuration, target)
    if target_places.moved([places.settings_of(configuration, target)]):
        raise TargetMoved(target=target)
    going = _going(opened, target, backup_id, copy, before)
    stays_whole = copy != "" and _known_is_whole(opened, target, backup_id)
    if copy and not stays_whole:
        before = outlook(configuration=configuration, backup_id=backup_id, target=target)
    names = _may_go(opened, going, before, backup_id=backup_id, stays_whole=stays_whole)
    kept = len(going.names) - len(names)
    asked.put_on_record(REMOVED, backup_id, audit.STARTED, target=target)
    removal.remove(opened, names)
    if not copy:
        _remember_removed(asked, backup_id, target)
    asked.put_on_record(REMOVED, backup_id, "done", target=target, kept_objects=kept)
    return Removed(
        only_here=None if copy else before.only_here, kept=wording.OBJECTS_KEPT(n=kept, target=target) if kept else None
    )


@dataclass(frozen=True, kw_only=True)
class _Going:
    """What a removal is about: rows, manifests at the target, and the names of all that these name."""

    rows: frozenset[int]
    manifests: frozenset[str]
    names: Sequence[str]


def _going(opened: StorageTarget, target: str, backup_id: str, copy: str, before: Outlook) -> _Going:
    """Return what is to go: what is ours, or the one manifest `copy` that no row knows. Another manifest of the same id
    may be another temple's: it goes by its name only. Raise `CopyNotFound`."""
    rows = [] if copy else list(copy_rows.of_target(target).filter(backup_id=backup_id))
    known = known_names(target)
    every = list(copy_reading.find(opened, only=backup_id))
    if copy:
        found = [one for one in every if one.object_name == copy and copy not in known]
    else:
        found = [one for one in every if not known.isdisjoint([one.object_name, *neighbours.objects_of(one)])]
    if not found and not any(row.state == State.COMPLETE for row in rows):
        for refusal in before.refusals if every and not copy else ():
            raise refusal
        raise CopyNotFound(target=target, backup_id=backup_id)
    written = [entry["name"] for row in rows for entry in row.written]
    manifests = [one.object_name for one in found]
    named = [name for one in found for name in neighbours.objects_of(one)]
    return _Going(
        rows=frozenset(row.pk for row in rows),
        manifests=frozenset(manifests),
        names=list(dict.fromkeys([*manifests, *named, *written])),
    )


def _known_is_whole(opened: StorageTarget, target: str, backup_id: str) -> bool:
    """Whether a copy that a row knows is whole at the target, by the sizes that it lists."""
    rows = copy_rows.of_target(target).filter(backup_id=backup_id, state=State.COMPLETE)
    known = set(rows.values_list("manifest", flat=True))
    return any(one.object_name in known and one.problem is None for one in copy_reading.find(opened, only=backup_id))


def _may_go(opened: StorageTarget, going: _Going, before: Outlook, *, backup_id: str, stays_whole: bool) -> list[str]:
    """Return the names of the objects that go. Raise what keeps the copy. An unreadable manifest names nothing: it may
    go beside others like it."""
    for refusal in before.refusals:
        raise refusal
    staying = neighbours.besides(neighbours.at(opened), rows=going.rows, manifests=going.manifests)
    if not stays_whole:
        neighbours.require_no_dependant(staying, backup_id=backup_id)
    if len(going.names) > 1:
        neighbours.require_readable(staying, target=opened.name)
    return neighbours.free(staying, going.names)


def known_names(target: str) -> set[str]:
    """Return the names of all objects at a target that our rows know."""
    rows = BackupCopy.objects.filter(target=target).values_list("written", flat=True)
    return {entry["name"] for written in rows for entry in written}


def _other_places(configuration: Configuration, rows: Sequence[BackupCopy], backup_id: str, target: str) -> list[str]:
    here = [""] if backup_id in preparation.store(configuration).backups().ids else []
    silent = target_looks.distrusted(configuration.targets, now=timezone.now())
    names = {one.name for one in configuration.targets} - set(silent)
    there = {row.target for row in rows if row.backup_id == backup_id and row.target in names - {target}}
    return [*here, *sorted(there)]


def _facts(backup_id: str) -> Backup | None:
    rows = BackupCopy.objects.filter(backup_id=backup_id).defer("written")
    return next((found for row in rows if (found := stored_facts.of_row(row)) is not None), None)


def _of_the_last_one(
    configuration: Configuration, facts: Backup | None, backup_id: str, target: str, rows: Sequence[BackupCopy]
) -> list[RemovalRefused]:
    refusals: list[RemovalRefused] = []
    if _is_newest(configuration, facts, backup_id, rows):
        refusals.append(BackupIsNewest())
    if facts is not None and facts.pinned:
        refusals.append(BackupPinned())
    if (facts is None or facts.is_holder) and not _is_released(configuration, backup_id):
        refusals.append(BackupHeld() if facts else CopyMayBeOnly(backup_id=backup_id, target=target))
    return refusals


def _is_newest(configuration: Configuration, facts: Backup | None, backup_id: str, rows: Sequence[BackupCopy]) -> bool:
    """Whether no other backup that counts, here or at a target, is newer. One dated in the future is newer than none;
    of which no time is known, its id is the time."""
    now = timezone.now()
    here = retention_facts.read(configuration=configuration).backups
    known = (*here, *(found for row in rows if (found := stored_facts.of_row(row)) is not None))
    others = [one for one in known if one.backup_id != backup_id and one.counts(now=now)]
    if not others:
        return True
    if facts is None:
        return all(one.backup_id < backup_id for one in others)
    return not facts.is_ahead(now=now) and all(newest_first(one) < newest_first(facts) for one in others)


def _is_released(configuration: Configuration, backup_id: str) -> bool:
    """Whether an admin released it after its folder was gone here."""
    try:
        return is_signed(listing.get_run(configuration=configuration, backup_id=backup_id).released)
    except BackupNotFound:
        return False


def _remember_removed(asked: CopyRequest, backup_id: str, target: str) -> None:
    """Without a row a copy would be made again at once."""
    mine = BackupCopy.objects.filter(backup_id=backup_id, target=target)
    if mine.update(state=State.REMOVED, written=[], manifest=""):
        return
    BackupCopy.objects.create(
        backup_id=backup_id, target=target, state=State.REMOVED, created_at=asked.now,
        recipients=copy_rows.joined(asked.configuration.copy_recipients),
    )  # fmt: skip
