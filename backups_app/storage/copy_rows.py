"""The rows of copies: who makes one, what was written so far, what became of it.

Every change of a claimed row carries the fence of its claim. One that another process claimed meanwhile is not ours any
more: `Overtaken`, and we stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from django.db.models import F, QuerySet

from backups_app.errors import TempleOpsError
from backups_app.models import BackupCopy
from backups_app.storage.copy_manifest import Contents, CopiedFile, CopyManifest, StoredObject
from backups_app.storage.copy_reading import FoundCopy

State = BackupCopy.State

SILENT = timedelta(minutes=5)
"""After so long without a sign of life another process may go on with a copy."""
TRIES_BEFORE_A_MESSAGE = 2
"""A line that fails once is tried again before anybody is notified."""
READ_WELL: Mapping[str, Any] = MappingProxyType({"unread_since": None, "unread_code": "", "unread_facts": {}})
"""What a row says once its copy was read back, or is made of other objects."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60))


class Overtaken(Exception):
    """Another process goes on with this copy. This one stops and writes nothing more."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """One attempt to write one object. Without `sha256` nobody knows whether it is there; `proven`: it was looked at
    after it was written. `path` is empty for the manifest."""

    name: str
    path: str
    size_bytes: int = 0
    sha256: str = ""
    clear_bytes: int = 0
    clear_sha256: str = ""
    proven: bool = False

    @property
    def stored(self) -> StoredObject:
        return StoredObject(name=self.name, size_bytes=self.size_bytes, sha256=self.sha256)

    @property
    def copied(self) -> CopiedFile:
        return CopiedFile(path=self.path, object=self.name, size_bytes=self.clear_bytes, sha256=self.clear_sha256)


def written_of(row: BackupCopy) -> list[Written]:
    """Return every attempt that a row holds, in the order in which they began."""
    return [Written(**entry) for entry in row.written]


def joined(recipients: Iterable[str]) -> str:
    """Return a set of recipients as a row holds it."""
    return " ".join(sorted(set(recipients)))


def of_target(target: str) -> QuerySet[BackupCopy]:
    """Return the rows of one target that stand for a copy, made or in the making."""
    return BackupCopy.objects.filter(target=target).exclude(state=State.REMOVED)


def ask(
    *, backup_id: str, target: str, recipients: Iterable[str], elsewhere: bool, facts: Mapping[str, Any], now: datetime
) -> BackupCopy:
    """Return the row of a copy that is to be made. One that is there already stays, and is due at once."""
    row, made = BackupCopy.objects.get_or_create(
        backup_id=backup_id, target=target, recipients=joined(recipients),
        defaults={"created_at": now, "elsewhere": elsewhere, "backup": dict(facts)},
    )  # fmt: skip
    if not made and row.state in (State.FAILED, State.WAITING, State.REMOVED):
        again = {"state": State.WAITING, "next_attempt_at": None, "backup": dict(facts), "elsewhere": elsewhere}
        BackupCopy.objects.filter(pk=row.pk, fence=row.fence).update(**again)
        row.refresh_from_db()
    return row


def claim(
    row: BackupCopy, *, worker: Mapping[str, Any], is_gone: Callable[[Mapping[str, Any]], bool], now: datetime
) -> Claim | None:
    """Claim a row to go on with its copy. Return None where another process has it and lives, or overtook us."""
    if row.state == State.COPYING and not _is_left(row, is_gone=is_gone, now=now):
        return None
    claimed = BackupCopy.objects.filter(pk=row.pk, fence=row.fence, state=row.state).update(
        state=State.COPYING, fence=F("fence") + 1, attempts=F("attempts") + 1, worker=dict(worker), heartbeat_at=now,
        error_code="", error_facts={},
    )  # fmt: skip
    if not claimed:
        return None
    row.refresh_from_db()
    return Claim(row)


def take_in(
    *,
    found: FoundCopy,
    contents: Contents,
    target: str,
    elsewhere: bool,
    place: str,
    now: datetime,
) -> None:
    """Record a copy that a target has and no row knew, once all of its objects were read and compared: it counts from
    now on. The row says which base it begins from, so that this one stays too. One that another process is making, or
    that is complete under another manifest, stays as it is."""
    assert found.manifest is not None and found.stored is not None
    written = [_as_written(found.manifest, one) for one in (*contents.files, *filter(None, [contents.site]))]
    written.append(Written(**vars(found.stored), path="", proven=True))
    row, _ = BackupCopy.objects.get_or_create(
        backup_id=found.backup_id, target=target, recipients=joined(contents.recipients),
        defaults={"created_at": now, "elsewhere": elsewhere},
    )  # fmt: skip
    if row.state == State.COPYING or (row.state == State.COMPLETE and row.manifest != found.object_name):
        return
    BackupCopy.objects.filter(pk=row.pk, fence=row.fence).update(
        state=State.COMPLETE, place=place, manifest=found.object_name, written=[vars(one) for one in written],
        bytes=sum(one.size_bytes for one in written), total_bytes=sum(one.clear_bytes for one in written),
        copied_at=found.manifest.copied_at, read_back_at=now, attempts=0, error_code="", error_facts={},
        next_attempt_at=None, fence=F("fence") + 1, backup={**row.backup, "base": found.manifest.base}, **READ_WELL,
    )  # fmt: skip


def _as_written(manifest: CopyManifest, file: CopiedFile) -> Written:
    return Written(
        **vars(manifest.stored(file.object)),
        path=file.path,
        clear_bytes=file.size_bytes,
        clear_sha256=file.sha256,
        proven=True,
    )


def _is_left(row: BackupCopy, *, is_gone: Callable[[Mapping[str, Any]], bool], now: datetime) -> bool:
    silent = row.heartbeat_at is None or now - row.heartbeat_at > SILENT
    return silent or is_gone(row.worker)


class Claim:
    """The right to go on with one copy. Every method raises `Overtaken` when it is ours no more."""

    def __init__(self, row: BackupCopy) -> None:
        self.row = row
        self.signs = 0
        """How often the work noted something: it grows while the copy moves."""
        self._fence = row.fence
        self._written: dict[str, Written] = {}
        self._plain: dict[str, dict[str, Any]] = {}
        self._parts: dict[str, Written] = {}
        self._proven_bytes = 0
        for one in written_of(row):
            self._note(one)

    @property
    def written(self) -> list[Written]:
        """Every attempt, in the order in which they began."""
        return list(self._written.values())

    @property
    def parts(self) -> Mapping[str, Written]:
        """The proven object of each path, the newest where there are two."""
        return self._parts

    def begin(self, entry: Written) -> None:
        """Note a name before its object is written."""
        self._note(entry)
        self._save(written=list(self._plain.values()))

    def stored(self, entry: Written) -> None:
        """Note size and hash of an object that the target has accepted, and later that it was looked at."""
        self._note(entry)
        self._save(written=list(self._plain.values()), bytes=self._proven_bytes)

    def doubt(self, names: Iterable[str]) -> None:
        """Note that objects are missing or differ: they are written again under new names."""
        gone = set(names)
        every, self._parts, self._proven_bytes = self.written, {}, 0
        for one in every:
            self._note(replace(one, proven=False) if one.name in gone else one)
        self._save(written=list(self._plain.values()))

    def at(self, place: str) -> None:
        """Note at which place the copy is made, by its mark."""
        self._save(place=place)

    def total(self, total_bytes: int) -> None:
        self._save(total_bytes=total_bytes)

    def alive(self, *, sent_bytes: int, now: datetime) -> None:
        """Give a sign of life, and say how much of the present object was sent."""
        self._save(heartbeat_at=now, bytes=self._proven_bytes + sent_bytes)

    def beat(self, *, now: datetime) -> bool:
        """Give a sign of life beside the work, from another thread. Return False where the claim is ours no more."""
        rows = BackupCopy.objects.filter(pk=self.row.pk, fence=self._fence, state=State.COPYING)
        return bool(rows.update(heartbeat_at=now))

    def complete(self, *, manifest: str, stored_bytes: int, read_back: bool, now: datetime) -> None:
        """Note that the copy is whole and counts. `read_back`: all of it was read after it was written. Else it is
        not read yet: an earlier read back was of other objects."""
        self._save(
            state=State.COMPLETE, manifest=manifest, bytes=stored_bytes, copied_at=now, next_attempt_at=None, worker={},
            attempts=0, read_back_at=now if read_back else None, **READ_WELL,
        )  # fmt: skip

    def failed(self, error: TempleOpsError, *, now: datetime) -> None:
        """Note why it failed, and when it is tried again."""
        pause = PAUSES[min(self.row.attempts, len(PAUSES)) - 1]
        self._save(
            state=State.FAILED, error_code=error.code, error_facts=shown(error), next_attempt_at=now + pause, worker={}
        )

    def _note(self, entry: Written) -> None:
        """Keep an attempt in memory, in constant time: a backup may have thousands of files."""
        self._written[entry.name] = entry
        self._plain[entry.name] = vars(entry)
        if entry.proven:
            replaced = self._parts.get(entry.path)
            self._proven_bytes += entry.size_bytes - (replaced.size_bytes if replaced is not None else 0)
            self._parts[entry.path] = entry

    def _save(self, **changes: Any) -> None:
        if not BackupCopy.objects.filter(pk=self.row.pk, fence=self._fence).update(**changes):
            raise Overtaken
        self.signs += 1
        for name, value in changes.items():
            setattr(self.row, name, value)


def note_unread(row: BackupCopy, failure: TempleOpsError, *, now: datetime) -> None:
    """Note that a complete copy could not be read back; the first failure of a row of them gives the time."""
    BackupCopy.objects.filter(pk=row.pk, fence=row.fence, state=State.COMPLETE).update(
        unread_since=row.unread_since or now, unread_code=failure.code, unread_facts=shown(failure)
    )


def shown(error: TempleOpsError) -> dict[str, str]:
    """Return the facts of a failure as a row holds them: those that its sentence and hint show."""
    places = error.declared.places | error.declared_hint.places
    return {name: str(value) for name, value in error.facts.items() if name in places}
