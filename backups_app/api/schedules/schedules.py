"""Schedules: what runs by itself, and when."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app import formats
from backups_app.api.schedules import schedule_shapes
from backups_app.api.shared import inputs, shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.models import Schedule
from backups_app.records import Origin
from backups_app.use_cases.schedules import changes, overview
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.schedules.overview import ScheduleWish


class _ScheduleEndpoint(Endpoint):
    http_method_names = ("get", "head", "post", "put", "delete")

    def who(self, *, confirm: str = "") -> Who:
        return Who(by=self.person.get_username(), origin=Origin.API, now=self.now, confirm=confirm)

    def saving(self, name: str | None, given: dict[str, Any]) -> tuple[ScheduleWish, Who]:
        """Return what is asked for and who asks. A run that deletes bookings wants a fresh login to be switched on."""
        wish = ScheduleWish(
            **{field: given[field] for field in ("name", "do", "cron", "time_zone", "if_missed", "enabled", "target")}
        )
        if changes.needs_confirmation(name, wish):
            self.require_fresh_login()
        return wish, self.who(confirm=given["confirm"])


class SchedulesEndpoint(_ScheduleEndpoint):
    """GET and POST /api/schedules"""

    @extend_schema(
        summary="Schedules", operation_id="list_schedules",
        responses={200: schedule_shapes.Schedules, **shapes.failures(401, 403, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """All of them by name, with the next five runs, and what became of the last one."""
        newest_at = overview.newest_backup_at(configuration=self.configuration, now=self.now)
        found = overview.every(now=self.now, newest_at=newest_at)
        body = {
            "schedules": [overview.public(one) for one in found],
            "worker_is_away": overview.worker_is_away(now=self.now),
        }
        return Response(formats.plain(body))

    @extend_schema(
        summary="Add a schedule", operation_id="add_schedule", request=inputs.NewSchedule,
        responses={201: schedule_shapes.ScheduleSerializer, **shapes.failures(400, 401, 403, 409, 415, 422, 500, 503)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """One that deletes bookings needs `"confirm": "DELETE BOOKINGS"` and a fresh login; a run of it that was missed
        is always skipped."""
        wish, who = self.saving(None, self.body(inputs.NewSchedule))
        return Response(formats.plain(overview.public(changes.add(wish, who=who))), status=201)


class ScheduleEndpoint(_ScheduleEndpoint):
    """GET, PUT and DELETE /api/schedules/{schedule}"""

    @extend_schema(
        summary="One schedule", operation_id="get_schedule",
        responses={200: schedule_shapes.ScheduleSerializer, **shapes.failures(401, 403, 404, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request, schedule: str) -> Response:
        """With the next five runs, and what became of the last one."""
        return Response(formats.plain(overview.public(overview.get(schedule, now=self.now))))

    @extend_schema(
        summary="Change a schedule", operation_id="change_schedule", request=inputs.ChangedSchedule,
        responses={200: schedule_shapes.ScheduleSerializer, **shapes.failures(400, 401, 403, 404, 409, 415, 422, 500,
        503)},
    )  # fmt: skip
    def put(self, request: Request, schedule: str) -> Response:
        """What is not named stays. `{"enabled": false}` pauses it; what is due meanwhile does not count as missed."""
        before = overview.get(schedule, now=self.now).wish
        asked = self.body(inputs.ChangedSchedule)
        if asked.get("do", before.do) != before.do:
            asked.setdefault("if_missed", "")
        wish, who = self.saving(schedule, {"confirm": "", **vars(before), **asked})
        return Response(formats.plain(overview.public(changes.change(schedule, wish, who=who))))

    @extend_schema(
        summary="Remove a schedule", operation_id="remove_schedule",
        responses={204: None, **shapes.failures(401, 403, 404, 500, 503)},
    )  # fmt: skip
    def delete(self, request: Request, schedule: str) -> Response:
        """What it did stays in the audit trail."""
        changes.remove(schedule, who=self.who())
        return Response(status=204)


class RunScheduleEndpoint(_ScheduleEndpoint):
    """POST /api/schedules/{schedule}/run"""

    @extend_schema(
        summary="Run a schedule now", operation_id="run_schedule", request=inputs.RunSchedule,
        responses={202: schedule_shapes.ScheduleSlotSerializer, **shapes.failures(400, 401, 403, 404, 409, 415, 422,
        500, 503)},
    )  # fmt: skip
    def post(self, request: Request, schedule: str) -> Response:
        """`run` is the id of the run that was started; empty for a sync and a verification, which the worker does when
        its turn comes. One that deletes bookings needs the phrase and a fresh login."""
        confirm = self.body(inputs.RunSchedule)["confirm"]
        if overview.get(schedule, now=self.now).row.do == Schedule.Do.BACKUP_AND_DELETE:
            self.require_fresh_login()
        slot = changes.run_now(schedule, who=self.who(confirm=confirm))
        return Response(formats.plain(overview.public_slot(slot)), status=202)
