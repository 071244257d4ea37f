"""What is done at targets besides copying: copies are read back, old ones removed by the rules, left-overs cleared."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from backups_app.access import audit
from backups_app.configuration import Configuration
from backups_app.copying import proof, removal
from backups_app.copying.proof import Doubt
from backups_app.errors import TempleOpsError
from backups_app.models import BackupCopy
from backups_app.retention import decision
from backups_app.retention.facts import Backup
from backups_app.runs import preparation
from backups_app.storage import copy_rows, key_proofs
from backups_app.storage.copy_rows import State, Written
from backups_app.use_cases.copies import acts, notices, places, stored_facts
from backups_app.use_cases.retention import policy

logger = logging.getLogger(__name__)

READ_AGAIN = timedelta(days=7)
EARLY = timedelta(hours=12)
"""A weekly schedule does not come to the second."""
LEFT_FOR = timedelta(days=1)
BY = "retention"


def read_back_what_is_due(*, configuration: Configuration, now: datetime) -> list[BackupCopy]:
    """Read every holder and the newest backup of each target whole, where that was not done for a week. Return the
    rows that were read; one that is damaged is copied again."""
    due = [row for target in configuration.targets for row in _to_read(target.name, now=now)]
    for row in due:
        try:
            read_back(configuration=configuration, row=row)
        except TempleOpsError as error:
            logger.warning("A copy was not read back", extra={"target": row.target, "code": error.code})
        row.refresh_from_db()
    if due:
        notices.looked(configuration=configuration, now=timezone.now())
    return due


def _to_read(target: str, *, now: datetime) -> Iterator[BackupCopy]:
    rows = list(copy_rows.of_target(target).filter(state=State.COMPLETE))
    newest = max((row.backup_id for row in rows), default="")
    for row in rows:
        facts = stored_facts.of_row(row)
        matters = row.backup_id == newest or facts is None or facts.is_holder
        if matters and (row.read_back_at is None or now - row.read_back_at > READ_AGAIN - EARLY):
            yield row


def read_back(*, configuration: Configuration, row: BackupCopy) -> list[Doubt]:
    """Read a whole copy and compare sizes and hashes. What is missing or differs is written again under a new name, and
    until then the copy does not count. Raise other kinds of `TargetFailed`: then nothing is known, and nothing changes.
    """
    written = [Written(**entry) for entry in row.written]
    parts = removal.parts(written, manifest=row.manifest)
    doubts = proof.doubts(places.open_target(configuration, row.target), [one.stored for one in parts])
    changes: dict[str, Any] = {"read_back_at": timezone.now()}
    if doubts:
        gone = {one.name for one in doubts}
        again = [replace(one, proven=False) if one.name in gone else one for one in written]
        failure = doubts[0].failure
        changes = {
            "state": State.FAILED, "error_code": failure.code, "error_facts": copy_rows.shown(failure),
            "written": [one.__dict__ for one in again], "attempts": notices.TRIES_BEFORE, "next_attempt_at": None,
        }  # fmt: skip
        logger.error("A copy is damaged", extra={"backup_id": row.backup_id, "target": row.target})
    BackupCopy.objects.filter(pk=row.pk, fence=row.fence).update(**changes)
    return doubts


def clear(*, configuration: Configuration, now: datetime) -> None:
    """At each target remove what the rules no longer keep, copies whose keys were replaced, and what broken attempts
    left a day ago. Without the right to delete the rows say so, and nothing else happens."""
    if not configuration.is_local:
        return
    for target in configuration.targets:
        rows = [row for row in copy_rows.of_target(target.name).filter(state=State.COMPLETE) if _may_try(row, now)]
        for row, names in [*_expired(configuration, rows, now), *_superseded(configuration, rows), *_left(rows, now)]:
            _remove(configuration, row, names, now=now)


def _may_try(row: BackupCopy, now: datetime) -> bool:
    return row.next_attempt_at is None or row.next_attempt_at <= now


def _expired(
    configuration: Configuration, rows: list[BackupCopy], now: datetime
) -> Iterator[tuple[BackupCopy, list[str]]]:
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
    if store.store_id() is None:  # the disk is not mounted: nobody can tell what is here
        return
    going = {one.backup.backup_id for one in decided.removed} - set(store.backups().ids)
    for row in rows:
        if row.pk in known and row.backup_id in going:
            yield row, [entry["name"] for entry in row.written]


def _superseded(configuration: Configuration, rows: list[BackupCopy]) -> Iterator[tuple[BackupCopy, list[str]]]:
    """Yield copies made to other recipients, once the same backup is there for the present ones and their key opened
    one."""
    present = copy_rows.joined(configuration.copy_recipients)
    if present and key_proofs.opened_at(configuration.copy_recipients) is None:
        return
    current = {row.backup_id for row in rows if row.recipients == present}
    for row in rows:
        if row.recipients != present and row.backup_id in current:
            yield row, [entry["name"] for entry in row.written]


def _left(rows: list[BackupCopy], now: datetime) -> Iterator[tuple[BackupCopy, list[str]]]:
    for row in rows:
        left = removal.left_over([Written(**entry) for entry in row.written], manifest=row.manifest)
        if left and row.copied_at is not None and now - row.copied_at > LEFT_FOR:
            yield row, left


def _remove(configuration: Configuration, row: BackupCopy, names: list[str], *, now: datetime) -> None:
    whole = row.manifest in names
    try:
        if whole:
            _put_on_record(row, audit.STARTED, now=now)
        removal.remove(places.open_target(configuration, row.target), names, manifest=row.manifest)
    except TempleOpsError as error:
        logger.warning("What is old could not be removed", extra={"target": row.target, "code": error.code})
        BackupCopy.objects.filter(pk=row.pk, fence=row.fence).update(
            error_code=error.code, error_facts=copy_rows.shown(error), next_attempt_at=now + LEFT_FOR
        )
        return
    kept = [entry for entry in row.written if entry["name"] not in names]
    mine = BackupCopy.objects.filter(pk=row.pk, fence=row.fence)
    if not whole:
        mine.update(written=kept, error_code="", error_facts={})
        return
    superseded = row.recipients != copy_rows.joined(configuration.copy_recipients)
    mine.delete() if superseded else mine.update(state=State.REMOVED, written=[], manifest="")
    _put_on_record(row, "done", now=now)


def _put_on_record(row: BackupCopy, result: str, *, now: datetime) -> None:
    audit.record(
        actor=BY, origin="schedule", action=acts.REMOVED, target=row.backup_id, result=result, now=now,
        details={"target": row.target},
    )  # fmt: skip
