"""Work that outlasts its request: verifying, a preview, a sync. The request waits for its end, then answers 202."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.access.requests.error_body import error_body
from backups_app.api.shared import prefer, shapes, waiting
from backups_app.api.shared.endpoint import Endpoint
from backups_app.errors import ResourceNotFound, TempleOpsError
from backups_app.use_cases.backups import stopping
from backups_app.use_cases.lanes import asking, previews, syncs, verifications
from backups_app.use_cases.lanes.asking import Answer
from backups_app.use_cases.lanes.kind import JobKind
from backups_app.use_cases.restores import preview_json

LOOK_SECONDS = 0.2
KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
KINDS: Mapping[str, JobKind[Any]] = {one.name: one for one in (verifications.KIND, previews.KIND, syncs.KIND)}
BODIES: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    verifications.KIND.name: dict,
    previews.KIND.name: lambda preview: preview_json.as_json(preview),
    syncs.KIND.name: lambda synced: dict(synced["log"]),
}
"""The result of a kind as its request answers it."""
PREFER = OpenApiParameter(
    "Prefer", str, OpenApiParameter.HEADER,
    description="`respond-async` answers 202 once it takes longer than a second; `wait=10` waits.",
)  # fmt: skip


def answered(endpoint: Endpoint, kind: JobKind[Any], answer: Answer[Any]) -> Response:
    """Return 200 with the result, waiting for it as long as the client wants and the settings allow, or 202 with the
    address of the job. Raise what the work failed with, `ReadingWorkerMissing` where no worker does it."""
    longest = endpoint.configuration.backup_sync_wait_seconds
    wanted = prefer.read(endpoint.request.headers.get("Prefer", ""), longest=longest)
    answer = _waited_for(answer, endpoint, seconds=wanted.wait_seconds)
    failure = answer.error or answer.worker_missing
    if failure is not None:
        raise failure
    if answer.result is not None:
        response = Response(BODIES[kind.name](answer.result))
    else:
        headers = {"Location": f"/api/jobs/{answer.job}", "Retry-After": "1"}
        response = Response(_job(kind.name, answer), status=202, headers=headers)
    if wanted.applied:
        response.headers["Preference-Applied"] = wanted.applied
    return response


def _waited_for(answer: Answer[Any], endpoint: Endpoint, *, seconds: float) -> Answer[Any]:
    until = time.monotonic() + seconds
    with waiting.a_place() as granted:
        while granted and not answer.ended and answer.worker_missing is None and time.monotonic() < until:
            if stopping.wait(LOOK_SECONDS):
                break
            answer = _answer_now(answer.job) or answer
    return answer


def _answer_now(key: str) -> Answer[Any] | None:
    found = asking.by_key(key, kinds=KINDS, now=timezone.now())
    return None if found is None else found[1]


class JobEndpoint(Endpoint):
    """GET /api/jobs/{job}"""

    polling = True

    @extend_schema(
        summary="Work that goes on after its request", operation_id="get_job",
        responses={200: shapes.Job, **shapes.failures(401, 403, 404)},
    )  # fmt: skip
    def get(self, request: Request, job: str) -> Response:
        """How far it is, its `result` once it is done, `error` where it failed or nobody does it. Known for ten minutes
        after its end. A preview that nobody asks for during half a minute is given up."""
        found = asking.by_key(job, kinds=KINDS, now=self.now) if KEY.fullmatch(job) else None
        if found is None:
            raise ResourceNotFound()
        return Response(_job(*found))


def _job(name: str, answer: Answer[Any]) -> dict[str, Any]:
    failure = answer.error or answer.worker_missing
    return {
        "job": answer.job,
        "kind": name,
        "state": _state(answer),
        "collection": answer.collection,
        "documents": answer.compared,
        "seconds": round(answer.seconds, 1),
        "result": None if answer.result is None else BODIES[name](answer.result),
        "error": None if failure is None else _failure(failure),
    }


def _state(answer: Answer[Any]) -> str:
    if answer.error is not None:
        return "failed"
    if answer.ended:
        return "done"
    return "waiting" if answer.waits else "running"


def _failure(failure: TempleOpsError) -> dict[str, Any]:
    return dict(error_body(code=failure.code, detail=failure.detail, hint=failure.hint))
