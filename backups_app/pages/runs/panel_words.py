"""The headline of a run, and the badge of its status."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import RunCancelled, RunInterrupted, WorkerDown
from backups_app.records import Status

BROKEN_OFF = (RunInterrupted.code, WorkerDown.code)


@dataclass(frozen=True, kw_only=True)
class Words:
    """`tone` is ok, warn, bad or info; `safe` stands in bold, `rest` after it."""

    headline: str
    tone: str
    icon: str
    badge: str
    safe: str = ""
    rest: str = ""

    @property
    def text(self) -> str:
        return f"{self.safe} {self.rest}".strip()

    @property
    def icon_class(self) -> str:
        return f"c-{self.tone}"


def badge(status: str) -> tuple[str, str, str]:
    """Return the word, the tone and the icon of a status."""
    known = {
        Status.SUCCESS: (_("Success"), "ok", "circle-check"),
        Status.PARTIAL: (_("Partial"), "warn", "triangle-alert"),
        Status.FAILED: (_("Failed"), "bad", "circle-x"),
        Status.CANCELLED: (_("Cancelled"), "", "circle-minus"),
        Status.IN_PROGRESS: (_("Running"), "info", "loader-circle"),
    }
    if status not in set(Status):
        return _("Not verified"), "warn", "shield-alert"
    return known[Status(status)]


def badge_of(run: RunRecord) -> tuple[str, str, str]:
    """Return the badge of a run. One that somebody stopped, or that the machine dropped, did not fail by itself."""
    if run.error_code == RunCancelled.code:
        return _("Cancelled"), "", "circle-minus"
    if run.error_code in BROKEN_OFF:
        return _("Interrupted"), "warn", "triangle-alert"
    return badge(run.status)
