"""Where one is in the viewer: the address that holds its whole state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

PER_PAGE = (25, 50, 100)
VIEWS = ("cards", "json", "table", "fields")


@dataclass(frozen=True, kw_only=True)
class Place:
    """The address of what is shown. `page` counts from 1; `cursor` is the document from which a search goes on."""

    backup: str = ""
    collection: str = ""
    q: str = ""
    page: int = 1
    per: int = PER_PAGE[0]
    view: str = VIEWS[0]
    cursor: int = 0

    @property
    def url(self) -> str:
        """The page of this place. What stands at its usual value is left out."""
        said = {
            name: value
            for name, value in vars(self).items()
            if value != getattr(Place(), name) and (name != "cursor" or self.q)
        }
        return reverse("pages:browse") + (f"?{urlencode(said)}" if said else "")

    def at(self, **changes: object) -> Place:
        """Return a place near this one."""
        return replace(self, **changes)  # type: ignore[arg-type]


def place_of(asked: QueryDict) -> Place:
    """Read a place from an address. What is not a number becomes the usual one: an address is typed, too."""
    per = whole_number(asked.get("per"), PER_PAGE[0])
    view = asked.get("view", VIEWS[0])
    return Place(
        backup=asked.get("backup", ""),
        collection=asked.get("collection", ""),
        q=asked.get("q", "").strip(),
        page=max(1, whole_number(asked.get("page"), 1)),
        per=per if per in PER_PAGE else PER_PAGE[0],
        view=view if view in VIEWS else VIEWS[0],
        cursor=max(0, whole_number(asked.get("cursor"), 0)),
    )


def whole_number(text: str | None, usual: int) -> int:
    digits = (text or "").replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 13 else usual
