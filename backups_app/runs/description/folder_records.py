"""The record of a run as its folder alone says it: for lost records, and for folders that others wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backups_app import formats
from backups_app.backup_files import layout, metadata, stamps
from backups_app.backup_files import manifest as manifests
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.stamps import Change
from backups_app.catalog.run import record_shape
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import InvalidBackupId, StorageFailed, VerificationFailed
from backups_app.messages import runs as messages
from backups_app.records import INTERNAL, Phase, Status

UNVERIFIED = "unverified"
MOMENTS = ("backup_timestamp", "created_at", "finished_at", "published_at")
FOREIGN = "foreign"
"""The kind of a folder that somebody else's mongodump wrote."""
NOT_OF_THE_RECORD = ("manifest", "holds_alone", stamps.FIELD)
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def from_metadata(backup_id: str, written: Mapping[str, Any]) -> RunRecord:
    """Given the content of `metadata.json` (empty when there is none), return the record it stands for.

    A run that never wrote its end was interrupted: its backup is good, so it is partial. Raise `VerificationFailed`
    when the file was edited into something else.
    """
    if "manifest" not in written:
        return foreign(backup_id)
    known = {key: value for key, value in written.items() if key not in NOT_OF_THE_RECORD}
    moments = _sound_moments(known)
    began = moments["created_at"] or _time_of(backup_id)
    own = {"_id": backup_id, "backup_id": backup_id, "owner": None, "fence": 0, "heartbeat_at": began}
    run = foreign(backup_id) | known | moments | own | {"created_at": began}
    return run | _interrupted(moments) if run.in_progress else run


def require_sound(backup_id: str, written: Mapping[str, Any]) -> None:
    """Raise `VerificationFailed` where a `metadata.json` that came from elsewhere is not that of this backup, does not
    say when its run began, has no manifest, or holds what no record can."""
    if written.get("backup_id") != backup_id:
        raise VerificationFailed(problem=messages.METADATA_JSON_FIELD_WRONG(field="backup_id"))
    if _sound_moments(written)["created_at"] is None:
        raise VerificationFailed(problem=messages.METADATA_JSON_FIELD_WRONG(field="created_at"))
    manifest_in(written)


def _sound_moments(written: Mapping[str, Any]) -> dict[str, datetime | None]:
    """Return the moments of a record. Raise `VerificationFailed` where a field is not of its type: nobody could show
    it, add it up or store it."""
    wrong = record_shape.wrong_fields(written)
    if wrong:
        raise VerificationFailed(problem=messages.METADATA_JSON_FIELD_WRONG(field=wrong[0]))
    if not record_shape.can_be_stored(written):
        raise VerificationFailed(problem=messages.METADATA_JSON_NOT_OURS())
    try:
        return {name: _moment(written.get(name)) for name in MOMENTS}
    except (ValueError, TypeError, OverflowError) as error:
        raise VerificationFailed(problem=messages.METADATA_JSON_NOT_OURS()) from error


def _interrupted(moments: Mapping[str, datetime | None]) -> dict[str, Any]:
    """Return how a run that never wrote its end is closed: its backup is published."""
    return {
        "status": Status.PARTIAL.value,
        "phase": Phase.FINISHED.value,
        "error_code": "interrupted",
        "finished_at": moments["finished_at"] or moments["published_at"],
    }


def foreign(backup_id: str, problem: str = "") -> RunRecord:
    """Return the record of a folder without our manifest: somebody's own mongodump, under a backup's name."""
    at = _time_of(backup_id)
    return RunRecord({
        "_id": backup_id, "backup_id": backup_id, "kind": FOREIGN, "backup_timestamp": at, "created_at": at,
        "created_by": "", "origin": "", "status": UNVERIFIED, "sync_status": "skipped", "phase": "finished",
        "steps": [], "collections_backed_up": [], "collections_deleted_local": [], "collections_deleted_remote": [],
        "delete_bookings_requested": False, "documents": None, "bytes": None, "error_code": None,
        "error_message": problem or None, "warnings": [], "resume_available": False, "finished_at": at,
        "kept_changed": {"count": 0, "ids": []}, "purge": None,
    })  # fmt: skip


def other_database(written: Mapping[str, Any], *, database: str) -> str:
    """Return the database that a `metadata.json` names where it is another one; empty where it names this one or none,
    and for a dump that others made."""
    held = str(written.get("database") or "")
    return "" if written.get("kind") == FOREIGN or held == database else held


def manifest_in(written: Mapping[str, Any]) -> Manifest:
    """Return the manifest of a `metadata.json`. Raise `VerificationFailed` where there is none, or it is damaged."""
    try:
        return manifests.from_json(written.get("manifest") or {})
    except (ValueError, TypeError, AttributeError) as error:
        raise VerificationFailed(problem=messages.MANIFEST_MISSING_OR_DAMAGED()) from error


def changed(folder: Path, written: Mapping[str, Any]) -> Change | None:
    """Return what became of a backup's files since they were verified; None where nobody verified what lies here: there
    is no manifest, or another dump of others lies in the place of theirs. Raise `VerificationFailed`."""
    if "manifest" not in written:
        return None
    return _changed(folder, manifest_in(written), noted=written.get(stamps.FIELD), kind=written.get("kind"))


def _changed(folder: Path, manifest: Manifest, *, noted: Any, kind: Any) -> Change | None:
    found, _ = stamps.compare(folder, manifest=manifest, noted=noted)
    if manifest.base and found is Change.NONE:
        found = _of_the_base(folder, manifest.base)
    return None if found is Change.OTHERS and kind == FOREIGN else found


def _of_the_base(folder: Path, base: str) -> Change:
    """Return what became of the files of an incremental's base. A base that is gone is of another size."""
    try:
        base_folder = folder.parent / layout.published_name(base)
        written = metadata.read(base_folder) or {}
        found, _ = stamps.compare(base_folder, manifest=manifest_in(written), noted=written.get(stamps.FIELD))
    except (InvalidBackupId, VerificationFailed, StorageFailed):
        return Change.SIZE
    return found


def adopted(backup_id: str, *, manifest: Manifest, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """Return `metadata.json` for a folder that others wrote and that has just been verified: plain JSON."""
    names = sorted(name for name in manifest.collections if name not in INTERNAL)
    held = {
        "status": Status.SUCCESS.value,
        "collections_backed_up": names,
        "documents": sum(manifest.collections[name].documents for name in names),
        "bytes": sum(manifest.collections[name].bytes for name in names),
        "warnings": list(warnings),
    }
    plain: dict[str, Any] = formats.plain({**foreign(backup_id), **held})
    del plain["_id"]
    # What it alone holds is not known, so retention keeps it.
    return plain | {"manifest": manifest.as_json(), "holds_alone": None}


def _time_of(backup_id: str) -> datetime:
    try:
        return datetime.strptime(backup_id[:15], "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    except ValueError:  # digits that are no date: somebody named the folder
        return UNKNOWN_TIME


def _moment(value: Any) -> datetime | None:
    """Raise ValueError or TypeError for what is no moment."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).astimezone(UTC)
