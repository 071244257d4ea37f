"""Restore: first the preview, then the restore that names the preview's hash. Rehearsals, and test copies."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app import formats
from backups_app.api import jobs
from backups_app.api.backups.trigger import accepted
from backups_app.api.shared import inputs, serializers, shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.records import Origin
from backups_app.restore.choices import Choices
from backups_app.use_cases import copy_rehearsals
from backups_app.use_cases.lanes import asking, previews
from backups_app.use_cases.restores import restores


class RestoreEndpoint(Endpoint):
    """POST /api/backups/{backup_id}/restore"""

    @extend_schema(
        summary="Preview a restore, or restore", operation_id="restore_backup", request=inputs.Restore,
        parameters=[jobs.PREFER],
        responses={
            200: shapes.Preview, 202: shapes.RunOrJob,
            **shapes.failures(400, 401, 403, 404, 409, 410, 415, 422, 429, 500, 503),
        },
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """`dry_run` is true unless set otherwise: both sides are read and compared, nothing is written.

        A preview that takes longer than `BACKUP_SYNC_WAIT_SECONDS` is answered 202 with the address of its job.
        With `"dry_run": false` and the preview's `confirmation` it restores, a safety backup first. Into the temple's
        database it wants a fresh login.
        """
        given = self.body(inputs.Restore)
        choices = self._choices(backup_id, given)
        if given["dry_run"]:
            return self._preview(choices)
        if choices.in_place:
            self.require_fresh_login()
        document = restores.start(
            choices=choices,
            confirmation=given["confirmation"],
            created_by=self.person.get_username(),
            origin=Origin.API,
            now=self.now,
        )
        return accepted(serializers.run(document, now=self.now))

    def _preview(self, choices: Choices) -> Response:
        """Answer for the present state, but join the same preview while it is being made."""
        asked: dict[str, Any] = {"configuration": self.configuration, "arguments": previews.arguments_of(choices)}
        known = asking.known(previews.KIND, now=self.now, **asked)
        if known is not None and known.ended:
            asking.forget(previews.KIND, **asked)
        who: dict[str, Any] = {"by": self.person.get_username(), "origin": Origin.API, "now": self.now}
        return jobs.answered(self, previews.KIND, asking.ask(previews.KIND, **asked, **who))

    def _choices(self, backup_id: str, given: dict[str, Any]) -> Choices:
        return restores.choose(
            configuration=self.configuration,
            backup_id=backup_id,
            collections=given["collections"],
            mode=given["mode"],
            to=given["to"],
            include_purged=given["include_purged"],
            document=given["id"],
        )


class RehearsalEndpoint(Endpoint):
    """POST /api/backup/rehearse"""

    @extend_schema(
        summary="Test a restore", operation_id="rehearse", request=inputs.Rehearse,
        responses={202: shapes.RunSerializer, **shapes.failures(400, 401, 403, 404, 409, 415, 422, 500, 503)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Restores the newest verified backup, or the one that is named, into a scratch database, compares it document
        by document and removes the scratch. With `target` it begins from the copy there. The run says how it ended; the
        temple's database is not touched."""
        given = self.body(inputs.Rehearse)
        who: dict[str, Any] = {
            "created_by": self.person.get_username(), "origin": Origin.API, "now": self.now,
        }  # fmt: skip
        if given["target"]:
            document = copy_rehearsals.start(target=given["target"], backup_id=given["backup_id"], **who)
        else:
            document = restores.rehearse(backup_id=given["backup_id"], **who)
        return accepted(serializers.run(document, now=self.now))


class CopiesEndpoint(Endpoint):
    """GET /api/backup/copies"""

    @extend_schema(
        summary="Test copies", operation_id="list_copies",
        responses={200: shapes.TestCopy(many=True), **shapes.failures(401, 403, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The databases that restores made beside the temple's, newest first."""
        copies = restores.list_copies(configuration=self.configuration)
        return Response([formats.plain(vars(copy)) for copy in copies])


class CopyEndpoint(Endpoint):
    """DELETE /api/backup/copies/{name}"""

    @extend_schema(
        summary="Remove a test copy", operation_id="remove_copy", request=None,
        responses={204: None, **shapes.failures(401, 403, 409, 422, 500, 503)},
    )  # fmt: skip
    def delete(self, request: Request, name: str) -> Response:
        """Only a database that bears our mark of a test copy is ever removed."""
        restores.remove_copy(
            configuration=self.configuration,
            name=name,
            removed_by=self.person.get_username(),
            origin=Origin.API,
            now=self.now,
        )
        return Response(status=204)
