"""The status of the system as last known to this process, and whether something was done since."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from backups_app.configuration import Configuration
from backups_app.use_cases.status.status import SystemStatus


@dataclass
class KnownStatus:
    """`out_of_date`: something that changes the status was done since."""

    system: SystemStatus
    out_of_date: bool = False


_known: dict[Configuration, KnownStatus] = {}
_lock = Lock()


def known_status(configuration: Configuration) -> KnownStatus | None:
    """Return the status as last known under these settings, or None."""
    return _known.get(configuration)


def remember(configuration: Configuration, found: SystemStatus) -> None:
    """Keep a status that was found just now, and no other one."""
    with _lock:
        _known.clear()
        _known[configuration] = KnownStatus(found)


def forget() -> None:
    """Something was done that changes the status: the next page checks it again."""
    with _lock:
        for known in _known.values():
            known.out_of_date = True
