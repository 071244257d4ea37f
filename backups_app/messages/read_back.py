"""Messages read back from records and other documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backups_app.messages import message
from backups_app.messages.message import Message


def from_document(document: Mapping[str, Any]) -> Message:
    """Return the message of `{code, facts, sentence}`; its sentence as it is where the code is not known (any more)
    or a fact is missing. The document may stand in a file that somebody edited."""
    key = repr((document.get("code"), document.get("facts"), document.get("sentence")))
    known = _MADE.get(key)
    if known is None:
        known = _made(document)
        if len(_MADE) < _MOST_MADE and len(key) <= _LONGEST_KEY:
            _MADE[key] = known
    return known


_MADE: dict[str, Message] = {}
"""Messages are never changed, and a list of backups says the same of most of them: each is put together once."""

_MOST_MADE, _LONGEST_KEY = 5_000, 1_000


def _made(document: Mapping[str, Any]) -> Message:
    code, facts = str(document.get("code")), document.get("facts") or {}
    if not isinstance(facts, Mapping) or not _is_complete(code, facts):
        return message.plain(str(document.get("sentence") or ""))
    return Message(code=code, facts={name: _restored(fact) for name, fact in facts.items()})


def _is_complete(code: str, facts: Mapping[str, Any]) -> bool:
    if code == message.SENTENCES:
        return isinstance(facts.get("parts"), list | tuple)
    return code in message.DECLARED and message.DECLARED[code].places <= facts.keys()


def _restored(value: Any) -> Any:
    if isinstance(value, Mapping) and "sentence" in value:
        return from_document(value)
    return tuple(_restored(one) for one in value) if isinstance(value, list) else value
