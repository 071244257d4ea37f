"""A message in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language, gettext, ngettext

from backups_app.messages.message import SENTENCES, Message, Sentence, by_code, plain, render
from backups_app.pages.shared.told import tell
from backups_app.pages.shared.wording import moment_of, when_text


def text_of(message: Message) -> str:
    """Return the message as plain text in the language of the page. A fact `run` is shown as the moment of that run."""
    return render(_in_language(message), translate=_translated)


def _translated(sentence: Sentence, n: int | None) -> str:
    if sentence.many and n is not None:
        return ngettext(sentence.one, sentence.many, n)
    return gettext(sentence.one)


def _in_language(message: Message) -> Message:
    """What has no sentence in the catalogue of the pages is translated from its English text."""
    if message.code != SENTENCES and not _is_known(by_code().get(message.code)):
        return plain(tell(message.english))
    return Message(code=message.code, facts=_facts(message.facts))


def _is_known(sentence: Sentence | None) -> bool:
    if sentence is None:
        return False
    return (get_language() or "en").startswith("en") or gettext(sentence.one) != sentence.one


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: _shown(fact) for name, fact in facts.items()}
    return shown | {"run": _moment(facts["run"])} if "run" in facts else shown


def _shown(fact: Any) -> Any:
    if isinstance(fact, Message):
        return _in_language(fact)
    return tuple(_shown(one) for one in fact) if isinstance(fact, tuple) else fact


def _moment(backup_id: str) -> str:
    moment = moment_of(backup_id)
    return when_text(moment) if moment else backup_id
