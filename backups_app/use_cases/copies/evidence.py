"""What the assurance knows of copies elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils import timezone

from backups_app.assurance.evidence import Away, Copies
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.messages.message import as_message
from backups_app.runs.closing import holding
from backups_app.runs.copies import elsewhere
from backups_app.storage import counted, key_proofs, target_looks
from backups_app.storage.target_looks import Failing
from backups_app.use_cases.copies import notices
from backups_app.use_cases.retention import facts


def copies(
    *, configuration: Configuration, every: Sequence[RunRecord], good: RunRecord | None, now: datetime | None = None
) -> Copies | None:
    """Return what is known; None where no target is configured. `every` are all runs, the newest first, `good` is the
    newest verified backup. Of targets only directories are looked at."""
    if not configuration.targets:
        return None
    now = now or timezone.now()
    silent = target_looks.distrusted(configuration.targets, now=now)
    recorded = counted.by_target(
        targets=[target.name for target in configuration.targets], recipients=configuration.copy_recipients
    )
    trusted = elsewhere.trusted_targets(configuration, now=now)
    there = {name: ids for name, ids in recorded.items() if name in trusted}
    newest = [name for name, ids in sorted(there.items()) if good is not None and _is_at(good, ids)]
    holders = [run for run in every if _is_somewhere(run) and not run.released and facts.holds_something(run)]
    uncopied = [run for run in holders if not any(_is_at(run, ids) for ids in there.values())]
    recipients = configuration.copy_recipients
    return Copies(
        target=newest[0] if newest else "",
        newest_is_copied=bool(newest),
        uncopied_documents=sum(sum((holding.holds_alone(run) or {}).values()) for run in uncopied),
        holders_are_copied=not uncopied,
        uncopied_on=hosts_of(uncopied),
        opened=not recipients or key_proofs.opened_at(recipients) is not None,
        since=_newest_copied_at(every, there.values(), good=good),
        only_on_this_computer=not any(elsewhere.is_elsewhere(configuration, one) for one in configuration.targets),
        away=next((_away(one) for name, one in silent.items() if name in recorded), None),
        unread=_unread(configuration, now=now),
    )


def hosts_of(runs: Sequence[RunRecord]) -> tuple[str, ...]:
    """Return the hosts in whose folders these backups are; none where all are in that of this one."""
    away = any(run.files == Files.ELSEWHERE for run in runs)
    return tuple(sorted({run.host or "?" for run in runs})) if away else ()


def _away(failing: Failing) -> Away:
    return Away(target=failing.target, since=failing.since, reason=as_message(failing.failure.detail))


def _unread(configuration: Configuration, *, now: datetime) -> Away | None:
    """Return what could not be read back for the longest time, and so takes copies away that counted."""
    names = {target.name for target in configuration.targets}
    found = [row for row in counted.unread_copies(now=now).values() if row.target in names and row.elsewhere]
    row = min(found, key=lambda one: one.unread_since or now, default=None)
    if row is None:
        return None
    reason = as_message(notices.unread_failure_of(row).detail)
    return Away(target=row.target, since=min(row.unread_since or now, now), reason=reason)


def _newest_copied_at(
    every: Sequence[RunRecord], there: Iterable[set[str]], *, good: RunRecord | None
) -> datetime | None:
    """Return when the newest backup that has a copy was made. One dated after `good` is dated in the future."""
    targets = list(there)
    dated = [run for run in every if good is not None and run.created_at <= good.created_at]
    verified = (run for run in dated if run.verified and (run.published or run.files == Files.ELSEWHERE))
    return next((run.created_at for run in verified if any(_is_at(run, ids) for ids in targets)), None)


def _is_somewhere(run: RunRecord) -> bool:
    """Whether a backup is in this folder or, as far as its record says, in that of another host."""
    return run.published or (run.files == Files.ELSEWHERE and not run.removed)


def _is_at(run: RunRecord, ids: set[str]) -> bool:
    return counted.is_whole(backup_id=run.id, base=run.incremental.base, ids=ids)
