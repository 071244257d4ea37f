"""Chance, ids and days of the demo: the same on every machine and on every day."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import IndexModel

Document = dict[str, Any]

FIRST_DAY = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 56


@dataclass(frozen=True, kw_only=True)
class DemoCollection:
    """A collection as it is created and filled. `documents` of a view are none."""

    name: str
    documents: list[Document] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    indexes: tuple[IndexModel, ...] = ()


class Generator:
    """A source of the same chances each time: one for each collection, so that one does not move another."""

    def __init__(self, subject: str) -> None:
        """Given the collection's name, begin its series."""
        self._number = 0
        self._subject = sum(subject.encode()) % 0xFFFF
        self.random = random.Random(subject)  # noqa: S311 - made-up data, the same every time

    def id(self) -> ObjectId:
        """Return the next id: its time is a day of the demo, the rest counts."""
        self._number += 1
        seconds = int(FIRST_DAY.timestamp()) + self._number * 977 % (DAYS * 86_400)
        return ObjectId(seconds.to_bytes(4, "big") + self._subject.to_bytes(4, "big") + self._number.to_bytes(4, "big"))

    def moment(self) -> datetime:
        """Return some moment of the demo's eight weeks, to the millisecond, as BSON keeps it."""
        return FIRST_DAY + timedelta(milliseconds=self.random.randrange(DAYS * 86_400_000))

    def with_times(self, document: Document) -> Document:
        """Return the document with an `_id` and the two times that sync reads."""
        created = self.moment()
        updated = created + timedelta(minutes=self.random.choice((0, 0, 5, 90, 1_440)))
        return {"_id": self.id(), **document, "createdAt": created, "updatedAt": updated}
