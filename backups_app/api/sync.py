"""POST /api/backup/sync: bring both databases together now, outside a backup."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app import formats
from backups_app.api.shared import inputs, shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.records import Origin
from backups_app.sync.engine import SyncReport
from backups_app.use_cases import syncs
from backups_app.use_cases.syncs import SyncWish


class SyncEndpoint(Endpoint):
    """POST /api/backup/sync"""

    @extend_schema(
        summary="Sync now", operation_id="sync", request=inputs.Sync,
        responses={200: shapes.SyncLog, **shapes.failures(400, 401, 403, 409, 415, 422, 500, 503)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Answers when it is done, with the document of `sync_logs`. Nothing is overwritten or deleted before its
        bytes are kept. Pairing again and blocked deletions are decided on the page or by command, with a typed word.
        """
        given = self.body(inputs.Sync)
        names = given["collections"]
        report = syncs.sync_now(
            wish=SyncWish(
                dry_run=given["dry_run"], exact=given["exact"], only=None if names is None else frozenset(names)
            ),
            requested_by=self.person.get_username(),
            origin=Origin.API,
            now=self.now,
        )
        return Response(_told(report))


def _told(report: SyncReport) -> dict[str, Any]:
    log: dict[str, Any] = formats.plain({name: value for name, value in report.log.items() if name != "_id"})
    return log | {"sentence": report.sentence}
