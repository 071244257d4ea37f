"""Where one is in the viewer: the address that holds its whole state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlencode

from django.http import QueryDict
from django.urls import reverse

from backups_app.pages.form_fields import from_field

PER_PAGE = (25, 50, 100)
VIEWS = ("cards", "json", "table", "fields")
GOING_ON = frozenset({"cursor", "within", "found", "here", "stop"})


@dataclass(frozen=True, kw_only=True)
class Place:
    """The address of what is shown. `page` counts from 1.

    Where a search goes on: at document `cursor` (of the collection `within`, when all are searched), after `found`
    matches, `here` of them in that collection. `stop`: it was stopped there. `start`: the number of the first document
    of what is left of a page that ended early, for its documents are large; 0 for a page from its beginning.
    A table is sorted by the field `sort` ("-amount": from the largest), and shows the columns `cols` (with commas).
    """

    backup: str = ""
    collection: str = ""
    q: str = ""
    page: int = 1
    per: int = PER_PAGE[0]
    view: str = VIEWS[0]
    cursor: int = 0
    within: str = ""
    found: int = 0
    here: int = 0
    stop: int = 0
    start: int = 0
    sort: str = ""
    cols: str = ""

    @property
    def columns(self) -> list[str]:
        """The names of the chosen columns; empty for the usual ones."""
        return [unquote(name) for name in self.cols.split(",")] if self.cols else []

    @property
    def url(self) -> str:
        """The page of this place. What stands at its usual value is left out."""
        message = {
            name: value
            for name, value in vars(self).items()
            if value != getattr(Place(), name) and (name not in GOING_ON or self.q)
        }
        return reverse("pages:browse") + (f"?{urlencode(message)}" if message else "")

    @property
    def first(self) -> int:
        """The number of the first document shown, from 0: `start`, where it lies on this page."""
        begins = (self.page - 1) * self.per
        return self.start if begins <= self.start < begins + self.per else begins

    @property
    def goes_on(self) -> bool:
        """Whether this is not where a search begins."""
        return bool(self.q and (self.cursor or self.within))

    def begun(self, **changes: object) -> Place:
        """Return a place near this one, a search in it from its beginning."""
        return self.at(**{**dict.fromkeys(("cursor", "found", "here", "stop"), 0), "within": "", **changes})

    def at(self, **changes: object) -> Place:
        """Return a place near this one."""
        return replace(self, **{"start": 0, **changes})  # type: ignore[arg-type]


def place_of(asked: QueryDict) -> Place:
    """Read a place from an address. What is not a number becomes the usual one: an address is typed, too."""
    per = whole_number(asked.get("per"), PER_PAGE[0])
    view = asked.get("view", VIEWS[0])
    return Place(
        backup=asked.get("backup", ""),
        collection=from_field(asked.get("collection", "")),
        q=asked.get("q", "").strip(),
        page=max(1, whole_number(asked.get("page"), 1)),
        per=per if per in PER_PAGE else PER_PAGE[0],
        view=view if view in VIEWS else VIEWS[0],
        cursor=whole_number(asked.get("cursor"), 0),
        within=asked.get("within", ""),
        found=whole_number(asked.get("found"), 0),
        here=whole_number(asked.get("here"), 0),
        stop=int(asked.get("stop") == "1"),
        start=whole_number(asked.get("start"), 0),
        sort=asked.get("sort", ""),
        cols=",".join(quote(from_field(name), safe=" .") for name in asked.getlist("col")) or asked.get("cols", ""),
    )


def whole_number(text: str | None, usual: int) -> int:
    digits = (text or "").replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 13 else usual
