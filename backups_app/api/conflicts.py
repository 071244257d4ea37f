"""GET /api/backup/sync/conflicts and one of them: what a sync replaced or deleted, and putting it back."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app import formats
from backups_app.api.shared import shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.api.shared.inputs import Strict, StrictCharField
from backups_app.backup_files.shown import extended_json, shortened
from backups_app.records import Origin
from backups_app.use_cases.syncs import conflicts

SHOWN_FIELDS = ("collection", "side", "kind", "reason", "why", "kept_at", "applied", "put_back_at", "run_id", "sha256")


class ListKept(Strict):
    which = serializers.ChoiceField(choices=["conflicts", "all"], default="conflicts")
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100)
    offset = serializers.IntegerField(min_value=0, max_value=2**40 - 1, default=0)


class PutBack(Strict):
    seen = StrictCharField(max_length=64, help_text="`live_sha256` of the version that you looked at.")


class KeptSerializer(serializers.Serializer[Any]):
    """A version that lost its place. More fields may stand in it."""

    id = serializers.CharField()
    document_id = serializers.JSONField()
    collection = serializers.CharField()
    side = serializers.ChoiceField(choices=["local", "remote"])
    kind = serializers.ChoiceField(choices=["replaced", "deleted"])
    why = serializers.CharField()
    kept_at = serializers.DateTimeField()


class KeptWhole(KeptSerializer):
    """Beside what is live on this computer now."""

    version = serializers.DictField()
    live = serializers.DictField(allow_null=True)
    live_sha256 = serializers.CharField(help_text="`nothing` where there is no live version.")
    changes = serializers.ListField(child=serializers.DictField(), help_text="What restoring it would change.")


class ConflictsEndpoint(Endpoint):
    """GET /api/backup/sync/conflicts"""

    @extend_schema(
        summary="Replaced versions", operation_id="list_conflicts", parameters=[ListKept],
        responses={200: KeptSerializer(many=True), **shapes.failures(401, 403, 422, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Newest first; `which=all` says ordinary edits and deletions too."""
        wanted = self.query(ListKept)
        found = conflicts.newest(
            configuration=self.configuration,
            only_conflicts=wanted["which"] == "conflicts",
            limit=wanted["limit"],
            offset=wanted["offset"],
        )
        return Response([_reported(record) for record in found])


class ConflictEndpoint(Endpoint):
    """GET /api/backup/sync/conflicts/{id}"""

    @extend_schema(
        summary="One replaced version", operation_id="show_conflict",
        responses={200: KeptWhole, **shapes.failures(401, 403, 404, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request, conflict_id: str) -> Response:
        """With both documents as relaxed Extended JSON, one above 1 MiB shortened, and their difference by fields."""
        version = conflicts.get(configuration=self.configuration, conflict_id=conflict_id)
        shown = {
            "version": extended_json.relaxed_or_raw(shortened.shorten(version.frame)),
            "live": None if version.live is None else extended_json.relaxed_or_raw(shortened.shorten(version.live)),
            "live_sha256": version.live_hash,
            "changes": [change.as_json() for change in version.changes()],
        }
        return Response(_reported(version.record) | shown)


class PutBackEndpoint(Endpoint):
    """POST /api/backup/sync/conflicts/{id}/put-back"""

    @extend_schema(
        summary="Restore a replaced version", operation_id="put_back", request=PutBack,
        responses={204: None, **shapes.failures(400, 401, 403, 404, 409, 415, 422, 500, 503)},
    )  # fmt: skip
    def post(self, request: Request, conflict_id: str) -> Response:
        """On this computer, if what is live is still what was seen; what stands there is kept first. The next sync
        carries it to Atlas."""
        conflicts.restore_version(
            configuration=self.configuration,
            conflict_id=conflict_id,
            seen=self.body(PutBack)["seen"],
            requested_by=self.person.get_username(),
            origin=Origin.API,
            now=self.now,
        )
        return Response(status=204)


def _reported(record: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = formats.plain({name: record.get(name) for name in ("document_id", *SHOWN_FIELDS)})
    return {"id": record["_id"], **shown}
