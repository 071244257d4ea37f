"""POST /api/backup/sync: bring both databases together now, outside a backup."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.api import jobs
from backups_app.api.shared import inputs, shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.records import Origin
from backups_app.use_cases.lanes import syncs
from backups_app.use_cases.syncs.syncs import SyncWish


class SyncEndpoint(Endpoint):
    """POST /api/backup/sync"""

    @extend_schema(
        summary="Sync now", operation_id="sync", request=inputs.Sync, parameters=[jobs.PREFER],
        responses={
            200: shapes.SyncLog, 202: shapes.Job, **shapes.failures(400, 401, 403, 409, 415, 422, 500, 503),
        },
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """The worker syncs. Answers with the document of `sync_logs` when it is done, and 202 when that takes longer
        than `BACKUP_SYNC_WAIT_SECONDS`. Nothing is overwritten or deleted before its bytes are kept. Pairing again and
        blocked deletions are decided on the page or by command, with a typed word.
        """
        given = self.body(inputs.Sync)
        names = given["collections"]
        wish = SyncWish(
            dry_run=given["dry_run"], exact=given["exact"], only=None if names is None else frozenset(names)
        )
        answer = syncs.begin(
            configuration=self.configuration, wish=wish, by=self.person.get_username(), origin=Origin.API, now=self.now,
            wait_seconds=0,
        )  # fmt: skip
        return jobs.answered(self, syncs.KIND, answer)
