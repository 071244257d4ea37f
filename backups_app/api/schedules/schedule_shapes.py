"""What the endpoints of schedules answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import BooleanField, CharField, ChoiceField, DateTimeField, ListField


class ScheduleSlotSerializer(serializers.Serializer[Any]):
    slot = DateTimeField()
    state = ChoiceField(
        choices=["claimed", "started", "running", "done", "failed", "missed", "skipped", "covered", "dropped"]
    )
    reason = CharField(allow_blank=True, help_text="A code: why it did not run, or what went wrong.")
    late = BooleanField(help_text="It began more than 15 minutes after its slot.")
    run = CharField(allow_blank=True, help_text="The id of its run or sync.")
    decided_at = DateTimeField()


class ScheduleSerializer(serializers.Serializer[Any]):
    name = CharField()
    do = ChoiceField(choices=["backup", "backup_and_delete", "incremental", "sync", "rehearse", "verify"])
    cron = CharField()
    time_zone = CharField()
    if_missed = ChoiceField(choices=["run", "skip"])
    enabled = BooleanField()
    target = CharField(allow_blank=True, help_text="A restore test begins from the copy there; empty: this disk.")
    next_runs = ListField(child=DateTimeField(), help_text="Five; none while it is paused.")
    waiting = DateTimeField(allow_null=True, help_text="The slot that waits for another run to end.")
    overdue = BooleanField(help_text="A backup that it should have made is late.")
    last = ScheduleSlotSerializer(allow_null=True)
    created_by = CharField()
    created_at = DateTimeField()


class Schedules(serializers.Serializer[Any]):
    schedules = ScheduleSerializer(many=True)
    worker_is_away = BooleanField(help_text="No worker has looked for three minutes: nothing planned will happen.")
