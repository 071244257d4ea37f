"""What the assurance knows of copies elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from backups_app.assurance.evidence import Copies
from backups_app.catalog.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.runs.closing import holding
from backups_app.storage import counted, key_proofs
from backups_app.use_cases.copies import places
from backups_app.use_cases.retention import facts


def copies(*, configuration: Configuration, every: Sequence[RunRecord], good: RunRecord | None) -> Copies | None:
    """Return what is known; None where no target is configured. `every` are all runs, the newest first, `good` is the
    newest verified backup."""
    if not configuration.targets:
        return None
    names = [target.name for target in configuration.targets]
    rows = counted.rows(targets=names, recipients=configuration.copy_recipients)
    there: dict[str, set[str]] = {}
    for row in rows:
        there.setdefault(row.target, set()).add(row.backup_id)
    newest = [name for name in names if good is not None and _is_at(good, there.get(name, set()))]
    holders = [run for run in every if run.published and not run.released and facts.holds_something(run)]
    uncopied = [run for run in holders if not any(_is_at(run, ids) for ids in there.values())]
    recipients = configuration.copy_recipients
    return Copies(
        target=newest[0] if newest else "",
        newest_is_copied=bool(newest),
        uncopied_documents=sum(sum((holding.holds_alone(run) or {}).values()) for run in uncopied),
        holders_are_copied=not uncopied,
        opened=not recipients or key_proofs.opened_at(recipients) is not None,
        since=good.created_at if good is not None and newest else None,
        only_on_this_computer=not any(places.is_elsewhere(configuration, one) for one in configuration.targets),
    )


def _is_at(run: RunRecord, ids: set[str]) -> bool:
    """Whether a backup is at a target together with the full backup that it begins from."""
    base = run.incremental.base
    return run.id in ids and (base is None or base in ids)
