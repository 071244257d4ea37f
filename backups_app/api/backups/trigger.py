"""POST /api/backup: start a run and wait for its end, or not."""

from __future__ import annotations

import re

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app import errors as named
from backups_app.access import request_context
from backups_app.api.shared import inputs, prefer, serializers, shapes, waiting
from backups_app.api.shared.endpoint import Endpoint
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import InvalidInput, TempleOpsError
from backups_app.records import Origin, Status, StepState
from backups_app.runs.closing import outcome
from backups_app.use_cases.backups import backups

KEY = re.compile(r"[!-~]{1,255}", re.ASCII)

REQUEST_EXAMPLE = OpenApiExample("With deletion", value={"delete_bookings": True}, request_only=True)
ANSWER_EXAMPLE = OpenApiExample(
    "Success",
    value={
        "success": True,
        "backup_id": "20250119_143022",
        "backup_path": "/backend/backups/backup_20250119_143022",
        "backup_timestamp": "2025-01-19T14:30:22.000Z",
        "sync_status": "success",
        "collections_backed_up": ["bookings", "employee_bookings", "events"],
        "collections_deleted_local": ["activities (50 documents)"],
        "collections_deleted_remote": ["activities (50 documents)"],
        "message": "Backup completed successfully",
        "status": "success",
        "warnings": [],
        "warning_details": [],
        "resume_available": False,
    },
    response_only=True,
    status_codes=["200"],
)
HEADERS = [
    OpenApiParameter(
        "Prefer", str, OpenApiParameter.HEADER, description="`respond-async` answers 202 at once; `wait=10` waits."
    ),
    OpenApiParameter(
        "Idempotency-Key", {"type": "string", "pattern": "^[!-~]{1,255}$"}, OpenApiParameter.HEADER,
        description="The same key with the same body gives the same run, for 24 hours.",
    ),
]  # fmt: skip


class TriggerEndpoint(Endpoint):
    """POST /api/backup"""

    @extend_schema(
        summary="Start a backup", operation_id="trigger_backup", request=inputs.Trigger, parameters=HEADERS,
        examples=[REQUEST_EXAMPLE, ANSWER_EXAMPLE],
        responses={
            200: shapes.Triggered, 202: shapes.RunSerializer, **shapes.failures(400, 401, 403, 409, 415, 422, 500, 503),
        },
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Sync, back up, verify, delete. Waits for the end (`BACKUP_SYNC_WAIT_SECONDS`), then answers 202."""
        given = self.body(inputs.Trigger)
        key = self._idempotency_key()
        if given["delete_bookings"]:
            self.require_fresh_login()
        wanted = prefer.read(request.headers.get("Prefer", ""), longest=self.configuration.backup_sync_wait_seconds)
        document = backups.start_backup(
            created_by=self.person.get_username(),
            delete_bookings=given["delete_bookings"],
            origin=Origin.API,
            now=self.now,
            idempotency_key=key,
            incremental=given["incremental"],
        )
        replayed = document.pop("replayed", False)
        if document.status == Status.IN_PROGRESS and wanted.wait_seconds:
            document = _wait(document, seconds=wanted.wait_seconds)
        response = self._answer(document)
        if wanted.applied:
            response.headers["Preference-Applied"] = wanted.applied
        if replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def _answer(self, document: RunRecord) -> Response:
        if document.status == Status.IN_PROGRESS:
            return accepted(serializers.run(document, now=self.now))
        if document.status in (Status.FAILED, Status.CANCELLED):
            return failed(document)
        return Response(serializers.trigger_answer(document))

    def _idempotency_key(self) -> str | None:
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not KEY.fullmatch(key):
            raise InvalidInput(message="Idempotency-Key must be 1 to 255 printable ASCII characters.")
        return key


def _wait(document: RunRecord, *, seconds: int) -> RunRecord:
    """Wait for the end of a run, in one of the few places there are for that; when all are taken do not wait."""
    with waiting.a_place() as granted:
        return backups.wait_for(backup_id=document.backup_id, timeout_seconds=seconds) if granted else document


def accepted(body: dict[str, object]) -> Response:
    """Return 202: the run goes on, and where to look for it."""
    headers = {"Location": f"/api/backups/{body['backup_id']}", "Retry-After": "1"}
    return Response(body, status=202, headers=headers)


def failed(document: RunRecord) -> Response:
    """Return the answer for a run that ended without a backup, with the HTTP status of its named failure."""
    code = document.error_code or "internal_error"
    body = {
        "detail": outcome.message(document),
        "code": code,
        "request_id": request_context.current().request_id,
        "backup_id": document.backup_id,
    }
    reason = next((step.sentence for step in document.steps if step.state is StepState.FAILED), "")
    if reason and reason not in body["detail"]:
        body["hint"] = reason
    return Response(body, status=_status_of(code))


def _status_of(code: str) -> int:
    kinds = [kind for kind in vars(named).values() if isinstance(kind, type) and issubclass(kind, TempleOpsError)]
    return next((kind.status for kind in kinds if kind.code == code), 500)
