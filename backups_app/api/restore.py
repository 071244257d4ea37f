"""POST /api/backups/{backup_id}/restore: first the preview, then the restore that names the preview's hash."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.api import inputs, serializers, shapes
from backups_app.api.endpoint import Endpoint
from backups_app.api.trigger import accepted
from backups_app.records import Origin
from backups_app.restore.choices import Choices
from backups_app.workflow import preview_json, restoring


class RestoreEndpoint(Endpoint):
    """POST /api/backups/{backup_id}/restore"""

    @extend_schema(
        summary="Preview a restore, or restore", operation_id="restore_backup", request=inputs.Restore,
        responses={
            200: shapes.Preview, 202: shapes.Run,
            **shapes.failures(400, 401, 403, 404, 409, 410, 415, 422, 500, 503),
        },
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """`dry_run` is true unless told otherwise: both sides are read and compared, nothing is written.

        With `"dry_run": false` and the preview's `confirmation` it restores, a safety backup first. Into the temple's
        database it wants a fresh login.
        """
        given = self.body(inputs.Restore)
        choices = self._choices(backup_id, given)
        if given["dry_run"]:
            return Response(preview_json.of(restoring.look(configuration=self.configuration, choices=choices)))
        if choices.in_place:
            self.require_fresh_login()
        document = restoring.start(
            choices=choices,
            confirmation=given["confirmation"],
            created_by=self.person.get_username(),
            origin=Origin.API,
            now=self.now,
        )
        return accepted(serializers.run(document, now=self.now))

    def _choices(self, backup_id: str, given: dict[str, Any]) -> Choices:
        return restoring.choose(
            configuration=self.configuration,
            backup_id=backup_id,
            collections=given["collections"],
            mode=given["mode"],
            to=given["to"],
            include_purged=given["include_purged"],
            document=given["id"],
        )
