"""Why each backup is kept, for those who look at the list, and what lies in the trash. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from backups_app.backup_files.store import removals, trash
from backups_app.backup_files.store.removals import Removal
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.retention.facts import Backup
from backups_app.retention.shrinkage import Shrinkage
from backups_app.runs import preparation
from backups_app.use_cases.listing import listing
from backups_app.use_cases.retention import facts, policy, simulation
from backups_app.use_cases.retention.facts import Facts


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One backup: the codes of the reasons why it stays, or goes with the next pass (`goes`), and the losses that it
    shows first and nobody accepted."""

    backup: Backup
    reasons: tuple[str, ...] = ()
    goes: bool = False
    shrinkages: tuple[Shrinkage, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeptBackups:
    """`on`: whether retention is on; off, only the guards give reasons. `lost_holders`: ids of runs that held something
    and whose folder is gone. `runs`: all runs as `listing.list_runs` lists them, read once for both."""

    on: bool = False
    backups: Mapping[str, Kept] = field(default_factory=dict)
    lost_holders: frozenset[str] = frozenset()
    runs: tuple[RunRecord, ...] = ()


@dataclass(frozen=True, kw_only=True)
class InTrash:
    """A backup in the trash. `removal` says by whom and why, where `removed.json` can be read."""

    backup_id: str
    removed_at: datetime
    until: datetime
    removal: Removal | None


def kept_backups(*, configuration: Configuration, now: datetime) -> KeptBackups:
    """Return why each backup is kept now. Works with MongoDB down, from the folders alone. Raise
    `RecordsUnavailable`."""
    rules = policy.current()
    found = facts.read(configuration=configuration)
    guards = simulation.guards(found, configuration, now)
    if rules is None:
        reasons = {one.backup_id: (tuple(guards.refusals(one, needed=())), False) for one in found.backups}
    else:
        decision = simulation.decide(found, policy=rules, configuration=configuration, now=now)
        reasons = {one.backup.backup_id: (one.reasons, False) for one in decision.kept}
        reasons |= {one.backup.backup_id: (one.reasons, True) for one in decision.removed}
    return KeptBackups(
        on=rules is not None,
        backups=_kept(found, reasons, guards.shrinkages),
        lost_holders=frozenset(one.backup_id for one in found.lost_holders),
        runs=tuple(listing.newest_first([*found.documents.values(), *found.without_folder])),
    )


def in_trash(*, configuration: Configuration) -> tuple[InTrash, ...]:
    """Return the backups that can be brought back, those removed last at the beginning; none where the folder cannot be
    read."""
    root = preparation.store(configuration).root
    try:
        removed = removals.all_of(root)
        thrown = {one.backup_id: one for one in trash.thrown(root)}
    except TempleOpsError:
        return ()
    return tuple(
        InTrash(backup_id=one.backup_id, removed_at=one.at, until=one.until, removal=removed.get(one.backup_id))
        for one in sorted(thrown.values(), key=lambda one: (one.at, one.name), reverse=True)
    )


def _kept(
    found: Facts, reasons: Mapping[str, tuple[tuple[str, ...], bool]], shrinkages: Sequence[Shrinkage]
) -> dict[str, Kept]:
    return {
        one.backup_id: Kept(
            backup=one,
            reasons=reasons[one.backup_id][0],
            goes=reasons[one.backup_id][1],
            shrinkages=tuple(loss for loss in shrinkages if loss.backup_id == one.backup_id),
        )
        for one in found.backups
    }
