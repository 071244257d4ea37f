"""GET /api/notifications and POST /api/notifications/test: the outbox of messages, and a test of the channels."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.api.shared import shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.api.shared.inputs import Strict, StrictCharField
from backups_app.use_cases.notifications import notifications


class ListNotifications(Strict):
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100)


class TestNotifications(Strict):
    channel = StrictCharField(
        max_length=64, required=False, allow_blank=True, default="",
        help_text="A channel's key, as the outbox names it. Left out: every channel that is sent messages.",
    )  # fmt: skip


class NotificationShape(serializers.Serializer[Any]):
    """One message by one channel. No address and no key of a channel stands in it."""

    id = serializers.IntegerField()
    event = serializers.CharField()
    kind = serializers.CharField()
    channel = serializers.CharField()
    channel_name = serializers.CharField()
    state = serializers.ChoiceField(choices=["waiting", "sending", "sent", "given_up"])
    attempts = serializers.IntegerField()
    may_arrive_twice = serializers.BooleanField(help_text="A worker was stopped while it sent this.")
    title = serializers.CharField()
    problem_code = serializers.CharField(allow_null=True, help_text="Why the last try failed.")
    problem = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)


class NotificationsEndpoint(Endpoint):
    """GET /api/notifications"""

    @extend_schema(
        summary="The outbox of messages", operation_id="list_notifications", parameters=[ListNotifications],
        responses={200: NotificationShape(many=True), **shapes.failures(401, 403, 422)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Newest first. What is not accepted is tried again with growing pauses for three days."""
        wanted = self.query(ListNotifications)
        return Response(notifications.newest(configuration=self.configuration, limit=wanted["limit"]))


class TestNotificationsEndpoint(Endpoint):
    """POST /api/notifications/test"""

    @extend_schema(
        summary="Send a test message", operation_id="test_notifications", request=TestNotifications,
        responses={200: NotificationShape(many=True), **shapes.failures(400, 401, 403, 404, 415, 422)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Sends it now and answers with what became of it, for each channel: `sent`, or `problem_code`."""
        rows = notifications.send_test(
            configuration=self.configuration, channel=self.body(TestNotifications)["channel"], by=self.person,
            visit=self.comes_from,
        )  # fmt: skip
        names = notifications.channel_names(self.configuration)
        return Response([notifications.public(row, names=names) for row in rows])
