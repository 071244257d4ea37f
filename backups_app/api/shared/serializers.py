"""What the endpoints answer: the specification's bodies, made from a run document; and their shapes for OpenAPI."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from backups_app import formats, progress
from backups_app.access.signing_in.tokens import TokenPair
from backups_app.catalog.run.run_record import RunRecord
from backups_app.messages import stored
from backups_app.models import LoginSession
from backups_app.records import Status, StepState
from backups_app.runs.closing import outcome
from backups_app.use_cases.listing import listing


def trigger_answer(document: RunRecord) -> dict[str, Any]:
    """Return the specification's answer to `POST /api/backup` for a run that has ended with a backup."""
    return {
        "success": document.status == Status.SUCCESS,
        "backup_id": document.backup_id,
        "backup_path": document.backup_path,
        "backup_timestamp": formats.utc((document.backup_timestamp or document.created_at).replace(microsecond=0)),
        "sync_status": document.sync_status,
        "collections_backed_up": document.collections_backed_up,
        "collections_deleted_local": document.collections_deleted_local,
        "collections_deleted_remote": document.collections_deleted_remote,
        "message": outcome.message(document),
        "status": document.status,
        "warnings": formats.plain(document.warnings),
        "warning_details": formats.plain(stored.warning_documents(document.warnings)),
        "resume_available": document.resume_available,
    }


def list_entry(document: RunRecord) -> dict[str, Any]:
    """Return one row of `GET /api/backups`: the specification's five fields, and a sixth where a clock was wrong."""
    at = document.backup_timestamp or document.created_at
    return {
        "backup_id": document.backup_id,
        "backup_date": at.date().isoformat(),
        "backup_timestamp": formats.utc_seconds(at),
        "status": document.status,
        "collections_count": len(document.collections_backed_up),
    } | ({"dated_in_future": True} if document.dated_in_future else {})


def run(document: RunRecord, *, now: datetime) -> dict[str, Any]:
    """Return a run as the API shows it, with how quickly it goes and how long it may still take."""
    shown = listing.public(document)
    return {**shown, **pace(document, now=now), "message": outcome.message(document)}


def pace(document: RunRecord, *, now: datetime) -> dict[str, float | int | None]:
    """Return `docs_per_s` and `seconds_left` of the running step, None where they cannot be known."""
    nothing: dict[str, float | int | None] = {"docs_per_s": None, "seconds_left": None}
    step = next((one for one in document.steps if one.state is StepState.RUNNING), None)
    if step is None or step.started_at is None:
        return nothing
    done, total = sum(label.done for label in step.labels), sum(label.total or 0 for label in step.labels)
    seconds = (now - step.started_at).total_seconds()
    found = progress.pace(done=done, total=total, seconds=seconds)
    if found is None:
        return nothing
    left = found.seconds_left
    return {"docs_per_s": round(found.per_second, 1), "seconds_left": None if left is None else round(left)}


def etag(document: RunRecord) -> str:
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
