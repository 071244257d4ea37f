"""Moments as people read them at a terminal."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils import timezone

from backups_app.catalog.run.run_record import RunRecord


def moment(document: RunRecord, name: str = "created_at") -> str:
    """Return a moment of a run as people read it: `19 Jan 2025, 14:30 IST`."""
    at = document.get(name)
    if at is None:
        return "-"
    zone = timezone.get_default_timezone()
    assert isinstance(zone, ZoneInfo)
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M} {local.tzname()}"
