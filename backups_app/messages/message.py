"""A message is a code and facts. English is one rendering of it; a page renders it in its own language.

A sentence is declared once, with its code, in the module of its subject beside this one:

    COPIED = Sentence("dump_done", "{collections} copied.")
    COLLECTIONS = Sentence("collections", "{n} collection", "{n} collections")

    COPIED(collections=COLLECTIONS(n=20)).english        "20 collections copied."

A record stores `as_document()`: the code and the facts beside the English sentence. What a record says is rendered
again from code and facts (`from_document`); a record without a code keeps its English text (`plain`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backups_app import formats

PLACE = re.compile(r"\{(\w+)\}")
PLAIN = "plain"
"""The code of a text that has none: a foreign folder's, or a record's from before codes."""

_SENTENCES: dict[str, Sentence] = {}


@dataclass(frozen=True)
class Sentence:
    """A sentence with places, and its plural form where a count decides. `n` is the fact that is counted."""

    code: str
    one: str
    many: str = ""

    def __post_init__(self) -> None:
        if self.code in _SENTENCES:
            raise ValueError(f"two sentences have the code {self.code}")
        _SENTENCES[self.code] = self

    def __call__(self, **facts: Any) -> Message:
        """Return the message with these facts. Raise ValueError when a place has no fact."""
        missing = set(PLACE.findall(self.one)) - facts.keys()
        if missing:
            raise ValueError(f"{self.code} lacks {', '.join(sorted(missing))}")
        return Message(code=self.code, facts=facts)


Translate = Callable[[Sentence, "int | None"], str]
"""Given a sentence and its count, return its text with places in one language."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is said, as a code and facts. `text` is set only where there is no code."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    @property
    def english(self) -> str:
        """Return the message in English, as records, API and commands hold it."""
        return render(self, translate=_english)

    def as_document(self) -> dict[str, Any]:
        """Return `{code, facts, sentence}`, as records and `warning_details` hold it."""
        return {"code": self.code, "facts": _stored(self.facts), "sentence": self.english}


def plain(text: str) -> Message:
    """Return a text that has no code as a message: it is shown as it is in every language."""
    return Message(code=PLAIN, text=text)


def from_document(document: Mapping[str, Any]) -> Message:
    """Return the message of `{code, facts, sentence}`; its sentence as it is where the code is not known (any more)
    or a fact is missing."""
    code, facts = document.get("code"), document.get("facts") or {}
    sentence = _SENTENCES.get(str(code))
    if sentence is None or set(PLACE.findall(sentence.one)) - facts.keys():
        return plain(str(document.get("sentence") or ""))
    return Message(code=sentence.code, facts={name: _restored(fact) for name, fact in facts.items()})


def render(message: Message, *, translate: Translate) -> str:
    """Return the message as plain text, with the sentences that `translate` gives. Numbers are grouped."""
    sentence = _SENTENCES.get(message.code)
    if sentence is None:
        return message.text
    n = message.facts.get("n")
    text = translate(sentence, n if isinstance(n, int) else None)
    return PLACE.sub(lambda place: _shown(message.facts.get(place[1], ""), translate), text)


def by_code() -> Mapping[str, Sentence]:
    """Return every declared sentence by its code."""
    return dict(_SENTENCES)


def _english(sentence: Sentence, n: int | None) -> str:
    return sentence.many if sentence.many and n != 1 else sentence.one


def _shown(fact: Any, translate: Translate) -> str:
    if isinstance(fact, Message):
        return render(fact, translate=translate)
    if isinstance(fact, int) and not isinstance(fact, bool):
        return formats.grouped(fact)
    if isinstance(fact, str):
        return fact
    return ", ".join(_shown(one, translate) for one in fact)


def _stored(value: Any) -> Any:
    if isinstance(value, Message):
        return value.as_document()
    if isinstance(value, Mapping):
        return {name: _stored(fact) for name, fact in value.items()}
    return [_stored(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def _restored(value: Any) -> Any:
    if isinstance(value, Mapping) and "sentence" in value:
        return from_document(value)
    return tuple(_restored(one) for one in value) if isinstance(value, list) else value
