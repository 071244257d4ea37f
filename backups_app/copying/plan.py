"""Which backups a target lacks, and in which order they are copied. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A verified backup that is kept here. `base` is the full backup that an incremental begins from."""

    backup_id: str
    taken_at: datetime
    base: str | None = None
    is_holder: bool = False


def lacking(
    *,
    candidates: Sequence[Candidate],
    copied_to: Mapping[str, frozenset[str]],
    removed: Iterable[str],
    recipients: str,
) -> list[str]:
    """Return the ids of the backups to copy to one target, in order: holders first, then the newest first, each after
    its base.

    `copied_to` gives the recipients of the complete copies that are there, by backup; `removed` are those that were
    taken out of the target on purpose. After a change of the recipients full backups and holders are copied again.
    """
    gone = set(removed)
    wanted = {
        one.backup_id: one
        for one in candidates
        if one.backup_id not in gone and _is_wanted(one, copied_to.get(one.backup_id, frozenset()), recipients)
    }
    return _in_order(list(wanted.values()))


def over_targets(plans: Mapping[str, Sequence[str]], *, candidates: Sequence[Candidate]) -> list[tuple[str, str]]:
    """Given what each target lacks, in its order, return backup and target in the order of the work: each backup to
    every target before the next one, so that no holder waits behind the backlog of another target; last what is no
    candidate any more."""
    place = {one: number for number, one in enumerate(_in_order(candidates))}
    pairs = [(backup_id, target) for target, plan in plans.items() for backup_id in plan]
    return sorted(pairs, key=lambda pair: place.get(pair[0], len(place)))  # stable


def _in_order(candidates: Sequence[Candidate]) -> list[str]:
    known = {one.backup_id for one in candidates}
    order: dict[str, None] = {}
    for one in sorted(candidates, key=lambda one: (one.is_holder, one.taken_at, one.backup_id), reverse=True):
        if one.base is not None and one.base in known:
            order.setdefault(one.base)
        order.setdefault(one.backup_id)
    return list(order)


def _is_wanted(candidate: Candidate, present: frozenset[str], recipients: str) -> bool:
    if recipients in present:
        return False
    return not present or candidate.base is None or candidate.is_holder
