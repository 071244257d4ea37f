"""Retention: the policy, what it would do, and an admin's word about one backup."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app import formats
from backups_app.api.shared import retention_shapes, shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.records import Origin
from backups_app.retention.policy import PROPOSED, Policy
from backups_app.use_cases.retention import bringing_back, pins, policy, removal, simulation
from backups_app.use_cases.schedules import overview


class _RetentionEndpoint(Endpoint):
    def who(self) -> dict[str, Any]:
        return {
            "configuration": self.configuration, "requested_by": self.person.get_username(), "origin": Origin.API,
            "now": self.now,
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        in_force = policy.current()
        return {
            "on": in_force is not None,
            "policy": in_force and in_force.as_json(),
            "proposed": PROPOSED.as_json(),
            "min_keep": self.configuration.min_keep,
        }


class RetentionEndpoint(_RetentionEndpoint):
    """GET and PUT /api/retention"""

    http_method_names = ("get", "head", "put")

    @extend_schema(
        summary="Which backups are kept", operation_id="get_retention",
        responses={200: retention_shapes.RetentionState, **shapes.failures(401, 403, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The rules in force. Off until somebody turns it on."""
        return Response(self.state())

    @extend_schema(
        summary="Set the rules", operation_id="set_retention", request=retention_shapes.RULES_OR_OFF,
        responses={
            200: retention_shapes.RetentionState, **shapes.failures(400, 401, 403, 415, 422, 500, 503),
        },
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """The whole policy: what is not named is 0. `{"off": true}` turns retention off. Wants a fresh login.
        It removes nothing: the next good run does."""
        given = self.body(retention_shapes.ChangeRetention)
        wanted = None if given.pop("off") else Policy(**given)
        self.require_fresh_login()
        policy.change(
            configuration=self.configuration, policy=wanted, changed_by=self.person.get_username(),
            origin=Origin.API, now=self.now,
        )  # fmt: skip
        return Response(self.state())


class RetentionPreviewEndpoint(_RetentionEndpoint):
    """GET /api/retention/preview"""

    @extend_schema(
        summary="Simulate rules", operation_id="preview_retention", parameters=[retention_shapes.RetentionRules],
        responses={200: retention_shapes.RetentionPreview, **shapes.failures(401, 403, 422, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Of the rules in the address; without any, of those in force, or else of the proposed ones. Writes nothing."""
        given = self.query(retention_shapes.RetentionRules)
        rules = Policy(**given) if given else policy.current() or PROPOSED
        found = simulation.simulate(
            configuration=self.configuration, policy=rules, now=self.now, coming=overview.backup_slots(now=self.now)
        )
        return Response(simulation.public(found))


class PinEndpoint(_RetentionEndpoint):
    """POST and DELETE /api/backups/{backup_id}/pin"""

    @extend_schema(
        summary="Pin a backup", operation_id="pin_backup", request=retention_shapes.PinBackup,
        responses={200: retention_shapes.Pinned, **shapes.failures(400, 401, 403, 404, 410, 415, 422, 500, 503)},
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """No rule and no person removes it until the pin goes. A second pin replaces the note."""
        note = self.body(retention_shapes.PinBackup)["note"]
        return Response(formats.plain(pins.pin(backup_id=backup_id, note=note, **self.who())))

    @extend_schema(
        summary="Unpin a backup", operation_id="unpin_backup", request=None,
        responses={204: None, **shapes.failures(401, 403, 404, 410, 422, 500, 503)},
    )  # fmt: skip
    def delete(self, request: Request, backup_id: str) -> Response:
        """The rules apply to it again."""
        pins.unpin(backup_id=backup_id, **self.who())
        return Response(status=204)


class ReleaseEndpoint(_RetentionEndpoint):
    """POST /api/backups/{backup_id}/release"""

    @extend_schema(
        summary="Release what a backup holds", operation_id="release_backup", request=retention_shapes.ConfirmBackup,
        responses={204: None, **shapes.failures(400, 401, 403, 404, 409, 415, 422, 500, 503)},
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """Nobody needs any more what this backup alone holds: the rules may remove it. Wants a fresh login."""
        typed = self.body(retention_shapes.ConfirmBackup)["confirm"]
        self.require_fresh_login()
        pins.release(backup_id=backup_id, typed=typed, **self.who())
        return Response(status=204)


class AcceptEndpoint(_RetentionEndpoint):
    """POST /api/backups/{backup_id}/accept"""

    @extend_schema(
        summary="Accept a loss", operation_id="accept_backup", request=retention_shapes.ConfirmBackup,
        responses={204: None, **shapes.failures(400, 401, 403, 404, 409, 410, 415, 422, 500, 503)},
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """What a collection lost in this backup was meant: older backups may go again. Wants a fresh login."""
        typed = self.body(retention_shapes.ConfirmBackup)["confirm"]
        self.require_fresh_login()
        pins.accept(backup_id=backup_id, typed=typed, **self.who())
        return Response(status=204)


class UndoRemovalEndpoint(_RetentionEndpoint):
    """POST /api/backups/{backup_id}/undo"""

    @extend_schema(
        summary="Bring a removed backup back", operation_id="undo_removal", request=None,
        responses={200: retention_shapes.BroughtBack, **shapes.failures(401, 403, 404, 409, 410, 422, 500, 503)},
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """For a day after its removal it lies in the trash."""
        pinned = bringing_back.bring_back(backup_id=backup_id, **self.who())
        return Response({"backup_id": backup_id, "pinned": pinned})


class Removing(_RetentionEndpoint):
    """DELETE /api/backups/{backup_id}"""

    @extend_schema(
        summary="Remove a backup", operation_id="remove_backup", parameters=[retention_shapes.ConfirmBackup],
        responses={
            200: retention_shapes.InTrashSerializer, **shapes.failures(400, 401, 403, 404, 409, 410, 415, 422, 500,
            503),
        },
    )  # fmt: skip
    def delete(self, request: Request, backup_id: str) -> Response:
        """Into the trash for a day, by its id typed again in `confirm`, in the address or as `{"confirm": id}` in the
        body. 409 with the reason where it stays. Wants a fresh login."""
        given = self.body if request.data and not request.query_params else self.query
        typed = given(retention_shapes.ConfirmBackup)["confirm"]
        self.require_fresh_login()
        thrown = removal.remove(backup_id=backup_id, typed=typed, **self.who())
        return Response(formats.plain({"backup_id": backup_id, "removed_at": thrown.at, "until": thrown.until}))
