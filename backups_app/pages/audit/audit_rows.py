"""One row of the audit trail as a page shows it: the role, how long it took, the numbers, where to read on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse

from backups_app.access.trail import audit
from backups_app.messages import stored
from backups_app.models import AuditEvent
from backups_app.pages.shared.shell import role_name

OPENINGS = ("accepted", audit.STARTED)
RUNS = ("backup", "purge", "restore", "test_copy", "rehearsal")
"""Families of actions whose target is a run; `restore.preview` is the one that is about a backup and no run."""
SIDES = {"purge.remote": "Atlas", "purge.local": "local"}


@dataclass(frozen=True, kw_only=True)
class Purged:
    """What a purge did to one collection on one side; of the documents in the backup of its run, `before` were there,
    and `after` still are: those that changed and were `kept`, and those that could not be deleted. Both are None where
    it stopped half-way: it has not looked at the rest."""

    name: str
    before: int | None
    deleted: int
    kept: int
    after: int | None


@dataclass(frozen=True, kw_only=True)
class ShownAuditRow:
    """`seconds` is None for what has no duration; `deleted` is what a run deleted on each side, as sentences; `error`
    is English, as recorded."""

    event: AuditEvent
    role: str
    seconds: float | None
    side: str
    counts: list[Purged]
    deleted: list[tuple[str, list[str]]]
    error: str
    run_url: str
    sync_url: str
    details: str
    folded: tuple[ShownAuditRow, ...] = ()
    """The other entries of the same run on this page, newest first."""


def rows_of(events: list[AuditEvent]) -> list[ShownAuditRow]:
    """Return the rows of a page, in the same order."""
    openings = _openings(events)
    return [_row(event, openings) for event in events]


def folded(rows: list[ShownAuditRow]) -> list[ShownAuditRow]:
    """Return the rows with the entries of one run under its newest one."""
    by_run: dict[str, list[ShownAuditRow]] = {}
    for row in rows:
        of_one = row.run_url or (row.sync_url if row.event.action == "sync" else "")
        by_run.setdefault(of_one or f"entry {row.event.n}", []).append(row)
    return [replace(newest, folded=tuple(others)) for newest, *others in by_run.values()]


def _row(event: AuditEvent, openings: Mapping[str, list[AuditEvent]]) -> ShownAuditRow:
    details = stored.restored(event.details) if isinstance(event.details, dict) else {}
    return ShownAuditRow(
        event=event,
        role=role_name(event.role_id) if event.role_id is not None else "",
        seconds=_seconds(event, openings.get(event.target, [])),
        side=SIDES.get(event.action, ""),
        counts=_purged(details.get("counts")) if event.action in SIDES else [],
        deleted=_deleted(details),
        error=details.get("error_message") or details.get("problem") or "",
        run_url=_run_url(event),
        sync_url=reverse("pages:sync_log", args=[event.target]) if _has_sync_log(event) else "",
        details=json.dumps(event.details, ensure_ascii=False, indent=2) if event.details else "",
    )


def _is_end(event: AuditEvent) -> bool:
    return event.result not in OPENINGS and (event.action.endswith(".finished") or event.action in _PAIRED)


_PAIRED = (*SIDES, "sync", "conflict.put_back", "backup.verified")


def _openings(events: Iterable[AuditEvent]) -> dict[str, list[AuditEvent]]:
    """Return, by target, what began: to the ends on this page, oldest first."""
    targets = {event.target for event in events if _is_end(event) and event.target}
    found: dict[str, list[AuditEvent]] = {}
    if targets:
        for event in AuditEvent.objects.filter(target__in=targets, result__in=OPENINGS).order_by("n"):
            found.setdefault(event.target, []).append(event)
    return found


def _seconds(event: AuditEvent, openings: Iterable[AuditEvent]) -> float | None:
    """How long it took: since the last beginning of the same thing before it. Resuming a run begins it again."""
    if not _is_end(event):
        return None
    family = event.action.split(".")[0]
    alike = {event.action} if event.action in _PAIRED else {f"{family}.requested", "backup.resume"}
    began = [one.at for one in openings if one.n < event.n and one.action in alike]
    return (event.at - began[-1]).total_seconds() if began else None


def _purged(counts: Any) -> list[Purged]:
    found = counts.items() if isinstance(counts, dict) else ()
    return [_one_purged(str(name), entry) for name, entry in found if isinstance(entry, dict)]


def _one_purged(name: str, entry: Mapping[str, Any]) -> Purged:
    deleted, kept, left, twice = (int(entry.get(one) or 0) for one in ("deleted", "kept_changed", "left", "twice"))
    after = kept + left + twice
    known = bool(entry.get("done")) or left > 0
    return Purged(
        name=name, deleted=deleted, kept=kept, before=deleted + after if known else None, after=after if known else None
    )


def _deleted(details: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    sides = (("Atlas", details.get("deleted_remote")), ("local", details.get("deleted_local")))
    return [(side, list(message)) for side, message in sides if isinstance(message, list) and message]


def _run_url(event: AuditEvent) -> str:
    is_run = event.action.split(".")[0] in RUNS and event.action not in ("restore.preview", "test_copy.remove")
    return reverse("pages:run", args=[event.target]) if is_run and event.target else ""


def _has_sync_log(event: AuditEvent) -> bool:
    return bool(event.target) and event.action in ("sync", "backup.finished")
