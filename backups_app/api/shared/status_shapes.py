"""`GET /api/backup/status`, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    FloatField,
    IntegerField,
    JSONField,
)

from backups_app.api.shared import assurance_shapes
from backups_app.assurance.sentence import Level


class Refusal(serializers.Serializer[Any]):
    code = CharField()
    detail = CharField()
    hint = CharField(allow_blank=True)


class ShortRun(serializers.Serializer[Any]):
    backup_id = CharField()
    created_at = DateTimeField()
    created_by = CharField()
    status = CharField()
    sync_status = CharField()
    phase = CharField()
    finished_at = DateTimeField(allow_null=True)


class ProvenBackup(serializers.Serializer[Any]):
    backup_id = CharField()
    at = DateTimeField(help_text="When the restore test ended.")
    sentence = CharField(allow_blank=True, help_text="What was compared.")


class Disk(serializers.Serializer[Any]):
    total_bytes = IntegerField(allow_null=True)
    free_bytes = IntegerField(allow_null=True)


class Server(serializers.Serializer[Any]):
    reachable = BooleanField()
    latency_ms = FloatField(allow_null=True)
    version = CharField(allow_blank=True)
    problem = Refusal(allow_null=True, help_text="Why it does not answer, or which right is missing.")


class SyncState(serializers.Serializer[Any]):
    synced_at = DateTimeField(allow_null=True)
    proof = JSONField(allow_null=True, help_text="What the last comparison of every document found.")
    blocked = DictField(child=CharField(), help_text="Collection: why its deletions wait for a decision.")
    left_over = DictField(child=CharField(), help_text="Collection: why it was not synced whole.")


class SystemStatusSerializer(serializers.Serializer[Any]):
    primary_database = ChoiceField(choices=["local", "cloud"])
    backup_available = BooleanField(help_text="Whether a backup can start now.")
    sync_enabled = BooleanField()
    message = CharField()
    verdict = ChoiceField(choices=[level.value for level in Level])
    sentence = CharField(help_text="How well the data is protected.")
    hint = CharField(allow_blank=True, help_text="What to do.")
    assurance = assurance_shapes.AssuranceSerializer(help_text="The four marks, from evidence.")
    engine = CharField(
        allow_blank=True, help_text="`mongodump` or `python`, the built-in one; empty where none can run."
    )
    problems = Refusal(many=True, help_text="Why no backup can be made now.")
    last_backup = ShortRun(allow_null=True, help_text="The newest verified backup.")
    last_proven_restorable = ProvenBackup(allow_null=True)
    active_run = ShortRun(allow_null=True)
    next_run = DateTimeField(allow_null=True, help_text="When the next scheduled backup is due.")
    backups_count = IntegerField()
    backups_on_other_hosts = IntegerField()
    disk = Disk()
    local = Server()
    remote = Server(allow_null=True, help_text="Atlas; null where sync is off.")
    sync = SyncState(allow_null=True)
    plain_http_allowed = BooleanField()
    checked_at = DateTimeField()
