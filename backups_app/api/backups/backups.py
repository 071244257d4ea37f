"""The list of backups, one run, and what can be done with it."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.api import jobs
from backups_app.api.backups.retention import Removing
from backups_app.api.backups.trigger import accepted
from backups_app.api.shared import inputs, serializers, shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.browsing.reading import opening
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import TempleOpsError
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.runs.description import folder_records
from backups_app.use_cases.backups import backups
from backups_app.use_cases.lanes import asking, verifications
from backups_app.use_cases.listing import listing

LIST_EXAMPLE = OpenApiExample(  # of one row: the list around it is added
    "Backups",
    value={
        "backup_id": "20250119_143022",
        "backup_date": "2025-01-19",
        "backup_timestamp": "2025-01-19T14:30:22Z",
        "status": "success",
        "collections_count": 15,
    },
    response_only=True,
)


class BackupsEndpoint(Endpoint):
    """GET /api/backups"""

    @extend_schema(
        summary="List backups", operation_id="list_backups", parameters=[inputs.ListBackups], examples=[LIST_EXAMPLE],
        responses={200: shapes.BackupSerializer(many=True), **shapes.failures(401, 403, 422)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """What is published, newest first; `?status=all` every run."""
        wanted = self.query(inputs.ListBackups)
        every = listing.list_runs(configuration=self.configuration, every=wanted["status"] != "published")
        if wanted["status"] not in ("published", "all"):
            every = [document for document in every if document.status == wanted["status"]]
        page, following = _page(every, limit=wanted["limit"], cursor=wanted.get("cursor"))
        headers = {"X-Total-Count": str(len(every))}
        if following:
            query = urlencode({"status": wanted["status"], "limit": wanted["limit"], "cursor": following})
            headers["Link"] = f'</api/backups?{query}>; rel="next"'
        return Response([self._entry(document) for document in page], headers=headers)

    def _entry(self, document: RunRecord) -> dict[str, Any]:
        """One row. What nobody verified has no list of collections on record: its folder is looked at."""
        entry = serializers.list_entry(document)
        if document.status == folder_records.UNVERIFIED:
            with contextlib.suppress(TempleOpsError, OSError):
                held = opening.open_backup(store=preparation.store(self.configuration), backup_id=document.backup_id)
                entry["collections_count"] = held.manifest.counts().collections
        return entry


class RunEndpoint(Removing):
    """GET and DELETE /api/backups/{backup_id}"""

    polling = True

    @extend_schema(
        summary="One run", operation_id="get_backup",
        responses={200: shapes.RunSerializer, 304: None, **shapes.failures(401, 403, 404, 422)},
    )  # fmt: skip
    def get(self, request: Request, backup_id: str) -> Response:
        """The run document, while it runs and ever after. Polling does not keep an idle session alive."""
        document = listing.get_run(configuration=self.configuration, backup_id=backup_id)
        tag = serializers.etag(document)
        if _matches(request.headers.get("If-None-Match", ""), tag):
            return Response(status=304, headers={"ETag": tag})
        return Response(serializers.run(document, now=self.now), headers={"ETag": tag})


class CancelEndpoint(Endpoint):
    """POST /api/backups/{backup_id}/cancel"""

    @extend_schema(
        summary="Cancel a run", operation_id="cancel_backup", request=None,
        responses={202: shapes.RunSerializer, **shapes.failures(401, 403, 404, 409, 422, 503)},
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """Stops within seconds, until the deletion begins: then 409."""
        document = backups.cancel(
            backup_id=backup_id, requested_by=self.person.get_username(), origin=Origin.API, now=self.now
        )
        return accepted(serializers.run(document, now=self.now))


class ResumeEndpoint(Endpoint):
    """POST /api/backups/{backup_id}/resume"""

    @extend_schema(
        summary="Finish or end an unfinished deletion", operation_id="resume_backup", request=inputs.Resume,
        responses={202: shapes.RunSerializer, **shapes.failures(400, 401, 403, 404, 409, 410, 415, 422, 503)},
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """Goes on in the same run. `{"keep": true}`: keep after all what is not deleted yet."""
        given = self.body(inputs.Resume)
        document = backups.resume(
            backup_id=backup_id,
            requested_by=self.person.get_username(),
            origin=Origin.API,
            now=self.now,
            keep=given["keep"],
        )
        return accepted(serializers.run(document, now=self.now))


class VerifyEndpoint(Endpoint):
    """POST /api/backups/{backup_id}/verify"""

    @extend_schema(
        summary="Verify a backup", operation_id="verify_backup", request=None, parameters=[jobs.PREFER],
        responses={200: shapes.Verified, 202: shapes.Job, **shapes.failures(401, 403, 404, 409, 410, 422, 503)},
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """Reads every byte again and compares it with the manifest. A damaged backup is an answer, not an error. Waits
        for the end (`BACKUP_SYNC_WAIT_SECONDS`), then answers 202; asked for twice while it goes on, it is done once.
        """
        asked: dict[str, Any] = {"configuration": self.configuration, "arguments": {"backup_id": backup_id}}
        known = asking.known(verifications.KIND, now=self.now, **asked)
        if known is not None and known.ended:
            asking.forget(verifications.KIND, **asked)
        who: dict[str, Any] = {"by": self.person.get_username(), "origin": Origin.API, "now": self.now}
        return jobs.answered(self, verifications.KIND, asking.ask(verifications.KIND, **asked, **who))


def _page(every: list[RunRecord], *, limit: int, cursor: str | None) -> tuple[list[RunRecord], str | None]:
    """Return the page after `cursor`, the id of the last run seen, and the cursor of the next page.

    When that run has gone meanwhile, the page begins with the next older id.
    """
    ids = [document.backup_id for document in every]
    if cursor is None:
        start = 0
    elif cursor in ids:
        start = ids.index(cursor) + 1
    else:
        start = next((number for number, backup_id in enumerate(ids) if backup_id < cursor), len(ids))
    page = every[start : start + limit]
    more = start + limit < len(every)
    return page, page[-1]["backup_id"] if more else None


def _matches(header: str, tag: str) -> bool:
    wanted: list[Any] = [one.strip().removeprefix("W/") for one in header.split(",")]
    return header.strip() == "*" or tag in wanted
