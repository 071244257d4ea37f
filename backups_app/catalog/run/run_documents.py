"""How a run's document is changed: code and facts stand beside each sentence that is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backups_app.messages import stored


def update(changes: Mapping[str, Any], *, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """Return MongoDB's update that sets `changes`, appends `warnings` and renews the heartbeat."""
    written: dict[str, Any] = {"$set": stored.with_details(changes), "$currentDate": {"heartbeat_at": True}}
    if warnings:
        written["$push"] = {
            "warnings": {"$each": [str(warning) for warning in warnings]},
            "warning_details": {"$each": stored.warning_documents(warnings)},
        }
    return written
