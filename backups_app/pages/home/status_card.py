"""The system status card: verdict, three badges, six facts.

A page shows at once what was last known, with its age; the card then looks anew by itself. A look that cannot be
finished leaves the card as it was, and says so.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Lock

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from backups_app import configuration
from backups_app.configuration import Configuration
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest
from backups_app.pages.runs import run_wording
from backups_app.pages.shared.told import tell
from backups_app.pages.shared.wording import ago, when_text
from backups_app.records import RunDocument, Status
from backups_app.use_cases import status, status_of_files
from backups_app.use_cases.status import StatusVerdict, SystemStatus

logger = logging.getLogger(__name__)

KNOWN_FOR = timedelta(seconds=60)
"""Without a script the card does not look by itself: then the page looks when what is known is older."""

LOOKS = {
    StatusVerdict.OFF: ("info", "info"),
    StatusVerdict.NOT_PROTECTED: ("bad", "shield-x"),
    StatusVerdict.NEEDS_ATTENTION: ("warn", "triangle-alert"),
    StatusVerdict.RUNNING: ("info", "loader-circle"),
    StatusVerdict.PROTECTED: ("", "shield-check"),
}


@dataclass(frozen=True, kw_only=True)
class StatusCard:
    """What the card shows. `sentence` stands in bold, `explanation` under it. `system` is None where nothing is known;
    `could_not_check`: it is what was known before."""

    system: SystemStatus | None
    tone: str
    icon: str
    sentence: str
    explanation: str
    database: str
    could_not_check: bool = False

    @property
    def verdict(self) -> str:
        return self.system.verdict.value if self.system else ""

    @property
    def unfinished(self) -> str:
        """The id of the run whose deletion the verdict speaks of; empty where it speaks of something else."""
        run = _whose_deletion(self.system) if self.system else None
        return run["backup_id"] if run else ""

    @property
    def for_technician(self) -> str:
        """What somebody with a terminal can do where no run may start; empty otherwise."""
        return self.system.hint if self.system and self.system.refusals else ""

    @property
    def last_backup(self) -> RunDocument:
        """The newest good backup; empty where there is none."""
        return (self.system.last_backup if self.system else None) or {}

    @property
    def last_proven(self) -> RunDocument | None:
        """The last rehearsal that ended well."""
        return self.system.last_proven if self.system else None

    @property
    def disk(self) -> tuple[int | None, int | None]:
        """Bytes in all and bytes free."""
        return (self.system.disk_total_bytes, self.system.disk_free_bytes) if self.system else (None, None)

    @property
    def disk_used_percent(self) -> int:
        total, free = self.disk
        return round(100 * (total - free) / total) if total and free is not None else 0

    @property
    def disk_used_bytes(self) -> int | None:
        total, free = self.disk
        return total - free if total is not None and free is not None else None

    @property
    def room_for(self) -> int | None:
        """For how many backups like the last one there is room."""
        return status.room_for(backup=self.last_backup, free_bytes=self.disk[1])


@dataclass
class _Known:
    system: SystemStatus
    out_of_date: bool = False


_known: dict[Configuration, _Known] = {}
_lock = Lock()


def current(*, now: datetime, at_most: timedelta | None = None) -> StatusCard:
    """Return the card as last known to this process. Look when nothing is known, when something was done since, or
    when it is older than `at_most`."""
    known = _known.get(configuration.current())
    if known is None or known.out_of_date or (at_most and now - known.system.checked_at > at_most):
        return look(now=now)
    return _card(known.system)


def last_backup(*, now: datetime) -> RunDocument:
    """Return the newest good backup as last known, to reckon with; empty where there is none."""
    return current(now=now).last_backup


def look(*, now: datetime) -> StatusCard:
    """Look at everything now, and remember it. Where that cannot be finished, return what was known, and say so."""
    settings = configuration.current()
    try:
        found = status.status(configuration=settings, now=now)
    except Exception:  # whatever it is: the one card that says whether a temple is protected stays
        logger.exception("The status could not be looked at")
        known = _known.get(settings)
        return replace(_card(known.system) if known else NOTHING_KNOWN, could_not_check=True)
    with _lock:
        _known.clear()
        _known[settings] = _Known(found)
    return _card(found)


def forget() -> None:
    """Something was done that changes the status: the next page looks anew."""
    with _lock:
        for known in _known.values():
            known.out_of_date = True


@require_GET
@admin_page(polled=True)
def fragment(request: AdminRequest) -> HttpResponse:
    """The card, looked at now. It is announced only where it says something else than the card it replaces."""
    card = look(now=timezone.now())
    context = {"card": card, "announce": request.GET.get("said", card.verdict) != card.verdict}
    could = HTTPStatus.SERVICE_UNAVAILABLE if card.could_not_check else HTTPStatus.OK
    return render(request, "home/_status.html", context, status=could)


NOTHING_KNOWN = StatusCard(system=None, tone="warn", icon="shield-alert", sentence="", explanation="", database="")


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
    """The verdict in the person's language; what names a particular failure stays as its record says it."""
    if found.verdict is StatusVerdict.PROTECTED:
        return _("Your data is protected")
    if found.verdict is StatusVerdict.RUNNING:
        return _("A backup is running")
    if _never_backed_up(found):
        return _("Not protected: no backup yet")
    unfinished = _whose_deletion(found)
    if unfinished is not None:
        when = when_text(unfinished["created_at"])
        return _("Needs attention: the deletion of the run of %(when)s is unfinished.") % {"when": when}
    return run_wording.in_two(found.sentence)[0]


def _never_backed_up(found: SystemStatus) -> bool:
    return found.verdict is StatusVerdict.NOT_PROTECTED and found.sentence == status_of_files.NO_BACKUP_YET


def _panel_tells(found: SystemStatus) -> bool:
    """Whether the verdict is about the end of the last run: its panel, above the card, says why and what to do."""
    ended_badly = found.last_run is not None and found.last_run["status"] != Status.SUCCESS
    return found.verdict is StatusVerdict.NEEDS_ATTENTION and ended_badly and found.unfinished is None


def _whose_deletion(found: SystemStatus) -> RunDocument | None:
    return found.unfinished if found.verdict is StatusVerdict.NEEDS_ATTENTION else None


def _explanation(found: SystemStatus) -> str:
    if found.last_backup is not None and (
        found.verdict in (StatusVerdict.PROTECTED, StatusVerdict.RUNNING) or _panel_tells(found)
    ):
        return _("The last backup finished %(ago)s and its %(n)s collections were verified.") % {
            "ago": ago(found.last_backup.get("finished_at") or found.last_backup["created_at"]),
            "n": len(found.last_backup.get("collections_backed_up") or []),
        }
    if _never_backed_up(found):
        return _("Your first backup takes about a minute. Use the green button below.")
    rest = run_wording.in_two(found.sentence)[1]
    return rest if found.refusals else " ".join(filter(None, [rest, tell(found.hint)]))
