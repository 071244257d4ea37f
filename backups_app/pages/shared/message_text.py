"""A message whose fact `run` is shown as the moment of that run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backups_app.messages.message import PLAIN, Message
from backups_app.pages.shared.translation import translated
from backups_app.pages.shared.wording import moment_of, when_text


def text_of(message: Message) -> str:
    """Return the message as plain text in the language of the page. A fact `run` is shown as the moment of that run."""
    return translated(_with_moments(message))


def _with_moments(message: Message) -> Message:
    if message.code == PLAIN:
        return message
    return Message(code=message.code, facts=_facts(message.facts))


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: _shown(fact) for name, fact in facts.items()}
    return shown | {"run": _moment(facts["run"])} if "run" in facts else shown


def _shown(fact: Any) -> Any:
    if isinstance(fact, Message):
        return _with_moments(fact)
    return tuple(_shown(one) for one in fact) if isinstance(fact, tuple) else fact


def _moment(backup_id: str) -> str:
    moment = moment_of(backup_id)
    return when_text(moment) if moment else backup_id
