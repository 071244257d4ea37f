"""Copies elsewhere: the targets, the copies of one backup, copy now, remove a copy by name."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.api.shared import shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.api.shared.inputs import Strict, StrictCharField
from backups_app.records import Origin
from backups_app.use_cases.copies import acts, overview, removing
from backups_app.use_cases.copies.acts import CopyRequest
from backups_app.use_cases.listing import listing


class CopyWish(Strict):
    target = StrictCharField(
        max_length=31, required=False, allow_blank=True, default="", help_text="Left out: to every target."
    )


class CopyRemoval(Strict):
    target = StrictCharField(max_length=31)
    confirm = StrictCharField(max_length=32, help_text="The id of the backup, typed again.")


class CopyShape(serializers.Serializer[Any]):
    """One copy of one backup. It counts when it is complete."""

    backup_id = serializers.CharField()
    target = serializers.CharField()
    state = serializers.ChoiceField(choices=["complete", "copying", "failed", "unknown"])
    bytes = serializers.IntegerField(help_text="Stored bytes.")
    copied_at = serializers.DateTimeField(allow_null=True)
    read_back_at = serializers.DateTimeField(allow_null=True, help_text="When all of it was last read and compared.")
    recipients = serializers.ListField(
        child=serializers.CharField(), help_text="Public keys of age it is encrypted to."
    )
    error_code = serializers.CharField(allow_null=True)


class RemovedCopyShape(serializers.Serializer[Any]):
    """What was removed, and what that means."""

    backup_id = serializers.CharField()
    target = serializers.CharField()
    only_here = serializers.CharField(
        allow_null=True, help_text="A sentence that says what only this computer's disk holds now; null where nothing."
    )
    kept = serializers.CharField(
        allow_null=True, help_text="How many objects stay because other copies consist of them; null where none does."
    )


class TargetShape(serializers.Serializer[Any]):
    """One target. No key and no address with a secret stands in it."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["s3", "az", "gs", "file"])
    address = serializers.CharField()
    elsewhere = serializers.BooleanField(help_text="It survives this computer: only such copies count as elsewhere.")
    recipients = serializers.IntegerField(help_text="To how many keys new copies are encrypted.")
    key_opened_at = serializers.DateTimeField(allow_null=True, help_text="When a private key last opened a copy.")
    complete = serializers.IntegerField()
    copying = serializers.IntegerField()
    failed = serializers.IntegerField()
    in_clear = serializers.IntegerField(help_text="Complete copies that are not encrypted.")
    with_old_key = serializers.IntegerField(help_text="Copies that only an earlier key reads.")
    stored_bytes = serializers.IntegerField()
    last_copied_at = serializers.DateTimeField(allow_null=True)
    last_read_back_at = serializers.DateTimeField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)


class TargetsEndpoint(Endpoint):
    """GET /api/targets"""

    http_method_names = ("get", "head")

    @extend_schema(
        summary="Where copies go", operation_id="list_targets",
        responses={200: TargetShape(many=True), **shapes.failures(401, 403, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """What each target has, as our own records report. No target is asked."""
        return Response([target.as_json() for target in overview.targets(configuration=self.configuration)])


class BackupCopiesEndpoint(Endpoint):
    """GET, POST and DELETE /api/backups/{id}/copies"""

    @extend_schema(
        summary="The copies of a backup", operation_id="get_backup_copies",
        responses={200: CopyShape(many=True), **shapes.failures(401, 403, 404, 410, 422, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request, backup_id: str) -> Response:
        """Where this backup is besides this computer."""
        found = overview.copies(configuration=self.configuration, backup_id=backup_id)
        if not found:
            listing.get_run(configuration=self.configuration, backup_id=backup_id)
        return Response([copy.as_json() for copy in found])

    @extend_schema(
        summary="Copy a backup now", operation_id="copy_backup", request=CopyWish,
        responses={202: CopyShape(many=True), **shapes.failures(400, 401, 403, 404, 409, 410, 415, 422, 500, 503)},
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """The worker begins within seconds. Ask again for its progress."""
        wanted = self.body(CopyWish)
        copies = acts.copy_soon(self._asked(), backup_id=backup_id, target=wanted["target"])
        return Response([copy.as_json() for copy in copies], status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Remove a copy", operation_id="remove_backup_copy", parameters=[CopyRemoval],
        responses={200: RemovedCopyShape, **shapes.failures(401, 403, 404, 409, 422, 500, 503)},
    )  # fmt: skip
    def delete(self, request: Request, backup_id: str) -> Response:
        """Removes it from the target for good; the backup here stays. Wants a fresh login."""
        wanted = self.query(CopyRemoval)
        self.require_fresh_login()
        removed = removing.remove(self._asked(), backup_id=backup_id, target=wanted["target"], typed=wanted["confirm"])
        messages = {"only_here": removed.only_here, "kept": removed.kept}
        sentences = {name: None if one is None else str(one) for name, one in messages.items()}
        return Response({"backup_id": backup_id, "target": wanted["target"], **sentences})

    def _asked(self) -> CopyRequest:
        return CopyRequest(
            configuration=self.configuration, requested_by=self.person.get_username(), origin=Origin.API, now=self.now
        )
