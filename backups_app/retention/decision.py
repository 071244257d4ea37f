"""Rules, then guards, then what the kept ones need: what is kept and what is removed, each with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from backups_app.retention import policy as rules
from backups_app.retention import shrinkage
from backups_app.retention.facts import Backup, Deletion, LostHolder, Maker, newest_first
from backups_app.retention.guards import NEEDED, SHRUNK, Guards, bases
from backups_app.retention.policy import Policy

UNDO = timedelta(days=30)
"""A safety backup that holds nothing is kept for so long: it is what undoes its restore."""

POLICY = "policy"
NOT_COPIED = "removed_before_copy"
COPY_IS_HERE = "copy_on_this_computer"
TARGET_SILENT = "copy_target_silent"
AHEAD = "dated_in_future"
UNVERIFIED = "unverified"
FOREIGN = "foreign"
FOR_UNDO = "undo"
UNDO_OVER = "undo_over"


@dataclass(frozen=True, kw_only=True)
class DecidedBackup:
    """One backup and the codes of the reasons why it is kept or removed."""

    backup: Backup
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RetentionDecision:
    """What a pass keeps and removes, both newest first."""

    kept: tuple[DecidedBackup, ...]
    removed: tuple[DecidedBackup, ...]


def decide(
    *,
    backups: Sequence[Backup],
    policy: Policy,
    min_keep: int,
    now: datetime,
    zone: tzinfo,
    deletions: Sequence[Deletion] = (),
    lost_holders: Sequence[LostHolder] = (),
) -> RetentionDecision:
    """Decide about every backup of one database.

    1. What a rule keeps is kept, with the rules' names.
    2. What the rules leave alone (foreign, unverified, dated in the future, a safety backup of the last 30 days) is
       kept, with that reason.
    3. What a guard refuses to let go is kept, with the guards' codes; once more for the bases of what was kept then,
       and for the backup that shows the last loss, where the kept ones do not show it.
    4. The rest is removed.
    """
    by_rules = rules.kept_by_rules(backups=backups, policy=policy, now=now, zone=zone)
    guards = _guards(backups, min_keep, now, deletions, lost_holders)
    kept = {}
    for one in backups:
        reasons = [*by_rules.get(one.backup_id, ()), *_outside_rules(one, now), *guards.refusals(one, needed=())]
        if reasons:
            kept[one.backup_id] = reasons
    for base in bases(backups, staying=kept):  # a base is a full backup, so one look is enough
        kept.setdefault(base, []).append(NEEDED)
    staying = [one for one in backups if one.backup_id in kept]
    if witness := _witness(guards, staying, deletions):
        kept.setdefault(witness, []).append(SHRUNK)
    return _decision(backups, kept)


def guards_over(
    *,
    backups: Sequence[Backup],
    min_keep: int,
    now: datetime,
    deletions: Sequence[Deletion] = (),
    lost_holders: Sequence[LostHolder] = (),
) -> Guards:
    """Return the guards over all backups of one database, for the removal of one of them."""
    guards = _guards(backups, min_keep, now, deletions, lost_holders)
    last = guards.last_shrinkage
    others = [one for one in backups if last is not None and one.backup_id != last.backup_id]
    return replace(guards, witness=_witness(guards, others, deletions))


def _guards(
    backups: Sequence[Backup],
    min_keep: int,
    now: datetime,
    deletions: Sequence[Deletion],
    lost_holders: Sequence[LostHolder],
) -> Guards:
    return Guards(
        backups=tuple(backups),
        min_keep=min_keep,
        now=now,
        shrinkages=shrinkage.find(backups=backups, deletions=deletions, now=now),
        lost_holders=lost_holders,
    )


def _witness(guards: Guards, staying: Sequence[Backup], deletions: Sequence[Deletion]) -> str:
    """Return the backup that shows the last shrinkage, where those that stay do not show it: the collection may have
    grown again since, and the next pass would not know of the loss."""
    last = guards.last_shrinkage
    if last is None:
        return ""
    seen = shrinkage.find(backups=staying, deletions=deletions, now=guards.now)
    return "" if any(one.taken_at >= last.taken_at for one in seen) else last.backup_id


def _outside_rules(backup: Backup, now: datetime) -> tuple[str, ...]:
    """Return why the rules leave a backup alone; nothing when they decide about it."""
    reasons = {
        AHEAD: backup.is_ahead(now=now),
        FOREIGN: backup.maker is Maker.FOREIGN,
        UNVERIFIED: not backup.verified,
        FOR_UNDO: backup.maker is Maker.SAFETY and now - backup.arrived_at < UNDO,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def _decision(backups: Sequence[Backup], kept: dict[str, list[str]]) -> RetentionDecision:
    ordered = sorted(backups, key=newest_first, reverse=True)
    return RetentionDecision(
        kept=tuple(
            DecidedBackup(backup=one, reasons=tuple(kept[one.backup_id])) for one in ordered if one.backup_id in kept
        ),
        removed=tuple(
            DecidedBackup(backup=one, reasons=_why_removed(one)) for one in ordered if one.backup_id not in kept
        ),
    )


def _why_removed(backup: Backup) -> tuple[str, ...]:
    first = UNDO_OVER if backup.maker is Maker.SAFETY else POLICY
    if backup.copied:
        return (first,)
    if backup.copied_silent:
        return first, TARGET_SILENT
    return first, COPY_IS_HERE if backup.copied_here else NOT_COPIED


def history(decision: RetentionDecision) -> timedelta:
    """Return how far back the kept backups reach, from the newest to the oldest that counts."""
    times = [one.backup.taken_at for one in decision.kept if one.backup.maker is Maker.REQUESTED]
    return max(times) - min(times) if times else timedelta(0)
