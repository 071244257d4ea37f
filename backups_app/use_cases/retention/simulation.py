"""What a policy would keep and remove now, and why; how far the history reaches before and after. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from backups_app import formats
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.retention import decision as decisions
from backups_app.retention.decision import RetentionDecision
from backups_app.retention.forecast import Coming, ComingRuns, Forecast, forecast
from backups_app.retention.guards import Guards
from backups_app.retention.policy import Policy
from backups_app.retention.shrinkage import Shrinkage
from backups_app.use_cases.retention import facts
from backups_app.use_cases.retention import policy as policies
from backups_app.use_cases.retention.facts import Facts


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """`reach_now` and `reach_then`: from the newest to the oldest backup that counts, before and after. `in_30_days`:
    what is kept then, if the schedules go on; its number is no number where the schedules make more runs than were
    counted (`counts_later` is false). `shrinkages`: what nobody has accepted. `complete` is false where MongoDB
    did not answer: then no pass removes anything."""

    policy: Policy
    decision: RetentionDecision
    reach_now: timedelta
    reach_then: timedelta
    in_30_days: Forecast
    counts_later: bool
    shrinkages: tuple[Shrinkage, ...]
    documents: dict[str, RunRecord]
    complete: bool

    @property
    def history_shrinks(self) -> bool:
        """Whether the history reaches less far back at once, or in 30 days: stated before the policy is saved."""
        return self.shortest < self.reach_now

    @property
    def shortest(self) -> timedelta:
        """How far back the history reaches with these rules: at once or in 30 days, where it is shorter."""
        return min(self.reach_then, self.in_30_days.reach)


def simulate(*, configuration: Configuration, policy: Policy, now: datetime, coming: ComingRuns) -> Simulation:
    """Return what this policy would keep and remove now, and in 30 days if the `coming` runs are made. Works with
    MongoDB down, from the folders alone."""
    found = facts.read(configuration=configuration)
    decision = decide(found, policy=policy, configuration=configuration, now=now)
    return Simulation(
        policy=policy,
        decision=decision,
        reach_now=_reach(found, now=now),
        reach_then=decisions.history(decision),
        in_30_days=ahead(found, policy=policy, slots=coming.slots, configuration=configuration, now=now),
        counts_later=coming.is_whole,
        shrinkages=tuple(guards(found, configuration, now).shrinkages),
        documents=dict(found.documents),
        complete=found.complete,
    )


def with_schedules(
    *, configuration: Configuration, slots: Sequence[Coming], now: datetime
) -> tuple[Forecast, timedelta]:
    """Return what is kept in 30 days with the policy in force if backups are made at `slots`, and how far the history
    reaches now."""
    found = facts.read(configuration=configuration)
    later = ahead(found, policy=policies.current(), slots=slots, configuration=configuration, now=now)
    return later, _reach(found, now=now)


def ahead(
    found: Facts, *, policy: Policy | None, slots: Sequence[Coming], configuration: Configuration, now: datetime
) -> Forecast:
    """Return what is kept in 30 days with these slots; without a policy nothing goes."""
    return forecast(
        backups=found.backups,
        slots=slots,
        policy=policy,
        min_keep=configuration.min_keep,
        max_chain=configuration.incremental_max_chain,
        now=now,
        zone=timezone.get_default_timezone(),
        deletions=found.deletions,
        lost_holders=found.lost_holders,
    )


def decide(found: Facts, *, policy: Policy, configuration: Configuration, now: datetime) -> RetentionDecision:
    """Return what this policy keeps and removes of what was found."""
    return decisions.decide(
        backups=found.backups,
        policy=policy,
        min_keep=configuration.min_keep,
        now=now,
        zone=timezone.get_default_timezone(),
        deletions=found.deletions,
        lost_holders=found.lost_holders,
    )


def guards(found: Facts, configuration: Configuration, now: datetime) -> Guards:
    """Return the guards over what was found."""
    return decisions.guards_over(
        backups=found.backups,
        min_keep=configuration.min_keep,
        now=now,
        deletions=found.deletions,
        lost_holders=found.lost_holders,
    )


def as_json(decision: RetentionDecision) -> dict[str, Any]:
    """Return `{kept: [{backup_id, reasons}], removed: [{backup_id, reasons}]}`, newest first."""
    return {
        name: [{"backup_id": one.backup.backup_id, "reasons": list(one.reasons)} for one in group]
        for name, group in (("kept", decision.kept), ("removed", decision.removed))
    }


def public(simulated: Simulation) -> dict[str, Any]:
    """Return a simulation as the API shows it."""
    return {
        "policy": simulated.policy.as_json(),
        **as_json(simulated.decision),
        "history_days": simulated.reach_now.days,
        "history_days_then": simulated.reach_then.days,
        "in_30_days": {
            "at": formats.utc_seconds(simulated.in_30_days.at),
            "backups": simulated.in_30_days.backups,
            "history_days": simulated.in_30_days.reach.days,
        }
        if simulated.counts_later
        else None,
    }


def _reach(found: Facts, *, now: datetime) -> timedelta:
    times = [one.taken_at for one in found.backups if one.counts(now=now)]
    return max(times) - min(times) if times else timedelta(0)
