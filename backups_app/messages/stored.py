"""Messages in records: code and facts stand beside the English sentence, which keeps its present name.

    error_message: "…"                error_details: [{code, facts, sentence}, …], error_facts: {…} of the first
    warnings: ["…", …]                warning_details: [{code, facts, sentence}, …]
    steps[].sentence: "…"             steps[].code, steps[].facts
    any other list `reasons`          reason_details: [{code, facts, sentence}, …]
    any other text `blocked`          blocked_details: {code, facts, sentence}
    withheld: {name: "…"}             withheld_details: {name: {code, facts, sentence}}

`with_details` writes this form; `restored` reads it: there each sentence is a `Message` again, and the one who shows it
renders it in the reader's language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backups_app.messages.message import Message, as_document, parts_of, stored_facts, together
from backups_app.messages.read_back import from_document

ERROR, STEP, WARNINGS = "error_message", "sentence", "warnings"
BY_NAME = frozenset({"withheld", "left_over"})
"""Fields that hold a sentence for each of several names."""


def with_details(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document, or the fields that change in one, with code and facts beside each sentence.

    A field may be a path (`steps.3.sentence`): what stands beside it has the same path.
    """
    written = {path: _plain_field(path.rpartition(".")[2], value) for path, value in document.items()}
    for path, value in document.items():
        parent, dot, name = path.rpartition(".")
        written |= {f"{parent}{dot}{beside}": details for beside, details in _beside(name, value)}
    return written


def warning_documents(warnings: Iterable[str]) -> list[dict[str, Any]]:
    """Return warnings as `warning_details` holds them."""
    return [as_document(sentence) for sentence in warnings]


def restored(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored document whose sentences are messages again. One without details keeps its English text."""
    if _has_details(document):
        return {name: _restored(name, value, document) for name, value in document.items()}
    return {name: _undescribed(value) if isinstance(value, dict | list) else value for name, value in document.items()}


def _has_details(document: Mapping[str, Any]) -> bool:
    """Whether anything beside a sentence stands here: most of a record is numbers and names, read on every page."""
    return "facts" in document or "_details" in " ".join(document)  # one search in C instead of one for each name


def _undescribed(value: Any) -> Any:
    """As `_restored`, of a value that has no details beside it."""
    if isinstance(value, dict):
        return restored(value)
    if isinstance(value, list):
        return [restored(one) if isinstance(one, dict) else one for one in value]
    return value


def _beside(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what stands beside a field."""
    if name == ERROR and not isinstance(value, Message):
        yield "error_details", warning_documents([value] if value else [])
        yield "error_facts", {}
    elif name == WARNINGS and isinstance(value, list | tuple):
        yield "warning_details", warning_documents(value)
    elif isinstance(value, Message):
        yield from _beside_a_text(name, value)
    elif name in BY_NAME and isinstance(value, Mapping) and value:
        yield f"{name}_details", {key: as_document(sentence) for key, sentence in value.items()}
    elif isinstance(value, list | tuple) and any(isinstance(sentence, Message) for sentence in value):
        yield f"{name.removesuffix('s')}_details", warning_documents(value)


def _beside_a_text(name: str, sentence: Message) -> Iterator[tuple[str, Any]]:
    if name == ERROR:
        parts = warning_documents(parts_of(sentence))
        yield "error_details", parts
        yield "error_facts", parts[0]["facts"] if parts else {}
    elif name == STEP:
        yield "code", sentence.code
        yield "facts", stored_facts(sentence.facts)
    else:
        yield f"{name}_details", sentence.as_document()


def _plain_field(name: str, value: Any) -> Any:
    """A field of `BY_NAME` holds names and sentences alone: what belongs to them stands beside the field."""
    if name in BY_NAME and isinstance(value, Mapping):
        return {key: str(text) if isinstance(text, Message) else text for key, text in value.items()}
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return str(value)
    if isinstance(value, dict):
        return _inside(value)
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _inside(document: Mapping[str, Any]) -> dict[str, Any]:
    """As `with_details`, of a document inside another: its names are no paths."""
    written = {name: _plain_field(name, value) for name, value in document.items()}
    for name, value in document.items():
        written |= dict(_beside(name, value))
    return written


def _restored(name: str, value: Any, beside: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return _text(name, value, beside)
    if isinstance(value, list):
        known = beside.get(f"{name.removesuffix('s')}_details")
        return _items(value, _documents(known))
    if isinstance(value, dict):
        known = beside.get(f"{name}_details") if name in BY_NAME else None
        return _by_name(value, known) if isinstance(known, Mapping) else restored(value)
    return value


def _text(name: str, value: str, beside: Mapping[str, Any]) -> str:
    if name == ERROR and isinstance(parts := beside.get("error_details"), list):
        return _same(together(*(from_document(part) for part in _documents(parts))), value)
    if name == STEP and "code" in beside and "facts" in beside:
        return _same(from_document({**beside, "sentence": value}), value)
    known = beside.get(f"{name}_details")
    return _same(from_document(known), value) if isinstance(known, Mapping) else value


def _items(value: list[Any], known: list[Any]) -> list[Any]:
    """A list may have grown by a version that stores no details: then its sentences are found by their text."""
    by_sentence = {one["sentence"]: one for one in known}
    beside = known if [one["sentence"] for one in known] == value else [None] * len(value)
    return [from_document(own) if own else _item(one, by_sentence) for one, own in zip(value, beside, strict=True)]


def _item(one: Any, by_sentence: Mapping[str, Any]) -> Any:
    if isinstance(one, str) and one in by_sentence:
        return from_document(by_sentence[one])
    if isinstance(one, dict):
        return restored(one)
    return one


def _by_name(value: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _same(from_document(known[name]), sentence)
        if isinstance(sentence, str) and _is_document(known.get(name))
        else sentence
        for name, sentence in value.items()
    }


def _documents(known: Any) -> list[Mapping[str, Any]]:
    """A file that somebody edited can hold anything beside a sentence."""
    return [one for one in known if _is_document(one)] if isinstance(known, list) else []


def _is_document(known: Any) -> bool:
    return isinstance(known, Mapping) and isinstance(known.get("sentence"), str)


def _same(message: Message, stored: str) -> str:
    """Return the message; the stored text where there is none in it."""
    return message or stored
