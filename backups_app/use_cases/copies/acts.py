"""What people ask for: copy now, prepare a directory, test a target, forget what lies at a former place of one.
Removing: `removing.py`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from backups_app.access.trail import audit
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupNotFound,
    CopiesMayBeOnly,
    NoTarget,
    TargetFailed,
    TargetNotFound,
    TempleOpsError,
)
from backups_app.models import BackupCopy
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.storage import copy_rows, target_looks, target_places, targets
from backups_app.storage.copy_rows import Overtaken, State
from backups_app.use_cases.copies import looking, overview, places, work
from backups_app.use_cases.copies.overview import Copy
from backups_app.use_cases.readiness import readiness

REQUESTED, PREPARED, REMOVED, FORGOTTEN = "copy.requested", "target.prepared", "copy.removed", "copy.forgotten"


@dataclass(frozen=True, kw_only=True)
class CopyRequest:
    """Who wants it, from where, and when."""

    configuration: Configuration
    requested_by: str
    origin: Origin
    now: datetime

    def put_on_record(self, action: str, about: str, result: str, **details: Any) -> None:
        """Write a row of the audit trail. Raise `RecordsUnavailable`."""
        audit.record(
            actor=self.requested_by, origin=self.origin, action=action, target=about, result=result, now=self.now,
            details=details,
        )  # fmt: skip


def copy_soon(asked: CopyRequest, *, backup_id: str = "", target: str = "") -> list[Copy]:
    """Let the worker copy one backup, or every one that is lacking, to one target or to all: at once, whatever the
    pause after a failure. Return what is known of these copies.

    Raise `ModeNotLocal`, `BackupNotFound`, `NoTarget`, `TargetNotFound`, `RecordsUnavailable`.
    """
    names = _names(asked, backup_id, target)
    lane = work.open_lane(configuration=asked.configuration)
    asked.put_on_record(REQUESTED, backup_id, "accepted", targets=names)
    for name in names:
        target_looks.wanted(name, now=asked.now)
        for one in [backup_id] if backup_id else work.lacking(lane, name):
            work.ask_for(lane, backup_id=one, target=name, now=asked.now)
    found = overview.copies(configuration=asked.configuration, backup_id=backup_id)
    return [copy for copy in found if copy.target in names]


def copy_now(asked: CopyRequest, *, backup_id: str = "", target: str = "") -> list[Copy]:
    """Look at the targets, then copy one backup, or every one that is lacking, in this process. Return these copies;
    what failed says why. One that another process is copying is left to it, and is in the state `copying`. Raises as
    `copy_soon`, and the failure of a target that could not be looked at where no copy says so."""
    names = _names(asked, backup_id, target)
    silent = {
        name: failure
        for name in names
        if (failure := looking.compare(configuration=asked.configuration, target=name, now=asked.now)) is not None
    }
    lane = work.open_lane(configuration=asked.configuration)
    asked.put_on_record(REQUESTED, backup_id, "accepted", targets=names)
    wanted = [(backup_id, name) for name in names] if backup_id else work.lacking_at(lane, names)
    for one, name in wanted:
        with suppress(Overtaken, *([] if backup_id else [BackupNotFound])):  # retention may remove one meanwhile
            work.copy_one(configuration=asked.configuration, backup_id=one, target=name)
    present = copy_rows.joined(asked.configuration.copy_recipients)
    found = overview.copies(configuration=asked.configuration, backup_id=backup_id)
    made = [copy for copy in found if (copy.backup_id, copy.target) in wanted and " ".join(copy.recipients) == present]
    for failure in (
        failure for name, failure in silent.items() if all(one.is_complete for one in made if one.target == name)
    ):
        raise failure
    return made


def _names(asked: CopyRequest, backup_id: str, target: str) -> list[str]:
    """Return the targets that are meant. What names none is refused, and on record as refused."""
    configuration = asked.configuration
    readiness.require_local(configuration)
    try:
        if target:
            return [places.settings_of(configuration, target).name]
        if not configuration.targets:
            raise NoTarget()
    except TargetFailed as error:
        asked.put_on_record(REQUESTED, backup_id, "refused", code=error.code)
        raise
    return [one.name for one in configuration.targets]


def prepare(asked: CopyRequest, *, target: str) -> None:
    """Make a directory a target, once; of a bucket see that it answers. What fails is on record by its code. Raise
    `TargetNotFound`, `TargetNotEmpty` and other kinds of `TargetFailed`."""
    readiness.require_local(asked.configuration)
    settings = places.settings_of(asked.configuration, target)
    asked.put_on_record(PREPARED, target, audit.STARTED)
    try:
        if settings.is_directory:
            targets.directory(settings).prepare(database=asked.configuration.database_name)
        else:
            targets.open_target(settings).check()
    except TempleOpsError as error:
        asked.put_on_record(PREPARED, target, error.code)
        raise
    target_looks.copied(target)
    asked.put_on_record(PREPARED, target, "done")


def test(*, configuration: Configuration, target: str) -> TempleOpsError | None:
    """Ask a target whether it can be used. Return the failure that says why not. What a directory holds is compared
    with the rows at once; what a bucket holds, the worker compares soon. Raise `TargetNotFound`."""
    readiness.require_local(configuration)
    now = timezone.now()
    settings = places.settings_of(configuration, target)
    if settings.is_directory:
        return looking.compare(configuration=configuration, target=target, now=now)
    try:
        places.open_target(configuration, target).check()
    except TempleOpsError as error:
        target_looks.failed(target, error, now=now, place=target_places.mark_of(settings))
        return error
    target_looks.answered(target, now=now, compared=False, place=target_places.mark_of(settings))
    return None


@dataclass(frozen=True, kw_only=True)
class FormerPlace:
    """A former place, `NAME@mark`, and how many copies the records name there."""

    name: str
    copies: int

    @property
    def target(self) -> str:
        """The name in `BACKUP_TARGETS` that stands for another place now."""
        return target_places.name_of(self.name)


def former_places(targets: Iterable[str]) -> list[FormerPlace]:
    """Given the target of each copy, return the former places among them."""
    names = [name for name in targets if target_places.is_former(name)]
    return [FormerPlace(name=name, copies=names.count(name)) for name in sorted(set(names))]


def forget(asked: CopyRequest, *, place: str) -> int:
    """Forget every copy at a former place. Only our records go, nothing there is changed: with the former address the
    copies would be unknown, and could be taken in. Return how many they were.

    Raise `ModeNotLocal`, `TargetNotFound` for what is no former place of the records, `CopiesMayBeOnly` where a backup
    is in no other known place: nothing is forgotten then.
    """
    readiness.require_local(asked.configuration)
    rows = BackupCopy.objects.filter(target=place)
    ids = set(rows.exclude(state=State.REMOVED).values_list("backup_id", flat=True))
    if not (target_places.is_former(place) and ids):
        raise TargetNotFound(target=place)
    alone = ids - _known_elsewhere(asked.configuration, ids)
    if alone:
        asked.put_on_record(FORGOTTEN, place, CopiesMayBeOnly.code)
        raise CopiesMayBeOnly(target=place, backups=sorted(alone))
    asked.put_on_record(FORGOTTEN, place, "done", copies=len(ids))
    rows.delete()
    return len(ids)


def _known_elsewhere(configuration: Configuration, ids: set[str]) -> set[str]:
    """Return those that are in the folder of this computer or complete at a target of the settings."""
    names = [one.name for one in configuration.targets]
    complete = BackupCopy.objects.filter(target__in=names, state=State.COMPLETE, backup_id__in=ids)
    return ids & {*preparation.store(configuration).backups().ids, *complete.values_list("backup_id", flat=True)}
