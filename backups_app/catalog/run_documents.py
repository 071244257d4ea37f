"""A run's document as it is written and read: code and facts stand beside each sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backups_app.messages import stored
from backups_app.records import RunDocument


def read(document: RunDocument | None) -> RunDocument | None:
    """Return a stored document with its sentences as messages; None for None."""
    return None if document is None else stored.restored(document)


def update(changes: Mapping[str, Any], *, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """Return MongoDB's update that sets `changes`, appends `warnings` and renews the heartbeat."""
    written: dict[str, Any] = {"$set": stored.with_details(changes), "$currentDate": {"heartbeat_at": True}}
    if warnings:
        written["$push"] = {
            "warnings": {"$each": [str(said) for said in warnings]},
            "warning_details": {"$each": stored.warning_documents(warnings)},
        }
    return written
