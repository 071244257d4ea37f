"""What will be kept some days from now, if the schedules go on and nothing else happens. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from backups_app.retention import decision as decisions
from backups_app.retention.facts import Backup, Deletion, LostHolder, Maker, newest_first
from backups_app.retention.policy import Policy

AHEAD = timedelta(days=30)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How many backups there will be at `at`, and how far back the counted ones reach."""

    at: datetime
    backups: int
    reach: timedelta


def forecast(
    *,
    backups: Sequence[Backup],
    slots: Sequence[datetime],
    policy: Policy | None,
    min_keep: int,
    now: datetime,
    zone: tzinfo,
    deletions: Sequence[Deletion] = (),
    lost_holders: Sequence[LostHolder] = (),
) -> Forecast:
    """Return what is kept 30 days after `now`. `slots` are the coming times of scheduled backups, oldest first; each is
    taken to make a good backup as large as the newest one. Without a policy nothing goes.

    A pass follows each run. Here there is one a day, after the last run of the day: the rules keep the same.
    """
    at = now + AHEAD
    here = list(backups)
    coming = [slot for slot in slots if now < slot <= at]
    for day in range(AHEAD.days):
        until = now + (day + 1) * DAY
        made = [slot for slot in coming if now + day * DAY < slot <= until]
        here += [_like(here, slot) for slot in made]
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
