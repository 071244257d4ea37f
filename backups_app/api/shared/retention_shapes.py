"""What the endpoints of retention take and answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.serializers import BooleanField, CharField, ChoiceField, DateTimeField, IntegerField, ListField

from backups_app.api.shared.inputs import Strict, StrictBooleanField, StrictCharField
from backups_app.retention.policy import LARGEST


def _rule() -> IntegerField:
    return IntegerField(min_value=0, max_value=LARGEST, required=False)


class RetentionRules(Strict):
    last = _rule()
    daily = _rule()
    weekly = _rule()
    monthly = _rule()
    yearly = _rule()


class ChangeRetention(RetentionRules):
    off = StrictBooleanField(default=False, help_text="Remove nothing by itself any more. No other field beside it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse rules beside `off`: which of the two was meant would be a guess."""
        if attrs["off"] and len(attrs) > 1:
            raise serializers.ValidationError({"off": ["Give rules, or turn retention off, not both."]})
        return attrs


class RetentionOff(Strict):
    off = StrictBooleanField(help_text="Remove nothing by itself any more. No other field beside it.")


RULES_OR_OFF = PolymorphicProxySerializer(
    component_name="RulesOrOff", serializers=[RetentionRules, RetentionOff], resource_type_field_name=None
)
"""How OpenAPI describes what `ChangeRetention` takes."""


class PinBackup(Strict):
    note = StrictCharField(max_length=200, required=False, allow_blank=True, default="", help_text="Why.")


class ConfirmBackup(Strict):
    confirm = StrictCharField(max_length=18, help_text="The backup's id, typed again.")


class RulesSerializer(serializers.Serializer[Any]):
    last = IntegerField()
    daily = IntegerField()
    weekly = IntegerField()
    monthly = IntegerField()
    yearly = IntegerField()


class RetentionState(serializers.Serializer[Any]):
    on = BooleanField(help_text="Off: nothing is removed by itself.")
    policy = RulesSerializer(allow_null=True, help_text="The rules in force.")
    proposed = RulesSerializer(help_text="What the page proposes.")
    min_keep = IntegerField(help_text="How many of the newest always stay (`MIN_KEEP`).")


class Decided(serializers.Serializer[Any]):
    backup_id = CharField()
    reasons = ListField(child=CharField(), help_text="Codes.")


class KeptLater(serializers.Serializer[Any]):
    at = DateTimeField()
    backups = IntegerField()
    history_days = IntegerField()


class RetentionPreview(serializers.Serializer[Any]):
    policy = RulesSerializer()
    kept = Decided(many=True)
    removed = Decided(many=True)
    history_days = IntegerField(help_text="How many days back the counted backups reach.")
    history_days_then = IntegerField(help_text="The same, after these rules were applied.")
    in_30_days = KeptLater(
        allow_null=True,
        help_text="What is kept then, if the schedules go on. Null where one makes more than 3,000 runs until then.",
    )


class Pinned(serializers.Serializer[Any]):
    by = CharField()
    at = DateTimeField()
    note = CharField(allow_blank=True)


class InTrashSerializer(serializers.Serializer[Any]):
    backup_id = CharField()
    removed_at = DateTimeField()
    until = DateTimeField(help_text="Until then it can be brought back.")


class BroughtBack(serializers.Serializer[Any]):
    backup_id = CharField()
    pinned = BooleanField(help_text="Pinned, because the rules removed it and would remove it again.")


class RemovedBackup(serializers.Serializer[Any]):
    at = DateTimeField()
    by = CharField()
    how = ChoiceField(choices=["retention", "person"])
    reasons = ListField(child=CharField(), help_text="Codes.")
    in_trash_until = DateTimeField(allow_null=True, help_text="Until then it can be brought back.")
