"""A message in an answer: its code, its facts and its English sentence."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import CharField, DictField


class MessageShape(serializers.Serializer[Any]):
    code = CharField()
    facts = DictField(help_text="A fact can be a message itself.")
    sentence = CharField()
