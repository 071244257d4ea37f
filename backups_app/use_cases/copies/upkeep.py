"""What is done at targets besides copying: copies are read back, old ones removed by the rules, left-overs cleared."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial

from django.utils import timezone

from backups_app.access.trail import audit
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.copying import damage, proof, removal
from backups_app.copying.proof import Doubt
from backups_app.errors import BackupNeeded, RunCancelled, TempleOpsError
from backups_app.models import BackupCopy
from backups_app.progress import Progress, Silent
from backups_app.records import is_recent
from backups_app.retention import decision
from backups_app.retention.facts import Backup, newest_first
from backups_app.runs import preparation
from backups_app.runs.closing import holding
from backups_app.storage import copy_rows, key_proofs
from backups_app.storage.copy_rows import State
from backups_app.storage.target import StorageTarget
from backups_app.use_cases.copies import acts, looking, neighbours, notices, places, stored_facts, work
from backups_app.use_cases.copies.neighbours import Neighbour
from backups_app.use_cases.retention import facts, policy

logger = logging.getLogger(__name__)

READ_AGAIN = timedelta(days=7)
EARLY = timedelta(hours=12)
"""A weekly schedule does not come to the second."""
LEFT_FOR = timedelta(days=1)
BY = "retention"


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """One copy that was to be read back, as its row is now. `failure`: why it could not be read, and nothing is known
    of it; a row of which the target answers otherwise says so too (`unread_since`)."""

    row: BackupCopy
    failure: TempleOpsError | None

    @property
    def is_damaged(self) -> bool:
        return self.row.state == State.FAILED

    @property
    def is_target_away(self) -> bool:
        """Whether its target failed altogether: nothing stands in its row."""
        return self.failure is not None and not self.is_damaged and not self.is_unread

    @property
    def is_unread(self) -> bool:
        """Whether its row says that it cannot be read."""
        return bool(self.row.unread_code)


def read_back_what_is_due(
    *, configuration: Configuration, now: datetime, whatever_the_age: bool = False, progress: Progress | None = None
) -> list[ReadBack]:
    """Read every holder and the newest backup of each target whole, with their bases, where that was not done for a
    week, or `whatever_the_age`; also what could not be read the last time. Return what became of each; one that is
    damaged is copied again. Raise what progress raises."""
    age = timedelta.min if whatever_the_age else READ_AGAIN - EARLY
    in_place = looking.targets_in_place(configuration=configuration, now=now)
    due = [row for target in in_place for row in _to_read(target.name, older_than=age, now=now)]
    answers = lru_cache(partial(looking.answers, configuration))
    found = [_read_and_note(configuration, row, answers, progress or Silent()) for row in due]
    if due:
        notices.looked(configuration=configuration, now=timezone.now())
    return found


def _read_and_note(
    configuration: Configuration, row: BackupCopy, answers: Callable[[str], bool], progress: Progress
) -> ReadBack:
    """Where the whole target fails, the look at it says so; where it answers and lists, the row does."""
    failure = None
    try:
        read_back(configuration=configuration, row=row, progress=progress)
    except RunCancelled:
        raise
    except TempleOpsError as error:
        failure = error
        logger.warning("A copy was not read back", extra={"target": row.target, "code": error.code})
        if answers(row.target):
            copy_rows.note_unread(row, error, now=timezone.now())
    row.refresh_from_db()
    return ReadBack(row=row, failure=failure)


def _to_read(target: str, *, older_than: timedelta, now: datetime) -> Iterator[BackupCopy]:
    rows = list(copy_rows.of_target(target).filter(state=State.COMPLETE))
    needed = _needed(rows, now=now)
    for row in rows:
        is_due = not is_recent(row.read_back_at, within=older_than, now=now)
        if row.unread_since is not None or (row.backup_id in needed and is_due):
            yield row


def _needed(rows: Sequence[BackupCopy], *, now: datetime) -> set[str]:
    """Return the ids of the newest backup and of every holder, with the bases that they begin from. One dated in the
    future is not the newest; of which nothing is known may be a holder."""
    known = {row.pk: stored_facts.of_row(row) for row in rows}
    dated = [one for one in known.values() if one is not None and not one.is_ahead(now=now)]
    newest = max(dated, key=newest_first).backup_id if dated else ""
    matter = [row for row in rows if row.backup_id == newest or (one := known[row.pk]) is None or one.is_holder]
    bases = {base for row in matter if (base := row.backup.get("base")) is not None}
    return {row.backup_id for row in matter} | bases


def read_back(*, configuration: Configuration, row: BackupCopy, progress: Progress | None = None) -> list[Doubt]:
    """Read a whole copy and compare sizes and hashes. What is missing or differs is written again under a new name, and
    until then the copy does not count. Raise other kinds of `TargetFailed`: then nothing is known, and nothing changes.
    """
    written = copy_rows.written_of(row)
    parts = removal.parts(written, manifest=row.manifest)
    checkpoint = (progress or Silent()).checkpoint
    target = places.open_target(configuration, row.target)
    doubts = proof.doubts(target, [one.stored for one in parts], report=lambda _: checkpoint())
    if doubts:
        damage.note(row, doubts)
    else:
        BackupCopy.objects.filter(pk=row.pk, fence=row.fence).update(read_back_at=timezone.now(), **copy_rows.READ_WELL)
    return doubts


@dataclass(frozen=True, kw_only=True)
class _Old:
    """What is to go of one row: its whole copy, or `names` that broken attempts left. `expired`: no other copy of this
    backup is known to stay there."""

    row: BackupCopy
    names: Sequence[str]
    expired: bool = False

    @property
    def is_whole(self) -> bool:
        return self.row.manifest in self.names


def clear(*, configuration: Configuration, now: datetime) -> None:
    """At each target remove what the rules no longer keep, copies whose keys were replaced, and what broken attempts
    left a day ago. What another copy there consists of or begins from stays. Without the right to delete, and beside a
    manifest that cannot be read, the rows say so, and nothing else happens."""
    if not configuration.is_local:
        return
    _learn(configuration)
    for target in looking.targets_in_place(configuration=configuration, now=now):
        rows = [row for row in copy_rows.of_target(target.name).filter(state=State.COMPLETE) if _may_try(row, now)]
        expired = sorted(_expired(configuration, rows, now), key=lambda one: one.row.backup.get("base") is None)
        old = [*expired, *_superseded(configuration, rows), *_left_over(rows, now)]
        if old:
            _remove_old(configuration, target.name, old, now=now)


def _learn(configuration: Configuration) -> None:
    """Write what retention knows now of each backup that is here to the rows of its copies: a pin, or a release, may be
    younger than the copy. A row that knows nothing, and whose backup is not here, stays unknown, and is kept."""
    here = {one.backup_id: one for one in work.open_lane(configuration=configuration).backups}
    for row in BackupCopy.objects.filter(state=State.COMPLETE, backup_id__in=here).defer("written"):
        learned = stored_facts.as_stored(here[row.backup_id])
        if learned != row.backup:
            BackupCopy.objects.filter(pk=row.pk, fence=row.fence).update(backup=learned)


def _may_try(row: BackupCopy, now: datetime) -> bool:
    return row.next_attempt_at is None or row.next_attempt_at <= now


def _expired(configuration: Configuration, rows: list[BackupCopy], now: datetime) -> Iterator[_Old]:
    """Yield the copies of backups that are gone here and that no rule and no guard keeps there. A copy of which nothing
    is known stays."""
    rules = policy.current()
    if rules is None:
        return
    known: dict[int, Backup] = {row.pk: facts for row in rows if (facts := stored_facts.of_row(row)) is not None}
    unique = {facts.backup_id: facts for facts in known.values()}
    decided = decision.decide(
        backups=tuple(unique.values()),
        policy=rules,
        min_keep=configuration.min_keep,
        now=now,
        zone=timezone.get_default_timezone(),
    )
    store = preparation.store(configuration)
    if store.store_id() is None:  # the disk is not mounted: nobody can know what is here
        return
    kept = _kept_by_records(configuration)
    if kept is None:  # another host may still have it, or somebody pinned it
        return
    going = {one.backup.backup_id for one in decided.removed} - set(store.backups().ids) - kept
    for row in rows:
        if row.pk in known and row.backup_id in going:
            yield _Old(row=row, names=[entry["name"] for entry in row.written], expired=True)


def _kept_by_records(configuration: Configuration) -> set[str] | None:
    """Return the backups without a folder here that lie in that of another host, or whose record says that they are
    pinned or hold deleted documents; None where the records cannot be read."""
    found = facts.read(configuration=configuration)
    if not found.complete:
        return None
    elsewhere = {run.id for run in found.without_folder if run.files == Files.ELSEWHERE and not run.removed}
    return elsewhere | {run.id for run in found.without_folder if run.pinned or _is_held(run)}


def _is_held(run: RunRecord) -> bool:
    return not facts.is_signed(run.released) and sum((holding.holds_alone(run) or {}).values()) > 0


def _superseded(configuration: Configuration, rows: list[BackupCopy]) -> Iterator[_Old]:
    """Yield copies made to other recipients, once the same backup is there for the present ones and their key opened
    one."""
    present = copy_rows.joined(configuration.copy_recipients)
    if present and key_proofs.opened_at(configuration.copy_recipients) is None:
        return
    current = {row.backup_id for row in rows if row.recipients == present}
    for row in rows:
        if row.recipients != present and row.backup_id in current:
            yield _Old(row=row, names=[entry["name"] for entry in row.written])


def _left_over(rows: list[BackupCopy], now: datetime) -> Iterator[_Old]:
    for row in rows:
        left = removal.left_over(copy_rows.written_of(row), manifest=row.manifest)
        if left and row.copied_at is not None and now - row.copied_at > LEFT_FOR:
            yield _Old(row=row, names=left)


def _remove_old(configuration: Configuration, target: str, old: Sequence[_Old], *, now: datetime) -> None:
    """Remove what is old at one target, incrementals before their bases."""
    try:
        opened = places.open_target(configuration, target)
        there = neighbours.at(opened)
    except TempleOpsError as error:
        for one in old:
            _note(one.row, error, now=now)
        return
    gone = set[int]()
    for one in old:
        if one.row.pk in gone:
            continue
        staying = neighbours.besides(there, rows=gone | {one.row.pk}, manifests=one.names)
        try:
            _remove(opened, configuration, one, staying, now=now)
        except BackupNeeded:
            logger.info("A base stays", extra={"backup_id": one.row.backup_id, "target": target})
        except TempleOpsError as error:
            _note(one.row, error, now=now)
        else:
            gone |= {one.row.pk} if one.is_whole else set()


def _remove(
    opened: StorageTarget, configuration: Configuration, old: _Old, staying: Sequence[Neighbour], *, now: datetime
) -> None:
    """Remove what belongs to none of the copies that stay, and forget all of it."""
    row = old.row
    neighbours.require_readable(staying, target=row.target)
    if old.expired:
        neighbours.require_no_dependant(staying, backup_id=row.backup_id)
    if old.is_whole:
        _put_on_record(row, audit.STARTED, now=now)
    names = neighbours.free(staying, old.names)
    removal.remove(opened, names)
    mine = BackupCopy.objects.filter(pk=row.pk, fence=row.fence)
    if not old.is_whole:
        left = set(old.names)
        written = [entry for entry in row.written if entry["name"] not in left]
        mine.update(written=written, error_code="", error_facts={})
        return
    superseded = row.recipients != copy_rows.joined(configuration.copy_recipients)
    mine.delete() if superseded else mine.update(state=State.REMOVED, written=[], manifest="")
    _put_on_record(row, "done", now=now, kept_objects=len(old.names) - len(names))


def _note(row: BackupCopy, error: TempleOpsError, *, now: datetime) -> None:
    logger.warning("What is old could not be removed", extra={"target": row.target, "code": error.code})
    BackupCopy.objects.filter(pk=row.pk, fence=row.fence).update(
        error_code=error.code, error_facts=copy_rows.shown(error), next_attempt_at=now + LEFT_FOR
    )


def _put_on_record(row: BackupCopy, result: str, *, now: datetime, **details: int) -> None:
    audit.record(
        actor=BY, origin="schedule", action=acts.REMOVED, target=row.backup_id, result=result, now=now,
        details={"target": row.target, **details},
    )  # fmt: skip
