"""`assurance` of `GET /api/backup/status`, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import BooleanField, CharField, DateTimeField, FloatField, IntegerField


class AssuranceMark(serializers.Serializer[Any]):
    ok = BooleanField()
    since = DateTimeField(allow_null=True, help_text="Since when the evidence holds.")
    evidence = CharField(help_text="A sentence.")
    missing_code = CharField(allow_null=True, help_text="Why the mark is missing; null where it is there.")


class AssuranceMarks(serializers.Serializer[Any]):
    recent = AssuranceMark()
    elsewhere = AssuranceMark()
    restorable = AssuranceMark()
    watched = AssuranceMark()


class AssuranceStep(serializers.Serializer[Any]):
    code = CharField()
    sentence = CharField()
    next_step = CharField(allow_blank=True, help_text="A code: what to do.")
    hint = CharField(allow_blank=True)


class AssuranceFinding(serializers.Serializer[Any]):
    code = CharField()
    sentence = CharField()
    hint = CharField(allow_blank=True)
    backup_id = CharField(allow_null=True)


class RestoreTest(serializers.Serializer[Any]):
    at = DateTimeField(help_text="When it ended.")
    backup_id = CharField(help_text="The backup that it restored.")
    backup_at = DateTimeField(allow_null=True, help_text="When that backup began; null where its record is gone.")
    target = CharField(allow_null=True, help_text="The target whose copy it restored; null: from this disk.")
    newer_backups = IntegerField(help_text="Verified backups made since that one: they were not tested.")


class AssuranceSerializer(serializers.Serializer[Any]):
    code = CharField(help_text="`protected` when all four marks are there and nothing needs attention.")
    sentence = CharField()
    marks = AssuranceMarks()
    next_steps = AssuranceStep(many=True)
    attention = AssuranceFinding(many=True)
    loss_window_seconds = IntegerField(allow_null=True, help_text="What would be lost if this computer died now.")
    loss_documents = IntegerField(
        allow_null=True,
        help_text="Deleted documents that exist only on this disk; null where their number is not known or everything "
        "would be lost.",
    )
    loss_everything = BooleanField(
        allow_null=True, help_text="No target has a copy that counts, and there is no sync; null where it is not known."
    )
    last_restore_seconds = FloatField(allow_null=True, help_text="How long the last restore test took.")
    restore_test = RestoreTest(allow_null=True, help_text="The last restore test whose source has not failed since.")
