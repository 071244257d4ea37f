"""What will be kept some days from now, if the schedules go on and nothing else happens. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from backups_app.retention import decision as decisions
from backups_app.retention.facts import Backup, Deletion, LostHolder, Maker, newest_first
from backups_app.retention.policy import Policy

AHEAD = timedelta(days=30)
DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Coming:
    """A scheduled run: it makes a full backup, or an `incremental` where there is a base of the last day."""

    at: datetime
    incremental: bool = False


@dataclass(frozen=True, kw_only=True)
class ComingRuns:
    """The runs of the coming 30 days, oldest first. Where some schedule makes more than can be counted, `is_whole` is
    false, and of each day its last runs are here: enough to know how far back the history reaches."""

    slots: Sequence[Coming] = ()
    is_whole: bool = True


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How many backups there will be at `at`, and how far back the counted ones reach."""

    at: datetime
    backups: int
    reach: timedelta


def forecast(
    *,
    backups: Sequence[Backup],
    slots: Sequence[Coming],
    policy: Policy | None,
    min_keep: int,
    max_chain: int,
    now: datetime,
    zone: tzinfo,
    deletions: Sequence[Deletion] = (),
    lost_holders: Sequence[LostHolder] = (),
) -> Forecast:
    """Return what is kept 30 days after `now`. `slots` are the coming scheduled backups, oldest first; each is taken to
    be good and as large as the newest one. After `max_chain` incrementals comes a full one. Without a policy nothing
    goes.

    A pass follows each run. Here there is one a day, after the last run of the day: the rules keep the same.
    """
    at = now + AHEAD
    here = list(backups)
    coming = [slot for slot in slots if now < slot.at <= at]
    for day in range(AHEAD.days):
        until = now + (day + 1) * DAY
        made = [slot for slot in coming if now + day * DAY < slot.at <= until]
        for slot in made:
            here.append(_like(here, slot.at) if policy is None else _made(here, slot, max_chain))
        if policy is not None and (made or day == 0):
            decided = decisions.decide(
                backups=here,
                policy=policy,
                min_keep=min_keep,
                now=until,
                zone=zone,
                deletions=deletions,
                lost_holders=lost_holders,
            )
            here = [one.backup for one in decided.kept]
    times = [one.taken_at for one in here if one.counts(now=at)]
    return Forecast(at=at, backups=len(here), reach=max(times) - min(times) if times else timedelta(0))


def _made(backups: Sequence[Backup], slot: Coming, max_chain: int) -> Backup:
    """Return the backup that a run at `slot` will make. Where an incremental has no base it is a full one."""
    like = _like(backups, slot.at)
    if not slot.incremental:
        return like
    full = [one for one in backups if one.is_full and one.maker is Maker.REQUESTED and one.verified]
    base = max(full, key=newest_first, default=None)
    if base is None or not timedelta(0) <= slot.at - base.taken_at < DAY:
        return replace(like, chained=True)
    number = sum(1 for one in backups if one.base == base.backup_id)
    return replace(like, base=base.backup_id) if number < max_chain else replace(like, chained=True)


def _like(backups: Sequence[Backup], slot: datetime) -> Backup:
    """Return the backup that a run at `slot` will make: good, and as large as the newest one that counts."""
    counted = [one for one in backups if one.maker is Maker.REQUESTED and one.verified and one.taken_at <= slot]
    newest = max(counted, key=newest_first, default=None)
    return Backup(
        backup_id=f"{slot:%Y%m%d_%H%M%S}",
        taken_at=slot,
        arrived_at=slot,
        documents=newest.documents if newest else {},
        limited=newest.limited if newest else frozenset(),
    )
