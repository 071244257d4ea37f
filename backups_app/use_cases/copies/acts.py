"""What people ask for: copy now, prepare a directory, test a target, remove one copy by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backups_app.access import audit
from backups_app.backup_files import layout
from backups_app.configuration import Configuration
from backups_app.copying import removal
from backups_app.errors import BackupNeeded, CopyNotFound, RemovalNotConfirmed, TempleOpsError
from backups_app.models import BackupCopy
from backups_app.records import Origin
from backups_app.storage import copy_reading, copy_rows, targets
from backups_app.storage.copy_rows import State
from backups_app.storage.target import StorageTarget
from backups_app.use_cases import confirmation
from backups_app.use_cases.copies import overview, places, work
from backups_app.use_cases.copies.overview import Copy
from backups_app.use_cases.readiness import readiness

REQUESTED, PREPARED, REMOVED = "copy.requested", "target.prepared", "copy.removed"


@dataclass(frozen=True, kw_only=True)
class Asked:
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


def copy_soon(asked: Asked, *, backup_id: str = "", target: str = "") -> list[Copy]:
    """Let the worker copy one backup, or every one that is lacking, to one target or to all: at once, whatever the
    pause after a failure. Return what is known of these copies.

    Raise `ModeNotLocal`, `BackupNotFound`, `TargetNotFound`, `RecordsUnavailable`.
    """
    names = _names(asked.configuration, target)
    lane = work.look(configuration=asked.configuration)
    asked.put_on_record(REQUESTED, backup_id, "accepted", targets=names)
    for name in names:
        for one in [backup_id] if backup_id else work.lacking(lane, name):
            work.ask_for(lane, backup_id=one, target=name, now=asked.now)
    found = overview.copies(configuration=asked.configuration, backup_id=backup_id)
    return [copy for copy in found if copy.target in names]


def copy_now(asked: Asked, *, backup_id: str = "", target: str = "") -> list[Copy]:
    """Copy one backup, or every one that is lacking, in this process. Return these copies; what failed says why.
    Raises as `copy_soon`."""
    names = _names(asked.configuration, target)
    lane = work.look(configuration=asked.configuration)
    asked.put_on_record(REQUESTED, backup_id, "accepted", targets=names)
    wanted = [(one, name) for name in names for one in ([backup_id] if backup_id else work.lacking(lane, name))]
    for one, name in wanted:
        work.copy_one(configuration=asked.configuration, backup_id=one, target=name)
    present = copy_rows.joined(asked.configuration.copy_recipients)
    found = overview.copies(configuration=asked.configuration, backup_id=backup_id)
    return [copy for copy in found if (copy.backup_id, copy.target) in wanted and " ".join(copy.recipients) == present]


def _names(configuration: Configuration, target: str) -> list[str]:
    readiness.require_local(configuration)
    if target:
        return [places.settings_of(configuration, target).name]
    return [one.name for one in configuration.targets]


def prepare(asked: Asked, *, target: str) -> None:
    """Make a directory a target, once; of a bucket see that it answers. Raise `TargetNotFound`, `TargetNotEmpty` and
    other kinds of `TargetFailed`."""
    readiness.require_local(asked.configuration)
    settings = places.settings_of(asked.configuration, target)
    asked.put_on_record(PREPARED, target, audit.STARTED)
    if settings.is_directory:
        targets.directory(settings).prepare(database=asked.configuration.database_name)
    else:
        targets.open_target(settings).check()
    asked.put_on_record(PREPARED, target, "done")


def test(*, configuration: Configuration, target: str) -> TempleOpsError | None:
    """Ask a target whether it can be used. Return the failure that says why not. Raise `TargetNotFound`."""
    readiness.require_local(configuration)
    opened = places.open_target(configuration, target)
    try:
        opened.check()
    except TempleOpsError as error:
        return error
    return None


def remove(asked: Asked, *, backup_id: str, target: str, typed: str) -> None:
    """Remove the copy of one backup from one target, for good. `typed` is its id, typed again. It is not copied there
    again by itself.

    Raise `RemovalNotConfirmed`, `TargetNotFound`, `CopyNotFound`, `BackupNeeded` where an incremental there begins from
    it, `TargetDenied` and other kinds of `TargetFailed`.
    """
    readiness.require_local(asked.configuration)
    layout.check_id(backup_id)
    opened = places.open_target(asked.configuration, target)
    confirmation.require(backup_id, typed=typed, refusal=RemovalNotConfirmed())
    rows = list(copy_rows.of_target(target).filter(backup_id=backup_id))
    found = list(copy_reading.find(opened, only=backup_id))
    if not found and not any(row.state == State.COMPLETE for row in rows):
        raise CopyNotFound(target=target, backup_id=backup_id)
    if _is_needed(opened, target, backup_id):
        raise BackupNeeded()
    asked.put_on_record(REMOVED, backup_id, audit.STARTED, target=target)
    for one in found:
        names = [stored.name for stored in one.manifest.objects] if one.manifest is not None else []
        removal.remove(opened, [one.object_name, *names], manifest=one.object_name)
    for row in rows:
        removal.remove(opened, [entry["name"] for entry in row.written], manifest=row.manifest)
    BackupCopy.objects.filter(backup_id=backup_id, target=target).update(state=State.REMOVED, written=[], manifest="")
    if not rows:
        _remember_removed(asked, backup_id, target)
    asked.put_on_record(REMOVED, backup_id, "done", target=target)


def _is_needed(opened: StorageTarget, target: str, backup_id: str) -> bool:
    rows = copy_rows.of_target(target).filter(state=State.COMPLETE)
    if any(row.backup.get("base") == backup_id for row in rows.defer("written")):
        return True
    others = (one.manifest for one in copy_reading.find(opened) if one.backup_id != backup_id)
    return any(manifest is not None and manifest.base == backup_id for manifest in others)


def _remember_removed(asked: Asked, backup_id: str, target: str) -> None:
    """A copy that we did not make has no row: without one it would be made at once."""
    BackupCopy.objects.create(
        backup_id=backup_id, target=target, state=State.REMOVED, created_at=asked.now,
        recipients=copy_rows.joined(asked.configuration.copy_recipients),
    )  # fmt: skip
