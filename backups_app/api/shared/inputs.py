"""What the endpoints accept. Unknown keys are refused: a misspelt `delete_booking` must not mean `false`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.validators import ProhibitNullCharactersValidator, RegexValidator
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from backups_app.records import LISTED_STATUSES

NOT_ONLY_SPACES = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""Spelt out: what `\\s` means differs between Python and the readers of OpenAPI."""
BACKUP_ID = r"\A[0-9]{8}_[0-9]{6}(_[0-9]{2})?\Z"


class StrictBooleanField(serializers.BooleanField):
    """`true` or `false`, and nothing that only looks like it: this word deletes bookings."""

    def to_internal_value(self, data: Any) -> bool:
        if data is True or data is False:
            return bool(data)
        raise serializers.ValidationError("Must be true or false.", code="invalid")


class StrictCharField(serializers.CharField):
    """A JSON string: numbers and booleans are not turned into text. Its content is checked by its reader, so that
    a name with a NUL in it is as unknown as any other."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})
        self.validators = [one for one in self.validators if not isinstance(one, ProhibitNullCharactersValidator)]

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.", code="invalid")
        return super().to_internal_value(data)


class Strict(serializers.Serializer[Any]):
    """An object with these keys and no others."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"non_field_errors": ["The body must be a JSON object."]})
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({name[:100]: ["There is no such field."] for name in unknown[:20]})
        return super().to_internal_value(data)


class Login(Strict):
    username = StrictCharField(max_length=1000)
    password = StrictCharField(max_length=4096)


class Refresh(Strict):
    refresh = StrictCharField(max_length=8192)


class Trigger(Strict):
    delete_bookings = StrictBooleanField(
        default=False, help_text="Whether bookings and employee_bookings are deleted afterwards."
    )
    incremental = StrictBooleanField(
        default=False, help_text="Write what changed since the last full backup, and delete nothing at all."
    )


class Resume(Strict):
    keep = StrictBooleanField(
        default=False, help_text="Keep after all: end the unfinished deletion without deleting more."
    )


class Sync(Strict):
    dry_run = StrictBooleanField(default=False, help_text="Only show what would be done; write nothing.")
    exact = StrictBooleanField(default=False, help_text="Read everything on both sides and compare it.")
    collections = serializers.ListField(
        child=StrictCharField(max_length=255), required=False, allow_null=True, default=None, allow_empty=False,
        min_length=1,  # allow_empty says it in words, this in the OpenAPI document
        max_length=1000, help_text="Only these.",
    )  # fmt: skip


class Restore(Strict):
    dry_run = StrictBooleanField(default=True, help_text="Read and compare only: the preview, and the hash to confirm.")
    collections = serializers.ListField(
        child=StrictCharField(max_length=255), required=False, allow_null=True, default=None, allow_empty=False,
        min_length=1,  # allow_empty says it in words, this in the OpenAPI document
        max_length=1000, help_text="Only these. Left out: all of the temple's, without those emptied on purpose.",
    )  # fmt: skip
    id = StrictCharField(
        required=False, allow_null=True, default=None, max_length=1024, help_text="One `_id` of the one collection."
    )
    mode = serializers.ChoiceField(choices=["add", "overwrite", "replace"], default="add")
    to = StrictCharField(
        required=False, allow_null=True, default=None, max_length=64, help_text="A test copy instead of the database."
    )
    include_purged = StrictBooleanField(default=False)
    confirmation = StrictCharField(
        required=False, allow_null=True, default=None, max_length=128, help_text="The preview's hash."
    )


class Rehearse(Strict):
    backup_id = serializers.RegexField(
        BACKUP_ID, required=False, allow_null=True, default=None, max_length=18,
        help_text="Left out: the newest verified backup.",
    )  # fmt: skip
    target = serializers.RegexField(
        r"^[a-z][a-z0-9_-]{0,30}$", required=False, allow_null=True, default=None, max_length=31,
        help_text="Begin from the copy at this target instead of this disk. An encrypted one needs "
        "`BACKUP_COPY_IDENTITY_FILE`.",
    )  # fmt: skip


class ListBackups(Strict):
    status = serializers.ChoiceField(choices=["published", "all", *LISTED_STATUSES], default="published")
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=1000)
    cursor = serializers.RegexField(BACKUP_ID, required=False, max_length=18)


class ListCollections(Strict):
    own = serializers.BooleanField(default=False, help_text="Our own records too.")


class ListDocuments(Strict):
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100)
    offset = serializers.IntegerField(min_value=0, max_value=2**40 - 1, default=0)
    search = StrictCharField(max_length=256, allow_blank=True, default="")
    format = serializers.ChoiceField(choices=["relaxed", "plain"], default="relaxed")
    whole = serializers.BooleanField(default=False, help_text="Only the document `offset`, however large.")


class Find(Strict):
    q = StrictCharField(
        max_length=256, validators=[RegexValidator(NOT_ONLY_SPACES, "Must hold more than spaces.")],
        help_text="A literal, or `field:value`.",
    )  # fmt: skip
    cursor = StrictCharField(
        max_length=64, required=False, allow_blank=True, default="", help_text="`next` of the answer before, same `q`."
    )
    only_lost = serializers.BooleanField(
        default=False, help_text="Leave out what is live on this computer. Counts where a search begins."
    )


class ListAudit(Strict):
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100)
    before = serializers.IntegerField(min_value=1, max_value=2**53, required=False)


WORK = ["backup", "backup_and_delete", "incremental", "sync", "rehearse", "verify"]


class RunSchedule(Strict):
    confirm = StrictCharField(
        max_length=64, required=False, allow_blank=True, default="",
        help_text="`DELETE BOOKINGS`, where bookings will be deleted.",
    )  # fmt: skip


@extend_schema_serializer(component_name="Schedule")
class NewSchedule(Strict):
    name = StrictCharField(max_length=64)
    do = serializers.ChoiceField(choices=WORK, default="backup")
    cron = StrictCharField(
        max_length=100, default="0 2 * * *", help_text="Five fields: minute, hour, day, month, day of the week."
    )
    time_zone = StrictCharField(
        max_length=64, required=False, allow_blank=True, default="", help_text="Left out: the temple's (`TIME_ZONE`)."
    )
    if_missed = serializers.ChoiceField(
        choices=["run", "skip", ""], required=False, default="",
        help_text="A missed slot: one late run for any number of them, or none. `backup_and_delete` always skips.",
    )  # fmt: skip
    enabled = StrictBooleanField(default=True)
    target = StrictCharField(
        max_length=64, required=False, allow_blank=True, default="",
        help_text="`rehearse`: begin from the copy at this target. An encrypted one needs `BACKUP_COPY_IDENTITY_FILE`.",
    )  # fmt: skip
    confirm = StrictCharField(
        max_length=64, required=False, allow_blank=True, default="",
        help_text="`DELETE BOOKINGS`, where bookings will be deleted.",
    )  # fmt: skip


class ChangedSchedule(Strict):
    name = StrictCharField(max_length=64, required=False)
    do = serializers.ChoiceField(choices=WORK, required=False)
    cron = StrictCharField(max_length=100, required=False)
    time_zone = StrictCharField(max_length=64, required=False, allow_blank=True)
    if_missed = serializers.ChoiceField(choices=["run", "skip"], required=False)
    enabled = StrictBooleanField(required=False)
    target = StrictCharField(max_length=64, required=False, allow_blank=True)
    confirm = StrictCharField(max_length=64, required=False, allow_blank=True)
