"""GET /api/backup/status: answers in cloud mode too, where everything else is 403."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.api.shared import shapes, status_shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.use_cases.status import status, status_json

EXAMPLE = OpenApiExample(
    "Ready",
    value={
        "primary_database": "local",
        "backup_available": True,
        "sync_enabled": True,
        "message": "Backup system ready",
    },
    response_only=True,
)


class StatusEndpoint(Endpoint):
    """GET /api/backup/status"""

    any_mode = True
    polling = True

    @extend_schema(
        summary="System status", operation_id="backup_status", examples=[EXAMPLE],
        responses={200: status_shapes.SystemStatusSerializer, **shapes.failures(401, 403)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Says what is wrong instead of failing: 200 also when a database does not answer."""
        return Response(status_json.public(status.status(configuration=self.configuration, now=self.now)))
