"""What retention decides, as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from backups_app.messages.protection import retention as messages
from backups_app.retention.decision import DecidedBackup, RetentionDecision
from backups_app.use_cases.retention.simulation import Simulation


def simulation_lines(simulated: Simulation) -> Iterator[str]:
    """Yield the rules, how far the history reaches, and each decision with its reasons."""
    rules = ", ".join(f"{name} {count}" for name, count in simulated.policy.as_json().items())
    yield f"Rules: {rules}."
    if simulated.history_shrinks:
        yield f"The history shrinks from {_days(simulated.reach_now)} to {_days(simulated.shortest)}."
    later = simulated.in_30_days
    if simulated.counts_later:
        yield f"In 30 days, if the schedules go on: {later.backups} kept, {_days(later.reach)} of history."
    else:
        yield "What is kept in 30 days is not calculated: a schedule makes more than 3,000 backups until then."
    if not simulated.complete:
        yield "The local MongoDB does not answer, so this is what the folders alone say, and nothing is removed now."
    yield from decision_lines(simulated.decision, dry_run=True)


def decision_lines(decision: RetentionDecision, *, dry_run: bool) -> Iterator[str]:
    """Yield how many are kept and removed, and of each why, newest first."""
    verb = "would be removed" if dry_run else "removed (in the trash for a day)"
    yield f"{len(decision.kept)} kept, {len(decision.removed)} {verb}."
    for word, group in (("keep", decision.kept), ("remove", decision.removed)):
        for one in group:
            yield _line(word, one)


def _line(word: str, one: DecidedBackup) -> str:
    return f"{one.backup.backup_id:<18}  {word:<6}  {'; '.join(str(messages.reason(code)) for code in one.reasons)}"


def _days(reach: timedelta) -> str:
    return "less than a day" if reach < timedelta(days=1) else f"{reach.days} day{'' if reach.days == 1 else 's'}"
