"""The system status card: the sentence from evidence, its four marks, three badges, six facts.

A page shows at once what was last known, with its age; the card then checks again by itself. A look that cannot be
finished leaves the card as it was, and says so.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from backups_app import configuration
from backups_app.assurance.sentence import Level
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.messages.browsing import ON_HOST
from backups_app.messages.message import Message
from backups_app.messages.protection import assurance as messages
from backups_app.pages import known_status
from backups_app.pages.guards import admin_page
from backups_app.pages.home import assurance_card
from backups_app.pages.home.assurance_card import AssuranceCard
from backups_app.pages.requests import AdminRequest
from backups_app.pages.shared.message_text import text_of
from backups_app.pages.shared.wording import ago
from backups_app.use_cases import attention
from backups_app.use_cases.status import status
from backups_app.use_cases.status.status import SystemStatus

logger = logging.getLogger(__name__)

KNOWN_FOR = timedelta(seconds=60)
"""Without a script the card does not look by itself: then the page looks when what is known is older."""

LOOKS = {
    Level.OFF: ("info", "info"),
    Level.NOT_PROTECTED: ("bad", "shield-x"),
    Level.NEEDS_ATTENTION: ("warn", "triangle-alert"),
    Level.PROTECTED: ("", "shield-check"),
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
    shown: AssuranceCard | None = None
    could_not_check: bool = False

    @property
    def code(self) -> str:
        """What the card says, as a code; empty where nothing is known."""
        return self.system.assurance.code if self.system else ""

    @property
    def about_run(self) -> str:
        """The id of the run that the sentence speaks of; empty where it speaks of none."""
        return self.system.assurance.steps[0].backup_id if self.system else ""

    @property
    def for_technician(self) -> str:
        """What somebody with a terminal can do where no run may start; empty otherwise."""
        return self.system.hint if self.system and self.system.refusals else ""

    @property
    def last_backup(self) -> RunRecord:
        """The newest good backup; empty where there is none."""
        return (self.system.last_backup if self.system else None) or RunRecord()

    @property
    def last_backup_on(self) -> Message | None:
        """On which other host the newest good backup is; None where it is here."""
        last = self.last_backup
        return ON_HOST(host=last.host or "?") if last.files == Files.ELSEWHERE else None

    @property
    def last_proven(self) -> RunRecord | None:
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
        return attention.room_for(backup=self.last_backup, free_bytes=self.disk[1])


def current(*, now: datetime, at_most: timedelta | None = None) -> StatusCard:
    """Return the card as last known to this process. Look when nothing is known, when something was done since, or
    when it is older than `at_most`."""
    known = _known(now, at_most)
    return check_now(now=now) if known is None else _card(known)


def _known(now: datetime, at_most: timedelta | None) -> SystemStatus | None:
    known = known_status.known_status(configuration.current())
    if known is None or known.out_of_date or (at_most and now - known.system.checked_at > at_most):
        return None
    return known.system


def last_backup(*, now: datetime) -> RunRecord:
    """Return the newest good backup as last known, to reckon with; empty where there is none."""
    known = _known(now, None)
    return check_now(now=now).last_backup if known is None else known.last_backup or RunRecord()


def check_now(*, now: datetime) -> StatusCard:
    """Look at everything now, and remember it. Where that cannot be finished, return what was known, and say so."""
    settings = configuration.current()
    try:
        found = status.status(configuration=settings, now=now)
    except Exception:  # whatever it is: the one card that says whether a temple is protected stays
        logger.exception("The status could not be looked at")
        known = known_status.known_status(settings)
        return replace(_card(known.system) if known else NOTHING_KNOWN, could_not_check=True)
    known_status.remember(settings, found)
    return _card(found)


@require_GET
@admin_page(polled=True)
def fragment(request: AdminRequest) -> HttpResponse:
    """The card, looked at now. It is announced only where it says something else than the card it replaces."""
    card = check_now(now=timezone.now())
    context = {"card": card, "announce": request.GET.get("said", card.code) != card.code}
    could = HTTPStatus.SERVICE_UNAVAILABLE if card.could_not_check else HTTPStatus.OK
    return render(request, "home/_status.html", context, status=could)


NOTHING_KNOWN = StatusCard(system=None, tone="warn", icon="shield-alert", sentence="", explanation="", database="")


def _card(found: SystemStatus) -> StatusCard:
    tone, icon = LOOKS[found.verdict]
    sentence, rest = _in_two(text_of(found.assurance.steps[0].message))
    return StatusCard(
        system=found,
        tone=tone,
        icon=icon,
        sentence=sentence,
        explanation=_explanation(found, rest),
        database=configuration.current().database_name,
        shown=assurance_card.shown_assurance(found.assurance),
    )


def _in_two(text: str) -> tuple[str, str]:
    """Return the first sentence, to stand in bold without its full stop, and the others."""
    first, *rest = re.split(r"(?<=[.।]) ", text, maxsplit=1)
    return first if rest else first.rstrip(".।"), "".join(rest)


def _explanation(found: SystemStatus, rest: str) -> str:
    """What stands under the sentence: its other sentences and what to do, or what the last backup was."""
    if found.assurance.code == messages.NO_BACKUP.code:
        return _("The first backup takes about a minute.")
    if found.refusals:
        return rest
    if found.verdict is Level.NOT_PROTECTED or rest or found.last_backup is None:
        hint = found.assurance.steps[0].hint
        return " ".join(filter(None, [rest, text_of(hint) if hint else ""]))
    collections = len(found.last_backup.collections_backed_up)
    return ngettext(
        "The last backup finished %(ago)s and its %(n)s collection was verified.",
        "The last backup finished %(ago)s and its %(n)s collections were verified.",
        collections,
    ) % {"ago": ago(found.last_backup.finished_at or found.last_backup.created_at), "n": collections}
