"""The shapes of the answer of a search through live data and all backups, for OpenAPI."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import BooleanField, CharField, IntegerField, ListField


class LiveSides(serializers.Serializer[Any]):
    local = BooleanField(allow_null=True, help_text="null where the database could not be asked.")
    remote = BooleanField(allow_null=True, help_text="On Atlas; null without sync and where it could not be asked.")


class FoundVersionSerializer(serializers.Serializer[Any]):
    backup_ids = ListField(child=CharField(), help_text="The backups that hold these bytes, newest first.")
    offset = IntegerField(help_text="Its number in the collection of the newest of them.")


class PreviewField(serializers.Serializer[Any]):
    name = CharField()
    text = CharField(allow_blank=True)


class FoundDocumentSerializer(serializers.Serializer[Any]):
    collection_name = CharField()
    id = CharField(allow_blank=True, help_text="The `id` of a restore.")
    live = LiveSides()
    deleted_by = CharField(allow_null=True, help_text="The run whose ledger or result names it.")
    last_found_in = CharField(allow_null=True, help_text="The newest backup in which this search found it.")
    backups = IntegerField(help_text="How many backups hold a version that matches.")
    versions = FoundVersionSerializer(many=True, help_text="Those that match, newest first.")
    preview = PreviewField(many=True, help_text="The fields by which a person recognises it, of the newest version.")


class SearchedSoFar(serializers.Serializer[Any]):
    documents = IntegerField()
    backups = IntegerField()
    of_backups = IntegerField()


class SkippedPart(serializers.Serializer[Any]):
    backup_id = CharField(allow_null=True, help_text="null: live data.")
    collection_name = CharField(allow_blank=True, help_text="Empty: the backup as a whole.")
    code = CharField()


class NotSearchedBackups(serializers.Serializer[Any]):
    code = CharField(help_text="Why they were not searched.")
    where = CharField(allow_blank=True, help_text="The host or the target that has them; else empty.")
    count = IntegerField(help_text="0: not known.")
    backups = ListField(child=CharField(), help_text="The newest hundred, by id; of what is no backup, the folder.")


class Found(serializers.Serializer[Any]):
    results = FoundDocumentSerializer(many=True, help_text="All that was found so far.")
    searched = SearchedSoFar()
    full = ListField(child=CharField(), help_text="Collections of which more documents match: search for more words.")
    skipped = SkippedPart(many=True, help_text="What could not be read, or not to its end; the first hundred.")
    skipped_count = IntegerField()
    not_searched = NotSearchedBackups(many=True, help_text="Backups that are not in this host's folder.")
    complete = BooleanField(help_text="Everything known was searched, and everything found is listed.")
    next = CharField(allow_null=True, help_text="The `cursor` to go on with, or null at the end.")
