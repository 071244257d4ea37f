"""What the endpoints answer: the specification's bodies, made from a run document; and their shapes for OpenAPI."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from backups_app import formats
from backups_app.access.tokens import TokenPair
from backups_app.messages import stored
from backups_app.models import LoginSession
from backups_app.records import RunDocument, Status, StepState
from backups_app.runs import outcome
from backups_app.use_cases import listing


def moment(value: Any) -> datetime:
    """Given a moment of a record (a date) or of a `metadata.json` (ISO text), return it aware, in UTC."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def trigger_answer(document: RunDocument) -> dict[str, Any]:
    """Return the specification's answer to `POST /api/backup` for a run that has ended with a backup."""
    return {
        "success": document["status"] == Status.SUCCESS,
        "backup_id": document["backup_id"],
        "backup_path": document["backup_path"],
        "backup_timestamp": formats.utc(moment(document["backup_timestamp"]).replace(microsecond=0)),
        "sync_status": document["sync_status"],
        "collections_backed_up": document.get("collections_backed_up") or [],
        "collections_deleted_local": document.get("collections_deleted_local") or [],
        "collections_deleted_remote": document.get("collections_deleted_remote") or [],
        "message": outcome.message(document),
        "status": document["status"],
        "warnings": formats.plain(document.get("warnings") or []),
        "warning_details": formats.plain(stored.warning_documents(document.get("warnings") or [])),
        "resume_available": bool(document.get("resume_available")),
    }


def list_entry(document: RunDocument) -> dict[str, Any]:
    """Return one row of `GET /api/backups`: the specification's five fields, and a sixth where a clock was wrong."""
    at = moment(document["backup_timestamp"])
    return {
        "backup_id": document["backup_id"],
        "backup_date": at.date().isoformat(),
        "backup_timestamp": formats.utc_seconds(at),
        "status": document["status"],
        "collections_count": len(document.get("collections_backed_up") or []),
    } | ({"dated_in_future": True} if document.get("dated_in_future") else {})


def run(document: RunDocument, *, now: datetime) -> dict[str, Any]:
    """Return a run as the API tells it, with how quickly it goes and how long it may still take."""
    shown = listing.public(document)
    return {**shown, **pace(document, now=now), "message": outcome.message(document)}


def pace(document: RunDocument, *, now: datetime) -> dict[str, float | int | None]:
    """Return `docs_per_s` and `seconds_left` of the running step, None where they cannot be told."""
    nothing: dict[str, float | int | None] = {"docs_per_s": None, "seconds_left": None}
    step = next((one for one in document.get("steps") or [] if one.get("state") == StepState.RUNNING), None)
    if step is None or not step.get("started_at"):
        return nothing
    labels = step.get("labels") or []
    done, total = (sum(int(label.get(key) or 0) for label in labels) for key in ("done", "total"))
    seconds = (now - moment(step["started_at"])).total_seconds()
    if not done or seconds <= 0:
        return nothing
    return {"docs_per_s": round(done / seconds, 1), "seconds_left": max(0, round((total - done) * seconds / done))}


def etag(document: RunDocument) -> str:
    """Return a tag that changes with the document, not with the clock."""
    shown = json.dumps(listing.public(document), sort_keys=True)
    return '"' + hashlib.sha256(shown.encode()).hexdigest()[:32] + '"'


def tokens(pair: TokenPair) -> dict[str, Any]:
    """Return what a login or a refresh hands out."""
    user = pair.session.user
    return {
        "access": pair.access,
        "refresh": pair.refresh,
        "access_expires_at": formats.utc_seconds(pair.access_expires_at),
        "session_id": pair.session.sid,
        "user": {"username": user.get_username(), "role_id": user.role_id},
    }


def login_session(session: LoginSession, *, current: LoginSession) -> dict[str, Any]:
    """Return one row of "my sessions"."""
    return {
        "session_id": session.sid,
        "face": session.face,
        "device": session.device,
        "address": session.address,
        "created_at": formats.utc_seconds(session.created_at),
        "last_seen_at": formats.utc_seconds(session.last_seen_at),
        "current": session.pk == current.pk,
    }
