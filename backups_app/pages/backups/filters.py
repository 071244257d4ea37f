"""The filters of the list of backups, as its address holds them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backups_app.pages.backups.rows import BackupRow
from backups_app.pages.shared.wording import aware
from backups_app.pages.viewer.viewer_place import whole_number

SHOWN: dict[str, Callable[[BackupRow], bool]] = {
    "": lambda row: True,
    "good": lambda row: row.good,
    "attention": lambda row: row.needs_attention,
    "pinned": lambda row: bool(row.pinned),
    "bookings": lambda row: bool(row.bookings_deleted),
}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What the list shows: a kind of backups (a key of `SHOWN`), a month ("2026-11", empty for all) and a page from 1."""

    show: str = ""
    month: str = ""
    page: int = 1

    def url(self, **changes: object) -> str:
        """Return the address of the list with this filter changed; from its first page unless `page` is named."""
        values = {"show": self.show, "month": self.month, "page": 1, **changes}
        message = {name: value for name, value in values.items() if value not in ("", 1)}
        return reverse("pages:backups") + (f"?{urlencode(message)}" if message else "")

    def chosen(self, rows: Sequence[BackupRow]) -> list[BackupRow]:
        """Return the rows that fit."""
        fits = SHOWN[self.show]
        return [row for row in rows if fits(row) and self.month in ("", month_of(row))]


def filter_of(asked: QueryDict) -> Filter:
    """Read the filter from an address. What it does not know it leaves out."""
    show = asked.get("show", "")
    return Filter(
        show=show if show in SHOWN else "",
        month=asked.get("month", ""),
        page=max(1, whole_number(asked.get("page"), 1)),
    )


def choices(rows: Sequence[BackupRow]) -> list[tuple[str, str, int]]:
    """Return each kind of backups: key, name and how many there are. Nobody is offered pins where nothing is pinned."""
    names = {
        "": _("All"),
        "good": _("Good"),
        "attention": _("Needs attention"),
        "pinned": _("Pinned"),
        "bookings": _("With deleted bookings"),
    }
    counted = [(key, name, len(Filter(show=key).chosen(rows))) for key, name in names.items()]
    return [choice for choice in counted if choice[2] or choice[0] in ("", "good", "attention")]


def months(rows: Sequence[BackupRow]) -> list[tuple[str, str]]:
    """Return the months in which there are backups, newest first: `2026-11` and `November 2026`."""
    found = {month_of(row): row.run.created_at for row in rows}
    return [(key, date_format(timezone.localtime(at), "F Y")) for key, at in found.items()]


def month_of(row: BackupRow) -> str:
    """Return the month of a backup in the zone of the page."""
    return f"{timezone.localtime(row.run.created_at):%Y-%m}"
