"""What the worker's copying lane does: it copies what each target lacks, holders first, until nothing is due."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from backups_app.backup_files import bases, metadata
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.copying import heartbeat, plan
from backups_app.copying.plan import Candidate
from backups_app.copying.send import CopySource, Sender
from backups_app.errors import BackupNotFound, TargetMoved, TempleOpsError
from backups_app.models import BackupCopy
from backups_app.retention.facts import Backup
from backups_app.runs import ownership, preparation
from backups_app.runs.copies import elsewhere
from backups_app.storage import copy_rows, site_ids, target_looks, target_places
from backups_app.storage.copy_rows import Claim, Overtaken, State
from backups_app.use_cases import site_content
from backups_app.use_cases.copies import clear_copies, looking, notices, places, stored_facts
from backups_app.use_cases.retention import facts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CopyWork:
    """One look at what is here. `backups` are the verified ones whose run has ended; `checked` are the targets where
    readable copies may go."""

    configuration: Configuration
    backups: Sequence[Backup]
    report: Callable[[int], None] = lambda _: None
    checked: set[str] = field(default_factory=set)

    def of(self, backup_id: str) -> Backup:
        """Return what is known of a backup that is here and verified. Raise `BackupNotFound`."""
        found = next((one for one in self.backups if one.backup_id == backup_id), None)
        if found is None:
            raise BackupNotFound()
        return found


def open_lane(*, configuration: Configuration, report: Callable[[int], None] = lambda _: None) -> CopyWork:
    """Look at the backups that are here. `report` is called with the bytes that are sent."""
    found = facts.read(configuration=configuration)
    ended = [one for one in found.backups if one.verified and not found.documents[one.backup_id].in_progress]
    return CopyWork(configuration=configuration, backups=ended, report=report)


def has_work(*, configuration: Configuration, now: datetime) -> bool:
    """Return whether a target lacks a backup that may be copied now."""
    if not configuration.is_local or not configuration.targets:
        return False
    return next(_due(open_lane(configuration=configuration), now=now), None) is not None


def copy_what_is_lacking(*, configuration: Configuration, report: Callable[[int], None] = lambda _: None) -> int:
    """Copy until nothing is due. Return how many copies were completed. What fails is noted in its row and waits for
    its next try; what is new meanwhile is copied too."""
    if not configuration.is_local:
        return 0
    looking.look_where_moved(configuration=configuration, now=timezone.now())
    completed, checked = 0, set[str]()
    while True:
        lane = replace(open_lane(configuration=configuration, report=report), checked=checked)
        row = next((row for row in _due(lane, now=timezone.now()) if _try(lane, row)), None)
        if row is None:
            return completed
        completed += row.state == State.COMPLETE


def copy_one(*, configuration: Configuration, backup_id: str, target: str) -> BackupCopy:
    """Copy one backup to one target now. Return its row; what went wrong stands there. Raise `BackupNotFound`,
    `TargetNotFound`, and `Overtaken` where another process is copying it."""
    looking.look_where_moved(configuration=configuration, now=timezone.now())
    lane = open_lane(configuration=configuration)
    row = ask_for(lane, backup_id=backup_id, target=target, now=timezone.now())
    if row.state != State.COMPLETE and not _try(lane, row):
        raise Overtaken
    row.refresh_from_db()
    return row


def ask_for(lane: CopyWork, *, backup_id: str, target: str, now: datetime) -> BackupCopy:
    """Return the row of a copy that somebody wants, due at once. Raise `BackupNotFound`, `TargetNotFound`."""
    configuration = lane.configuration
    settings = places.settings_of(configuration, target)
    return copy_rows.ask(
        backup_id=backup_id,
        target=target,
        recipients=configuration.copy_recipients,
        elsewhere=elsewhere.is_elsewhere(configuration, settings),
        facts=stored_facts.as_stored(lane.of(backup_id)),
        now=now,
    )


def _due(lane: CopyWork, *, now: datetime) -> Iterator[BackupCopy]:
    """Yield the rows that may be worked on now, in the order of the work."""
    for backup_id, target in lacking_at(lane, [one.name for one in lane.configuration.targets]):
        row = ask_for_row(lane, backup_id=backup_id, target=target, now=now)
        if row.next_attempt_at is None or row.next_attempt_at <= now:
            yield row


def ask_for_row(lane: CopyWork, *, backup_id: str, target: str, now: datetime) -> BackupCopy:
    """Return the row of a copy that is lacking; one that failed keeps the moment of its next try."""
    recipients = copy_rows.joined(lane.configuration.copy_recipients)
    row = BackupCopy.objects.filter(backup_id=backup_id, target=target, recipients=recipients).first()
    return row or ask_for(lane, backup_id=backup_id, target=target, now=now)


def lacking_at(lane: CopyWork, targets: Sequence[str]) -> list[tuple[str, str]]:
    """Return backup and target of each copy that is lacking at these targets, in the order in which they are made."""
    return plan.over_targets({name: lacking(lane, name) for name in targets}, candidates=_candidates(lane))


def _candidates(lane: CopyWork) -> list[Candidate]:
    return [
        Candidate(backup_id=one.backup_id, taken_at=one.taken_at, base=one.base, is_holder=one.is_holder)
        for one in lane.backups
    ]


def lacking(lane: CopyWork, target: str) -> list[str]:
    """Return the ids of the backups that a target lacks, in the order in which they are copied."""
    rows = BackupCopy.objects.filter(target=target).filter(Q(state=State.COMPLETE) | Q(state=State.REMOVED))
    copied: dict[str, set[str]] = {}
    for row in rows.defer("written"):
        copied.setdefault(row.backup_id, set()).add(row.recipients)
    return plan.lacking(
        candidates=_candidates(lane),
        copied_to={backup_id: frozenset(found) for backup_id, found in copied.items()},
        removed=[row.backup_id for row in rows if row.state == State.REMOVED],
        recipients=copy_rows.joined(lane.configuration.copy_recipients),
    )


def _try(lane: CopyWork, row: BackupCopy) -> bool:
    """Make one copy, or note why not. Return False where another process has it."""
    worker = ownership.this_process().as_document()
    claim = copy_rows.claim(row, worker=worker, is_gone=ownership.is_gone, now=timezone.now())
    if claim is None:
        return False
    try:
        try:
            with heartbeat.kept_up(claim, clock=timezone.now):
                _send(lane, claim)
        except TempleOpsError as error:
            logger.warning(
                "A copy was not made", extra={"backup_id": row.backup_id, "target": row.target, "code": error.code}
            )
            claim.failed(error, now=timezone.now())
    except Overtaken:
        logger.info("Another process goes on with a copy", extra={"backup_id": row.backup_id, "target": row.target})
        return False
    row.refresh_from_db()
    if row.state == State.COMPLETE:
        target_looks.copied(row.target)
    notices.looked(configuration=lane.configuration, now=timezone.now())
    return True


def _send(lane: CopyWork, claim: Claim) -> None:
    configuration, row = lane.configuration, claim.row
    store = preparation.store(configuration)
    target = places.open_target(configuration, row.target)
    if row.target not in lane.checked:
        clear_copies.require_meant(configuration, target)
        lane.checked.add(row.target)
    claim.at(_place(configuration, row))
    site_id = site_ids.made(store_id=store.store_id(), now=timezone.now())
    with bases.reading(store.root, row.backup_id):
        Sender(
            claim=claim,
            target=target,
            source=_source(configuration, row.backup_id),
            recipients=configuration.copy_recipients,
            clock=timezone.now,
            site=site_content.made(configuration=configuration, site_id=site_id, now=timezone.now()),
            site_id=site_id,
            report=lane.report,
        ).send()


def _place(configuration: Configuration, row: BackupCopy) -> str:
    """Return the mark of the place to which a copy goes. What was begun at another one is no part of it: raise
    `TargetMoved`; the next look forgets it."""
    place = target_places.mark_of(places.settings_of(configuration, row.target))
    if target_places.is_other(row.place, place):
        raise TargetMoved(target=row.target)
    return place or row.place


def _source(configuration: Configuration, backup_id: str) -> CopySource:
    store = preparation.store(configuration)
    folder = store.folder(backup_id)
    written = metadata.read_plain(folder) or {}
    return CopySource(
        backup_id=backup_id,
        folder=folder,
        manifest=preparation.manifest_of(store, backup_id=backup_id),
        metadata=written,
        base=RunRecord(written).incremental.base,
    )
