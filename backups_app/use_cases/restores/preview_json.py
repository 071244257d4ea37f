"""The preview of a restore as plain JSON: what the API answers and `backup_restore --dry-run --json` prints."""

from __future__ import annotations

from typing import Any

from backups_app.backup_files.shown import extended_json
from backups_app.restore.preview import PreviewedCollection, RestorePreview, Sample

COUNTS = ("insert", "replace", "delete", "unchanged", "keep", "extra")


def as_json(preview: RestorePreview) -> dict[str, Any]:
    """Return choices, server, the hash to confirm, collections with samples, and what is left out."""
    return {
        **preview.choices.as_json(),
        "server": preview.server,
        "confirmation": preview.confirmation,
        "needs_phrase": preview.needs_the_phrase,
        "totals": {name: preview.total(name) for name in COUNTS},
        "collections": [_collection(collection) for collection in preview.collections],
        "left_out": [vars(entry) for entry in preview.left_out],
        "insert_bytes": preview.insert_bytes,
        "disk_free_bytes": preview.disk_free_bytes,
    }


def _collection(entry: PreviewedCollection) -> dict[str, Any]:
    names = ("name", "type", "in_backup", "there_now", *COUNTS, "creates", "withheld", "problems")
    return {name: getattr(entry, name) for name in names} | {"samples": [_sample(one) for one in entry.samples]}


def _sample(sample: Sample) -> dict[str, Any]:
    frames = (sample.now, sample.backup)
    now, backup = (None if frame is None else extended_json.relaxed_or_raw(frame) for frame in frames)
    return {"action": sample.action, "now": now, "backup": backup}
