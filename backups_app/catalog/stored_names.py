"""The names that stored records, the API and `--json` promise, where the code uses others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PURGE_ENTRY = {
    "already_absent": "gone",
    "skipped_changed": "kept_changed",
    "skipped_ids": "kept_ids",
    "refused": "left",
    "duplicate_ids": "twice",
    "reappeared": "came_back",
}


def purge_entry(report: Mapping[str, Any]) -> dict[str, Any]:
    """Given the fields of a `CollectionPurge`, return them under the names of a run's record."""
    return {_PURGE_ENTRY.get(name, name): value for name, value in report.items()}
