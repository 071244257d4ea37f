"""Settings that every host of a site has alike. Each host's worker writes down its own, so that another host is named:
with another SECRET_KEY people are signed out by every second answer, and no single host is wrong by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from backups_app.access.trail import audit_chain
from backups_app.configuration import Configuration
from backups_app.models import WorkerTick
from backups_app.records import recent

TRUSTED_FOR = timedelta(minutes=10)
MARK_LENGTH = 12


def of_this_host(configuration: Configuration) -> dict[str, str]:
    """Return the settings by name. A key is shown by its mark, which distinguishes two keys and reveals neither."""
    mark = hashlib.sha256(b"templeops secret key" + settings.SECRET_KEY.encode()).hexdigest()[:MARK_LENGTH]
    return {
        "DATABASE_NAME": configuration.database_name,
        "PRIMARY_DATABASE": configuration.primary_database,
        "SECRET_KEY": mark,
        "AUDIT_KEY": audit_chain.key_id(),
        "TIME_ZONE": settings.TIME_ZONE,
    }


def others(*, configuration: Configuration, now: datetime) -> Iterator[tuple[str, list[str]]]:
    """Yield each host whose worker looked a moment ago with another value, and the names of these settings. This host
    is among them: its worker may not have been started again since, or may be that of another site."""
    mine = of_this_host(configuration)
    for row in WorkerTick.objects.filter(**recent(within=TRUSTED_FOR, now=now)).order_by("host"):
        theirs = row.alike or {}
        differing = [name for name, value in mine.items() if theirs.get(name, value) != value]
        if differing:
            yield row.host, differing


def of_other_temples(*, configuration: Configuration, now: datetime) -> list[str]:
    """Return the hosts whose workers look at these schedules for another database: another temple's site was given this
    Django database. Ask before this worker notes its own look."""
    return [host for host, names in others(configuration=configuration, now=now) if "DATABASE_NAME" in names]
