"""A message is a code and facts. English is one rendering of it; a page renders it in its own language.

A sentence is declared once, with its code, in the module of its subject beside this one:

    COPIED = Sentence("dump_done", "{collections} copied.")
    COLLECTIONS = Sentence("collections", "{n} collection", "{n} collections")

    COPIED(collections=COLLECTIONS(n=20))        "20 collections copied."

A message is a string, its English sentence, that keeps its code and its facts: records, API and commands hold the
sentence under its present name. `stored.py` puts code and facts beside it and reads them back. A text without a code
(a foreign folder's, a record's from before codes) is an ordinary string, shown as it is in every language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from backups_app import formats

PLACE = re.compile(r"\{(\w+)\}")
PLAIN = "plain"
"""The code of a text that has none."""
SENTENCES = "sentences"
"""The code of several sentences one after the other: `parts` are messages."""

_STORABLE = frozenset({bool, int, float, datetime})
DECLARED: dict[str, Sentence] = {}


@dataclass(frozen=True)
class Sentence:
    """A sentence with places, and its plural form where a count decides. `n` is the fact that is counted."""

    code: str
    one: str
    many: str = ""

    def __post_init__(self) -> None:
        if DECLARED.get(self.code, self) != self:
            raise ValueError(f"two sentences have the code {self.code}")
        DECLARED[self.code] = self

    @cached_property
    def places(self) -> frozenset[str]:
        """The names of the facts that the sentence shows."""
        return frozenset(PLACE.findall(self.one + self.many))

    def __call__(self, **facts: Any) -> Message:
        """Return the message with these facts. Raise ValueError when a place has no fact."""
        missing = self.places - facts.keys()
        if missing:
            raise ValueError(f"{self.code} lacks {', '.join(sorted(missing))}")
        return Message(code=self.code, facts=facts)


Translate = Callable[[Sentence, "int | None"], str]
"""Given a sentence and its count, return its text with places in one language."""


class Message(str):
    """What is stated: the English sentence, its code and its facts."""

    code: str
    facts: Mapping[str, Any]

    __slots__ = ("code", "facts")

    def __new__(cls, *, code: str, facts: Mapping[str, Any] | None = None, text: str = "") -> Message:
        """`text` stands for a message whose code is `plain`."""
        sentences = dict(facts or {})
        self = super().__new__(cls, _rendered(code, sentences, _english) if code != PLAIN else text)
        self.code, self.facts = code, sentences
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.code, dict(self.facts), str(self))

    @property
    def english(self) -> str:
        """Return the message in English as an ordinary string."""
        return str(self)

    def as_document(self) -> dict[str, Any]:
        """Return `{code, facts, sentence}`, as records and `warning_details` hold it."""
        return {"code": self.code, "facts": stored_facts(self.facts), "sentence": str(self)}


def plain(text: str) -> Message:
    """Return a text that has no code as a message: it is shown as it is in every language."""
    return Message(code=PLAIN, text=text)


def as_message(text: str) -> Message:
    """Return a text as a message: one keeps its code and facts, any other text has none."""
    return text if isinstance(text, Message) else plain(text)


def together(*sentences: str) -> Message:
    """Return several sentences as one message. Empty ones are left out; messages keep their codes."""
    parts = [part for one in sentences if one for part in parts_of(one)]
    return Message(code=SENTENCES, facts={"parts": tuple(parts)})


def parts_of(sentences: str) -> tuple[str, ...]:
    """Return the sentences that a message was put together of: of any other text, itself."""
    if isinstance(sentences, Message) and sentences.code == SENTENCES:
        return tuple(part if isinstance(part, str) else str(part) for part in sentences.facts["parts"])
    return (sentences,) if sentences else ()


def as_sentence(clause: str) -> str:
    """Return a clause with its full stop; empty where there is none."""
    return AS_SENTENCE(text=clause) if clause else ""


def code_of(sentences: str | None) -> str:
    """Return the code of a text, `plain` where it has none."""
    return sentences.code if isinstance(sentences, Message) else PLAIN


def as_document(sentences: str) -> dict[str, Any]:
    """Return `{code, facts, sentence}` of a message or of a text that has no code."""
    return as_message(sentences).as_document()


def render(message: Message, *, translate: Translate) -> str:
    """Return the message as plain text, with the sentences that `translate` gives. Numbers are grouped."""
    return str(message) if message.code == PLAIN else _rendered(message.code, message.facts, translate)


def by_code() -> Mapping[str, Sentence]:
    """Return every declared sentence by its code."""
    return dict(DECLARED)


def stored_facts(value: Any) -> Any:
    """Return facts as a record holds them: an inner message is `{code, facts, sentence}`; what is no number, moment or
    list is its text, for a record must be written whatever the fact is."""
    if isinstance(value, Message):
        return value.as_document()
    if isinstance(value, Mapping):
        return {name: stored_facts(fact) for name, fact in value.items()}
    if isinstance(value, list | tuple):
        return [stored_facts(one) for one in value]
    return value if value is None or type(value) in _STORABLE else str(value)


def _rendered(code: str, facts: Mapping[str, Any], translate: Translate) -> str:
    if code == SENTENCES:
        return " ".join(_shown(part, translate) for part in facts["parts"])
    sentence, n = DECLARED[code], facts.get("n")
    text = translate(sentence, n if isinstance(n, int) else None)
    return PLACE.sub(lambda place: _shown(facts.get(place[1], ""), translate), text)


def _rebuilt(code: str, facts: Mapping[str, Any], text: str) -> Message:
    return Message(code=code, facts=facts, text=text)


def _english(sentence: Sentence, n: int | None) -> str:
    return sentence.many if sentence.many and n != 1 else sentence.one


AS_SENTENCE = Sentence("as_sentence", "{text}.")


def _shown(fact: Any, translate: Translate) -> str:
    if isinstance(fact, Message):
        return render(fact, translate=translate)
    if isinstance(fact, int) and not isinstance(fact, bool):
        return formats.grouped(fact)
    if isinstance(fact, list | tuple):
        return ", ".join(_shown(one, translate) for one in fact)
    return str(fact)
