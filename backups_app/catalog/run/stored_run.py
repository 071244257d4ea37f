"""A document of `backup_metadata` as it is stored, and how its fields are set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class StoredRun(dict[str, Any]):
    """The document under its stored names."""

    def stored_fields(self, *names: str) -> dict[str, Any]:
        """Return these fields under their stored names, None where they are not there."""
        return {name: self.get(name) for name in names}

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Set fields as `$set` of MongoDB does: `{"steps.2.state": "done", "purge.remote.bookings": {…}}`."""
        for path, value in changes.items():
            *way, last = path.split(".")
            place: Any = self
            for name in way:
                place = place[int(name)] if isinstance(place, list) else place[name]
            place[last] = value
