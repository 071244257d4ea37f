"""Add, change, pause, resume and remove schedules, and run one now. Each change is in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from backups_app import configuration as settings
from backups_app.access.trail import audit
from backups_app.errors import (
    InvalidInput,
    LateDeletionRefused,
    ScheduleNameInvalid,
    ScheduleNameTaken,
    TempleOpsError,
)
from backups_app.messages import use_cases as messages
from backups_app.models import Schedule, ScheduleSlot
from backups_app.records import Origin
from backups_app.runs.ownership import this_process
from backups_app.schedule import slots
from backups_app.use_cases import confirmation, copy_rehearsals
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.schedules import claims, overview
from backups_app.use_cases.schedules.acts import TempleActs
from backups_app.use_cases.schedules.claims import State
from backups_app.use_cases.schedules.overview import PlannedSchedule, ScheduleWish

LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who asks, from where, when. `confirm` is the phrase that was typed, where bookings will be deleted."""

    by: str
    origin: Origin
    now: datetime
    confirm: str = ""


def add(wish: ScheduleWish, *, who: Who) -> PlannedSchedule:
    """Save a new schedule; its first slot is the next one from now. A restore test from an encrypted copy needs a key
    that the worker can read. Raise `ScheduleNameTaken`, `LateDeletionRefused`, `TargetNotFound`, `KeyMissing`,
    `ConfirmationMissing` and other `InvalidInput`, `ModeNotLocal`."""
    wish = _checked(wish, who=who)
    _require_confirmation(wish, who)
    row = Schedule(since=who.now, settled_at=who.now, created_at=who.now, created_by=who.by, **_fields(wish))
    with transaction.atomic():
        _require_free_name(wish.name)
        _on_record("schedule.add", wish, who=who)
        _save(row)
    return overview.shown_schedule(row, now=who.now, newest_at=None)


def change(name: str, wish: ScheduleWish, *, who: Who) -> PlannedSchedule:
    """Change a schedule. When its times change or it is switched on, earlier slots do not count any more. Raises as
    `add`, and `ScheduleNotFound`."""
    with transaction.atomic():
        row = overview.row_of(name, locked=True)
        wish = _checked(wish, who=who)
        if _needs_confirmation(row, wish):
            _require_confirmation(wish, who)
        _require_free_name(wish.name, but=row)
        before = _fields(overview.shown_schedule(row, now=who.now, newest_at=None).wish)
        starts_over = any(before[field] != getattr(wish, field) for field in ("cron", "time_zone", "do")) or (
            wish.enabled and not row.enabled
        )
        if starts_over:
            row.since = row.settled_at = who.now
            row.waiting = None
        for field, value in _fields(wish).items():
            setattr(row, field, value)
        _on_record("schedule.change", wish, who=who, target=name, before=before)
        _save(row)
    return overview.shown_schedule(row, now=who.now, newest_at=None)


def switch(name: str, *, enabled: bool, who: Who) -> PlannedSchedule:
    """Pause a schedule, or resume it: what was due while it was paused does not count as missed. Raises as `change`."""
    return change(name, replace(overview.get(name, now=who.now).wish, enabled=enabled), who=who)


def remove(name: str, *, who: Who) -> None:
    """Remove a schedule. Its past slots go with it; the audit trail keeps them. Raise `ScheduleNotFound`,
    `ModeNotLocal`."""
    readiness.require_local(settings.current())
    with transaction.atomic():
        row = overview.row_of(name, locked=True)
        wish = overview.shown_schedule(row, now=who.now, newest_at=None).wish
        _on_record("schedule.remove", wish, who=who)
        row.delete()


def run_now(name: str, *, who: Who) -> ScheduleSlot:
    """Start what a schedule does, now, asked for by a person. Return its row: `run` is the run's id, empty for what is
    queued. Raise `ScheduleNotFound`, `ConfirmationMissing`, `RunActive`, and what readiness refuses."""
    configuration = settings.current()
    readiness.require_local(configuration)
    row = overview.row_of(name)
    if row.do == Schedule.Do.BACKUP_AND_DELETE:
        confirmation.require_deletion(who.confirm)
    worker = {**this_process().as_document(), "origin": who.origin.value}
    slot = claims.ask_now(row, by=who.by, now=who.now, worker=worker)
    _on_record("schedule.run_now", overview.shown_schedule(row, now=who.now, newest_at=None).wish, who=who)
    try:
        run = TempleActs(configuration=configuration).start(slot, now=who.now)
    except TempleOpsError as error:
        claims.change(slot, now=timezone.now(), state=State.FAILED, reason=error.code)
        raise
    claims.change(slot, now=timezone.now(), state=State.STARTED, run=run)
    return slot


def needs_confirmation(name: str | None, wish: ScheduleWish) -> bool:
    """Return whether saving this needs the typed phrase and a fresh password: it switches on a run that deletes
    bookings, or changes when it deletes them."""
    row = Schedule.objects.filter(name=name).first() if name else None
    return _needs_confirmation(row, wish)


# ── inside ──────────────────────────────────────────────────────────────────────


def _needs_confirmation(row: Schedule | None, wish: ScheduleWish) -> bool:
    if not (wish.deletes and wish.enabled):
        return False
    zone = wish.time_zone or overview.house_zone()
    same = row is not None and (row.do, row.cron, row.time_zone, row.enabled) == (wish.do, wish.cron, zone, True)
    return not same


def _require_confirmation(wish: ScheduleWish, who: Who) -> None:
    if wish.deletes and wish.enabled:
        confirmation.require_deletion(who.confirm)


def _checked(wish: ScheduleWish, *, who: Who) -> ScheduleWish:
    readiness.require_local(settings.current())
    name = wish.name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name or name in (".", ".."):
        raise ScheduleNameInvalid()
    if wish.do not in Schedule.Do.values:
        raise InvalidInput(message=messages.SCHEDULE_DOES_UNKNOWN())
    if wish.if_missed not in ("", *Schedule.IfMissed.values):
        raise InvalidInput(message=messages.SCHEDULE_MISSED_UNKNOWN())
    if wish.deletes and wish.if_missed == Schedule.IfMissed.RUN:
        raise LateDeletionRefused()
    usual = Schedule.IfMissed.SKIP if wish.deletes else Schedule.IfMissed.RUN
    zone = wish.time_zone or overview.house_zone()
    cron = " ".join(wish.cron.split())
    slots.check(cron, time_zone=zone, now=who.now)
    target = wish.target if wish.do == Schedule.Do.REHEARSE else ""
    if target:
        copy_rehearsals.require_key(settings.current(), target=target)
    return replace(wish, name=name, target=target, time_zone=zone, cron=cron, if_missed=wish.if_missed or usual.value)


def _fields(wish: ScheduleWish) -> dict[str, Any]:
    return {
        "name": wish.name, "do": wish.do, "cron": wish.cron, "time_zone": wish.time_zone,
        "if_missed": wish.if_missed, "enabled": wish.enabled, "target": wish.target,
    }  # fmt: skip


def _require_free_name(name: str, *, but: Schedule | None = None) -> None:
    """Capital letters make no other name: who pauses one would think that the other is paused."""
    others = Schedule.objects.exclude(pk=but.pk) if but else Schedule.objects.all()
    for other in others.values_list("name", flat=True):
        if other.casefold() == name.casefold() and not (but and but.name == name):
            raise ScheduleNameTaken(name=other)


def _save(row: Schedule) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise ScheduleNameTaken(name=row.name) from error


def _on_record(
    action: str, wish: ScheduleWish, *, who: Who, target: str = "", before: Mapping[str, Any] | None = None
) -> None:
    details = {**_fields(wish), **({"before": dict(before)} if before is not None else {})}
    audit.record(
        actor=who.by, origin=who.origin, action=action, target=target or wish.name, result="accepted", now=who.now,
        details=details,
    )  # fmt: skip
