"""The shapes of the answers, for OpenAPI. The bodies are made in `serializers.py`; tests hold both together."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer
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
    ListField,
)

from backups_app.api.shared import retention_shapes
from backups_app.api.shared.message_shape import MessageShape
from backups_app.records import LISTED_STATUSES

STATUS = list(LISTED_STATUSES)
DATED_IN_FUTURE = (
    "More than 10 minutes after now: a clock was wrong. It is kept, but does not count as a recent backup."
)
SYNC_STATUS = ["success", "failed", "skipped", "in_progress"]


class ProblemSerializer(serializers.Serializer[Any]):
    field = CharField(allow_blank=True)
    message = CharField()


class Failure(serializers.Serializer[Any]):
    detail = CharField(help_text="A plain sentence: what is safe, and what to do.")
    code = CharField(help_text="Stable; for programs.")
    request_id = CharField(help_text="It is in the server's log too.")
    hint = CharField(required=False)
    errors = ProblemSerializer(many=True, required=False)  # type: ignore[assignment]  # a field of that name, not the property
    run = CharField(required=False, help_text="With `run_active`: the id of the running run.")
    backup_id = CharField(required=False, help_text="When a run was started and failed: its id.")
    removed = retention_shapes.RemovedBackup(required=False, help_text="With `backup_removed`: when and why.")
    copies = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="With `backup_removed`: targets that have a copy."
    )


SENTENCES = {
    400: "The request could not be understood.",
    401: "Not signed in, the session has ended, or (`insufficient_user_authentication`) sign in again first.",
    403: "Another role, or not in LOCAL mode.",
    404: "It does not exist.",
    409: "Not possible now: another run is active, or this one has passed that point.",
    410: "The files are gone; `removed` says when and why, where that is known.",
    415: "The body is not JSON.",
    422: "The input is not valid.",
    429: "Too many failed logins, or too many previews and comparisons of this person; `code` says which.",
    500: "It could not be done; `code` says why.",
    503: "A database or a target does not answer, no worker runs, or searches are busy; `code` says which.",
}


def failures(*statuses: int) -> dict[int, OpenApiResponse]:
    """Return the failures an endpoint documents."""
    return {status: OpenApiResponse(Failure, description=SENTENCES[status]) for status in statuses}


class Person(serializers.Serializer[Any]):
    username = CharField()
    role_id = IntegerField(allow_null=True)


class Tokens(serializers.Serializer[Any]):
    access = CharField()
    refresh = CharField()
    access_expires_at = DateTimeField()
    session_id = CharField()
    user = Person()


class Session(serializers.Serializer[Any]):
    session_id = CharField()
    face = ChoiceField(choices=["pages", "api"])
    device = CharField()
    address = CharField(allow_blank=True)
    created_at = DateTimeField()
    last_seen_at = DateTimeField()
    current = BooleanField()


class Triggered(serializers.Serializer[Any]):
    success = BooleanField()
    backup_id = CharField()
    backup_path = CharField()
    backup_timestamp = DateTimeField()
    sync_status = ChoiceField(choices=SYNC_STATUS)
    collections_backed_up = ListField(child=CharField())
    collections_deleted_local = ListField(child=CharField())
    collections_deleted_remote = ListField(child=CharField())
    message = CharField()
    status = ChoiceField(choices=STATUS)
    warnings = ListField(child=CharField())
    warning_details = MessageShape(many=True)
    resume_available = BooleanField()


class BackupSerializer(serializers.Serializer[Any]):
    backup_id = CharField()
    backup_date = serializers.DateField()
    backup_timestamp = DateTimeField()
    status = ChoiceField(choices=STATUS)
    collections_count = IntegerField()
    dated_in_future = BooleanField(required=False, help_text=f"There only where it is so. {DATED_IN_FUTURE}")


class RunSerializer(serializers.Serializer[Any]):
    """The run document. More fields may stand in it."""

    backup_id = CharField()
    backup_timestamp = DateTimeField()
    backup_path = CharField(required=False)
    status = ChoiceField(choices=STATUS)
    sync_status = ChoiceField(choices=SYNC_STATUS, required=False)
    phase = CharField(required=False)
    steps = ListField(child=DictField(), required=False)
    collections_backed_up = ListField(child=CharField(), required=False)
    collections_deleted_local = ListField(child=CharField(), required=False)
    collections_deleted_remote = ListField(child=CharField(), required=False)
    delete_bookings_requested = BooleanField(required=False)
    incremental = DictField(allow_null=True, required=False, help_text="`{base, number, read}`; null: a full backup.")
    error_code = CharField(allow_null=True, required=False)
    error_message = CharField(allow_null=True, required=False)
    error_facts = DictField(required=False, help_text="The facts of the first sentence of `error_message`.")
    error_details = MessageShape(many=True, required=False, help_text="The sentences of `error_message`, in order.")
    warnings = ListField(child=CharField(), required=False)
    warning_details = MessageShape(many=True, required=False)
    created_by = CharField(required=False)
    created_at = DateTimeField(required=False)
    resume_available = BooleanField(required=False)
    dated_in_future = BooleanField(required=False, help_text=DATED_IN_FUTURE)
    docs_per_s = FloatField(allow_null=True)
    seconds_left = IntegerField(allow_null=True)
    message = CharField(allow_blank=True)


class Collection(serializers.Serializer[Any]):
    collection_name = CharField()
    document_count = IntegerField(allow_null=True, help_text="null while a foreign file is not counted yet.")
    file_size = CharField()
    file_size_bytes = IntegerField()
    verified = BooleanField()
    indexes = ListField(child=CharField())
    type = CharField()
    internal = BooleanField(help_text="One of our own records, no collection of the temple.")
    problem = CharField(allow_blank=True)
    note = CharField(allow_blank=True, help_text="Why it has no documents, where that does not mean that it was empty.")


class RawDocument(serializers.Serializer[Any]):
    number = IntegerField()
    problem = CharField(help_text="Why it is not decoded.")
    restorable = BooleanField(help_text="It is whole and can be restored alone by its `id`.")
    id = CharField(allow_blank=True, help_text="The `id` of a restore.")
    raw_hex = CharField(allow_blank=True, help_text="Its bytes, at most the first 4,096.")


class DocumentsSerializer(serializers.Serializer[Any]):
    collection_name = CharField()
    documents = ListField(child=DictField())
    total_documents = IntegerField()
    matched = IntegerField(allow_null=True, help_text="With `search`, when the whole collection was searched.")
    next = IntegerField(allow_null=True, help_text="The `offset` to go on with, or null at the end.")
    truncated = BooleanField(help_text="The page ended before its limit: at about 4 MiB, at damage, or in time.")
    damaged = ListField(child=IntegerField(), help_text="Numbers of documents that cannot be read.")
    raw_documents = RawDocument(many=True, help_text="What may not be decoded: damaged, or its text is not UTF-8.")
    note = CharField(allow_blank=True, help_text="Why there are none, where that does not mean that it was empty.")
    shortened = ListField(
        child=DictField(child=IntegerField()),
        help_text="`{offset, size_bytes}` of documents above 1 MiB: `?offset=…&whole=true` answers one whole.",
    )


class SyncLog(serializers.Serializer[Any]):
    """The document of `sync_logs`. More fields may stand in it."""

    run_id = CharField()
    status = CharField()
    totals = DictField(child=IntegerField(), required=False)
    warnings = ListField(child=CharField(), required=False)
    sentence = CharField()


class CollectionPreview(serializers.Serializer[Any]):
    name = CharField()
    type = CharField()
    in_backup = IntegerField()
    there_now = IntegerField()
    insert = IntegerField()
    replace = IntegerField()
    delete = IntegerField()
    unchanged = IntegerField()
    keep = IntegerField()
    extra = IntegerField()
    creates = BooleanField()
    withheld = CharField(allow_blank=True)
    problems = ListField(child=CharField())
    samples = ListField(child=DictField())


class Preview(serializers.Serializer[Any]):
    backup_id = CharField()
    target = CharField()
    in_place = BooleanField()
    mode = ChoiceField(choices=["add", "overwrite", "replace"])
    collections = CollectionPreview(many=True)
    include_purged = BooleanField()
    document = CharField(allow_null=True)
    server = CharField()
    confirmation = CharField(help_text="Name it in the call that restores.")
    needs_phrase = BooleanField()
    totals = DictField(child=IntegerField())
    left_out = ListField(child=DictField())
    insert_bytes = IntegerField()
    disk_free_bytes = IntegerField(allow_null=True, help_text="On the server's disk; null where it does not say.")


class TestCopy(serializers.Serializer[Any]):
    database = CharField()
    backup_id = CharField()
    purpose = CharField(help_text="`test copy`, or `rehearsal` of one that was killed.")
    created_by = CharField()
    created_at = DateTimeField()
    size_bytes = IntegerField()


class Job(serializers.Serializer[Any]):
    """Work that goes on after its request."""

    job = CharField(help_text="Ask `GET /api/jobs/{job}` how far it is.")
    kind = ChoiceField(choices=["verification", "restore_preview", "sync"])
    state = ChoiceField(choices=["waiting", "running", "done", "failed"])
    collection = CharField(allow_blank=True, help_text="The one being read.")
    documents = IntegerField(help_text="Read so far.")
    seconds = FloatField(help_text="Since it was asked for.")
    result = DictField(allow_null=True, help_text="Once it is done: what its request answers with 200.")
    error = Failure(allow_null=True, help_text="Why it failed, or why no worker does it.")


RunOrJob = PolymorphicProxySerializer(
    component_name="RunOrJob", serializers=[RunSerializer, Job], resource_type_field_name=None
)
"""A restore is a run, a preview a job."""


class Verified(serializers.Serializer[Any]):
    backup_id = CharField()
    verified = BooleanField()
    problem = CharField(allow_null=True)
    warnings = ListField(
        child=CharField(), help_text=("Notes: what was left out, what else is in its folder, what is unusual.")
    )
    collections = IntegerField(help_text="Of the temple, views among them.")
    documents = IntegerField()
    bytes = IntegerField()
    own_collections = IntegerField(help_text="Our own records beside them.")
    own_documents = IntegerField()
    checked_at = DateTimeField()


class AuditRow(serializers.Serializer[Any]):
    n = IntegerField()
    at = DateTimeField()
    actor = CharField()
    role_id = IntegerField(allow_null=True)
    session = CharField(allow_blank=True)
    origin = CharField()
    action = CharField()
    target = CharField(allow_blank=True)
    result = CharField()
    request_id = CharField(allow_blank=True)
    details = JSONField()

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python's, so it cannot stand in the list above."""
        return {**super().get_fields(), "from": CharField(allow_blank=True)}
