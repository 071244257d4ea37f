"""The system status card: verdict, three badges, six facts. Shown at once as last known, then looked at anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from backups_app import configuration
from backups_app.configuration import Configuration
from backups_app.pages import run_words
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest
from backups_app.pages.wording import ago
from backups_app.workflow import status
from backups_app.workflow.status import SystemStatus, Verdict

KNOWN_FOR = timedelta(seconds=60)

LOOKS = {
    Verdict.OFF: ("info", "info"),
    Verdict.NOT_PROTECTED: ("bad", "shield-x"),
    Verdict.NEEDS_ATTENTION: ("warn", "triangle-alert"),
    Verdict.RUNNING: ("info", "loader-circle"),
    Verdict.PROTECTED: ("", "shield-check"),
}


@dataclass(frozen=True, kw_only=True)
class StatusCard:
    """What the card shows. `sentence` stands in bold, `explanation` under it."""

    system: SystemStatus
    tone: str
    icon: str
    sentence: str
    explanation: str
    database: str

    @property
    def for_technician(self) -> str:
        """What somebody with a terminal can do where no run may start; empty otherwise."""
        return self.system.hint if self.system.refusals else ""

    @property
    def disk_used_percent(self) -> int:
        total, free = self.system.disk_total_bytes, self.system.disk_free_bytes
        return round(100 * (total - free) / total) if total and free is not None else 0

    @property
    def disk_used_bytes(self) -> int | None:
        total, free = self.system.disk_total_bytes, self.system.disk_free_bytes
        return total - free if total is not None and free is not None else None

    @property
    def room_for(self) -> int | None:
        """For how many backups like the last one there is room."""
        size = (self.system.last_backup or {}).get("bytes")
        free = self.system.disk_free_bytes
        return free // size if size and free is not None else None


_known: dict[Configuration, SystemStatus] = {}
_lock = Lock()


def current(*, now: datetime) -> StatusCard:
    """Return the card as last known to this process, or look when that is too long ago."""
    known = _known.get(configuration.current())
    if known is not None and now - known.checked_at < KNOWN_FOR:
        return _card(known)
    return look(now=now)


def look(*, now: datetime) -> StatusCard:
    """Look at everything now, and remember it."""
    settings = configuration.current()
    found = status.status(configuration=settings, now=now)
    with _lock:
        _known.clear()
        _known[settings] = found
    return _card(found)


def forget() -> None:
    """Something was done that changes the status: the next page looks anew."""
    with _lock:
        _known.clear()


@require_GET
@admin_page(polled=True)
def fragment(request: AdminRequest) -> HttpResponse:
    """The card, looked at now."""
    return render(request, "backups/_status.html", {"card": look(now=timezone.now())})


def _card(found: SystemStatus) -> StatusCard:
    tone, icon = LOOKS[found.verdict]
    return StatusCard(
        system=found,
        tone=tone,
        icon=icon,
        sentence=_sentence(found),
        explanation=_explanation(found),
        database=configuration.current().database_name,
    )


def _sentence(found: SystemStatus) -> str:
    """The verdict in the person's language; what names a particular failure stays as the workflow said it."""
    if found.verdict is Verdict.PROTECTED:
        return _("Your data is protected")
    if found.verdict is Verdict.RUNNING:
        return _("A backup is running")
    if found.verdict is Verdict.NOT_PROTECTED and found.last_backup is None and not found.refusals:
        return _("Not protected: no backup yet")
    return run_words.in_two(found.sentence)[0]


def _explanation(found: SystemStatus) -> str:
    if found.verdict in (Verdict.PROTECTED, Verdict.RUNNING) and found.last_backup is not None:
        return _("The last backup finished %(ago)s and its %(n)s collections were verified.") % {
            "ago": ago(found.last_backup.get("finished_at") or found.last_backup["created_at"]),
            "n": len(found.last_backup.get("collections_backed_up") or []),
        }
    if found.verdict is Verdict.NOT_PROTECTED and found.last_backup is None and not found.refusals:
        return _("Your first backup takes about a minute. Use the green button below.")
    rest = run_words.in_two(found.sentence)[1]
    return rest if found.refusals else " ".join(filter(None, [rest, found.hint]))
