"""Whether targets answer: what the last look at each found, and whether copies there count for now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backups_app import errors
from backups_app.errors import TargetMissing, TargetMoved, TempleOpsError
from backups_app.models import TargetLook
from backups_app.records import is_recent
from backups_app.storage import copy_rows, target_places, targets
from backups_app.target_settings import TargetSettings

TOLERATED = timedelta(days=1)
"""A line may be down for so long before the copies behind it stop to count. A target that is gone, or is another place
now, counts at no time."""


@dataclass(frozen=True, kw_only=True)
class Failing:
    """A target that did not answer when it was last looked at, and since when."""

    target: str
    failure: TempleOpsError
    since: datetime

    def is_trusted(self, *, now: datetime) -> bool:
        """Whether copies there count all the same. Since a moment in the future is since nobody knows when."""
        is_gone = isinstance(self.failure, TargetMissing | TargetMoved)
        return not is_gone and is_recent(self.since, within=TOLERATED, now=now)


def answered(target: str, *, now: datetime, compared: bool, place: str) -> None:
    """Note that a target answered; `compared`: its objects were compared with the rows of copies, else that is due.
    `place` is the mark of the place that was looked at."""
    values: dict[str, Any] = {
        "place": place,
        "looked_at": now,
        "failed_since": None,
        "error_code": "",
        "error_facts": {},
    }
    TargetLook.objects.update_or_create(target=target, defaults={**values, "compared_at": now if compared else None})


def copied(target: str) -> None:
    """Note that something was written there: it answers."""
    TargetLook.objects.filter(target=target, failed_since__isnull=False).update(
        failed_since=None, error_code="", error_facts={}, compared_at=None
    )


def failed(target: str, failure: TempleOpsError, *, now: datetime, place: str) -> None:
    """Note that a target failed; the first failure of a row of them at one place gives the time."""
    look, _ = TargetLook.objects.get_or_create(target=target, defaults={"looked_at": now})
    since = None if target_places.is_other(look.place, place) else look.failed_since
    look.looked_at, look.failed_since, look.place = now, since or now, place or look.place
    look.error_code, look.error_facts = failure.code, copy_rows.shown(failure)
    look.save()


def wanted(target: str, *, now: datetime) -> None:
    """Note that somebody wants a target's objects to be compared soon."""
    TargetLook.objects.update_or_create(
        target=target, defaults={"compared_at": None}, create_defaults={"looked_at": now}
    )


def last(target: str) -> TargetLook | None:
    """Return what the last look found; None where nobody looked."""
    return TargetLook.objects.filter(target=target).first()


def failing(every: Iterable[TargetSettings], *, now: datetime) -> dict[str, Failing]:
    """Return the targets that failed at the last look, by name. A directory is looked at now; nothing else is asked."""
    found: dict[str, Failing] = {}
    if not (targets_asked := list(every)):
        return found
    moved = target_places.moved(targets_asked)
    looks = {look.target: look for look in TargetLook.objects.filter(failed_since__isnull=False)}
    for settings in targets_asked:
        failure = _missing(settings) if settings.is_directory else None
        if failure is None and settings.name in moved:
            failure = TargetMoved(target=settings.name)
        look = looks.get(settings.name)
        since = look.failed_since if look is not None and look.failed_since is not None else now
        if failure is None and look is not None:
            kind = errors.by_code().get(look.error_code, errors.TargetFailed)
            failure = kind(**{"target": settings.name, **look.error_facts})
            if settings.is_directory and isinstance(failure, TargetMissing):
                continue  # it is back
        if failure is not None:
            found[settings.name] = Failing(target=settings.name, failure=failure, since=since)
    return found


def distrusted(every: Iterable[TargetSettings], *, now: datetime) -> dict[str, Failing]:
    """Return the targets whose copies do not count for now, by name."""
    return {name: one for name, one in failing(every, now=now).items() if not one.is_trusted(now=now)}


def _missing(settings: TargetSettings) -> TempleOpsError | None:
    try:
        targets.directory(settings).check()
    except TempleOpsError as failure:
        return failure
    return None
