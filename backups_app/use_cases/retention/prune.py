"""A pass of retention: what the policy in force does not keep, and no guard keeps, goes into the trash."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from pymongo.errors import PyMongoError

from backups_app import configuration as settings
from backups_app.backup_files.store import removals
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupInUse,
    BackupNeeded,
    BackupPinned,
    ClocksApart,
    NewestDamaged,
    NothingToRelyOn,
    OwnershipLost,
    RetentionFailed,
    RunWaits,
    StoreMissing,
    StoreOfAnotherDatabase,
    TempleOpsError,
)
from backups_app.messages.protection import notifications as messages
from backups_app.progress import Silent
from backups_app.records import Origin, RunKind, Status
from backups_app.retention.decision import DecidedBackup, RetentionDecision
from backups_app.retention.facts import Backup
from backups_app.retention.guards import HOLDER_DAMAGED, SHRUNK, Guards
from backups_app.retention.policy import Policy
from backups_app.runs import preparation
from backups_app.runs.closing import closing
from backups_app.use_cases import notices, verification
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.retention import facts, policy, simulation, taking_out
from backups_app.use_cases.retention.facts import Facts
from backups_app.use_cases.retention.taking_out import RemovalRequest, RemovalWork

logger = logging.getLogger(__name__)

ACTOR = "retention"
"""Who acts after a run: nobody asked for it but the policy."""
READ_AGAIN_EVERY = timedelta(days=1)
LOOK_EVERY_SECONDS = 5.0
STOPPED = (ClocksApart, NewestDamaged, NothingToRelyOn, StoreMissing, StoreOfAnotherDatabase)
"""What keeps a pass from removing anything until somebody does something."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What a pass decided, and which backups it moved into the trash. `decision` is None while retention is off.
    `left`: what it would have removed and somebody used or pinned in that moment, and the bases of such."""

    decision: RetentionDecision | None
    removed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def prune(
    *, configuration: Configuration, requested_by: str, origin: Origin, now: datetime, dry_run: bool = False
) -> Pass:
    """Apply the policy in force now; with `dry_run` only say what it would do. While retention is off, nothing.

    Before anything is removed the newest verified full backup is read again in full, at most once a day. Raise
    `NewestDamaged`, `NothingToRelyOn`, `RunWaits`, and what `taking_out.at_work` raises.
    """
    readiness.require_local(configuration)
    rules = policy.current()
    if rules is None:
        return Pass(decision=None)
    if dry_run:
        found = facts.read(configuration=configuration)
        return Pass(decision=simulation.decide(found, policy=rules, configuration=configuration, now=now))
    asked = RemovalRequest(by=requested_by, origin=origin, now=now)
    try:
        with taking_out.at_work(configuration) as work:
            found, decision = _decide(work, rules, now)
            if decision.removed and _read_again(work, found, asked=asked):
                found, decision = _decide(work, rules, now)
            stopped = _stopped(simulation.guards(found, configuration, now), decision)
            done = _remove(work, decision, asked=asked) if decision.removed else Pass(decision=decision)
    except STOPPED as error:
        notices.retention_looked(configuration=configuration, stopped={error.code: error.detail}, now=now)
        raise
    notices.retention_looked(configuration=configuration, stopped=stopped, now=now)
    return done


def after_run(*, backup_id: str) -> None:
    """Apply the policy after a run that made a backup. What goes wrong here is a warning of that run, by name: its
    backup is as good as before."""
    configuration, now = settings.current(), timezone.now()
    try:
        database = preparation.answering_database(configuration)
        document = runs.get(database, backup_id=backup_id)
        if document is None or not _made_a_good_backup(document):
            return
        prune(configuration=configuration, requested_by=ACTOR, origin=Origin(document.origin), now=now)
    except TempleOpsError as error:
        _warn(configuration, backup_id, RetentionFailed(reason=error.detail))
    except (PyMongoError, OSError, ValueError) as error:
        logger.exception("Retention failed", extra={"backup_id": backup_id})
        _warn(configuration, backup_id, RetentionFailed(reason=TempleOpsError.sentence), cause=error)


def _made_a_good_backup(document: RunRecord) -> bool:
    return document.kind == RunKind.BACKUP and document.status in (Status.SUCCESS, Status.PARTIAL)


def _decide(work: RemovalWork, rules: Policy, now: datetime) -> tuple[Facts, RetentionDecision]:
    found = facts.read(configuration=work.configuration, seconds=facts.PATIENT_SECONDS)
    work.require_complete(found)
    return found, simulation.decide(found, policy=rules, configuration=work.configuration, now=now)


def _read_again(work: RemovalWork, found: Facts, *, asked: RemovalRequest) -> bool:
    """Read the newest full backup again where that was not done today. Return whether it was read: then the facts may
    be others. Raise `NewestDamaged`, `NothingToRelyOn`."""
    newest = simulation.guards(found, work.configuration, asked.now).newest_full
    if newest is None:
        raise NothingToRelyOn()
    if _was_read_today(found.documents[newest.backup_id], now=asked.now):
        return False
    verdict = verification.verify_backup(
        configuration=work.configuration,
        backup_id=newest.backup_id,
        requested_by=asked.by,
        origin=Origin(asked.origin),
        now=asked.now,
        progress=_WhileNobodyWaits(work),
    )
    if not verdict["verified"]:
        raise NewestDamaged(backup_id=newest.backup_id)
    return True


def _was_read_today(document: RunRecord, *, now: datetime) -> bool:
    at = document.verification.at
    return at is not None and document.verification.problem is None and timedelta(0) <= now - at < READ_AGAIN_EVERY


def _stopped(guards: Guards, decision: RetentionDecision) -> dict[str, str]:
    """Return by code the guards that alone keep a backup, and that an admin can lift: each with what it waits for."""
    alone = {code for one in decision.kept if set(one.reasons) <= {SHRUNK, HOLDER_DAMAGED} for code in one.reasons}
    found: dict[str, str] = {}
    if SHRUNK in alone and (last := guards.last_shrinkage):
        found[SHRUNK] = messages.RETENTION_SHRUNK(
            collection=last.collection, before=last.before, after=last.after, backup_id=last.backup_id
        )
    if HOLDER_DAMAGED in alone and guards.last_damaged:
        found[HOLDER_DAMAGED] = messages.RETENTION_HOLDER(backup_id=guards.last_damaged[1])
    return found


def _remove(work: RemovalWork, decision: RetentionDecision, *, asked: RemovalRequest) -> Pass:
    """Move into the trash what the decision does not keep: incrementals before full backups, the oldest first. What
    somebody began to read or pinned meanwhile stays, and so does its base; a run that waits ends the pass. What went is
    announced."""
    removed: list[str] = []
    left: list[str] = []
    try:
        for one in _in_order(decision):
            if runs.active(work.database) is not None:
                raise RunWaits()
            try:
                _take_out(work, one, asked=asked)
            except (BackupInUse, BackupNeeded, BackupPinned):
                left.append(one.backup.backup_id)
            else:
                removed.append(one.backup.backup_id)
    finally:
        notices.backups_removed(configuration=work.configuration, removed=removed, now=asked.now)
    return Pass(decision=decision, removed=tuple(removed), left=tuple(left))


def _in_order(decision: RetentionDecision) -> list[DecidedBackup]:
    """Wherever a pass ends, each incremental that is left still has its base."""
    oldest_first = decision.removed[::-1]
    return sorted(oldest_first, key=lambda one: one.backup.is_full)


def _take_out(work: RemovalWork, one: DecidedBackup, *, asked: RemovalRequest) -> None:
    backup: Backup = one.backup
    work.take_out(backup, asked=asked, how=removals.RETENTION, reasons=one.reasons)


class _WhileNobodyWaits(Silent):
    """Keeps the lease while a backup is read again. Raise `RunWaits` as soon as a run was asked for."""

    def __init__(self, work: RemovalWork) -> None:
        self._work = work
        self._looked_at = time.monotonic()

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self.checkpoint()

    def checkpoint(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_EVERY_SECONDS:
            return
        self._looked_at = time.monotonic()
        if not self._work.renew():
            raise OwnershipLost()
        if runs.active(self._work.database) is not None:
            raise RunWaits()


def _warn(
    configuration: Configuration, backup_id: str, warning: RetentionFailed, cause: Exception | None = None
) -> None:
    """Add the warning to the run, in its record and beside its backup."""
    logger.warning("Retention failed", extra={"backup_id": backup_id, "reason": warning.detail})
    try:
        database = preparation.answering_database(configuration)
        document = runs.get(database, backup_id=backup_id)
        if document is None:
            return
        warned = {"warnings": [*document.warnings, warning.detail]}
        document.apply(warned)
        runs.amend(database, backup_id=backup_id, changes=warned)
        closing.mirror(preparation.store(configuration), document=document)
    except (PyMongoError, TempleOpsError, OSError):
        logger.exception("The warning could not be written", extra={"backup_id": backup_id})
