"""What a message says, without a language: sentences by code, a table of facts, the page that shows more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backups_app.messages.message import as_document
from backups_app.messages.read_back import from_document

Fact = datetime | str
"""A moment, a message, or a text that is the same in every language."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """A message. `lines` follow the title; `facts` are pairs of label and value; `path` is an address on this site."""

    title: str
    lines: tuple[str, ...] = ()
    facts: tuple[tuple[str, Fact], ...] = ()
    path: str = ""

    def as_document(self) -> dict[str, Any]:
        """Return it as plain JSON, as the outbox keeps it."""
        return {
            "title": as_document(self.title),
            "lines": [as_document(line) for line in self.lines],
            "facts": [[as_document(label), _stored(value)] for label, value in self.facts],
            "path": self.path,
        }


def content_from(document: Mapping[str, Any]) -> Content:
    """Return the content of `as_document()`. What is missing or not known (any more) is left out or shown as it is."""
    return Content(
        title=from_document(document.get("title") or {}),
        lines=tuple(from_document(line) for line in document.get("lines") or ()),
        facts=tuple((from_document(label), _restored(value)) for label, value in document.get("facts") or ()),
        path=str(document.get("path") or ""),
    )


def _stored(value: Fact) -> Any:
    return {"at": value.astimezone(UTC).isoformat()} if isinstance(value, datetime) else as_document(value)


def _restored(value: Any) -> Fact:
    if isinstance(value, Mapping):
        return datetime.fromisoformat(value["at"]) if "at" in value else from_document(value)
    return str(value)
