"""GET /api/audit: who did what, newest first."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.access.trail import audit
from backups_app.api.shared import inputs, shapes
from backups_app.api.shared.endpoint import Endpoint


class AuditEndpoint(Endpoint):
    """GET /api/audit"""

    @extend_schema(
        summary="The audit trail", operation_id="list_audit", parameters=[inputs.ListAudit],
        responses={200: shapes.AuditRow(many=True), **shapes.failures(401, 403, 422)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Rows are numbered without gaps; `before` is the number to go on below."""
        wanted = self.query(inputs.ListAudit)
        rows = audit.newest(limit=wanted["limit"], before=wanted.get("before"))
        headers = {"X-Total-Count": str(audit.digest().count)}
        if rows and rows[-1].n > 1:
            headers["Link"] = f'</api/audit?limit={wanted["limit"]}&before={rows[-1].n}>; rel="next"'
        return Response([audit.public(row) for row in rows], headers=headers)
