"""What a record says in English, told in the language of the page.

A run's document, a kept version and `metadata.json` hold one sentence, in English: the one truth of page, API, command
and log. The catalogue `records.po` knows these sentences. Here one is recognised, its numbers and names are taken out,
and it is said again with them; so old records and foreign folders are told as well. What nobody knows stays English and
is marked as such. Places of a sentence: `{n}` a number, `{said}` other sentences of the catalogue, `{word}` one word,
anything else a name of somebody or something, which stands as it is.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path

from django import template
from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, to_locale

from backups_app import formats

register = template.Library()

PLACE = re.compile(r"\{(\w+)\}")
NUMBER = re.compile(r"n\d*")
SENTENCE = re.compile(r"said\d*")
HOLDS = ((NUMBER, r"-?[0-9][0-9,]*"), (re.compile(r"word\d*"), r"\S+"))
"""What a place of such a name can hold."""

LONGEST, SENTENCES, DEEPEST, PIECES = 2_000, 12, 5, 100
"""Characters, sentences that may be one of the catalogue together, sentences inside one another, sentences or parts of
a list that are looked at. What is more was not written by us, and a foreign folder can hold anything."""
TELLING = 12
"""So many characters of its own make a sentence known although what stands in it is not."""

ENGLISH, END = "\u2068", "\u2069"
"""Around what stays English. They show nothing themselves: they isolate a run of text from the one around it."""

MARKED = re.compile(f"{ENGLISH}([^{ENGLISH}{END}]*){END}")
LOCAL_LETTER = re.compile(r"[^\x00-\u024f\u2000-\u2bff]")
"""A letter of a script that no sentence of a record is written in: this text has been told already."""

JOINTS = ("; ", ", ")
COUNT = re.compile(
    r"(?<![\w.,:/-])\d{4,}"
    r"(?=(?: (?:of|and pushed) [\d,]+)?(?: [a-z]+)? (?:documents?|collections?|versions?|backups?)\b)"
)
"""A count in an English sentence, which a record writes without grouping."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """One sentence of the catalogue: how it is recognised, and what is said instead."""

    pattern: re.Pattern[str]
    instead: str
    letters: int


@register.filter
def told(text: str | None) -> SafeString:
    """Return what a record says, or what was told of it already, as HTML; what stays English is marked `lang="en"`."""
    return as_told(tell(text))


@register.filter
def as_told(text: str) -> SafeString:
    """Return as HTML what `tell` said, alone or among words of the page."""
    return mark_safe(MARKED.sub(r'<span lang="en">\1</span>', escape(text)))  # noqa: S308  (escaped before)


@register.filter(name="told_text")
def tell(text: str | None) -> str:
    """Return an English sentence of a record, or several, in the language of the page, as plain text. Counts are
    grouped."""
    said, language = str(text or ""), get_language() or "en"
    if not said or not _catalogue(language):
        return COUNT.sub(lambda digits: formats.grouped(int(digits[0])), said)
    return _tell(said, language) if len(said) <= LONGEST else _english(said)


@lru_cache(maxsize=4_096)
def _tell(text: str, language: str, depth: int = 0) -> str:
    """Sentence by sentence, the longest known one first; where none is known the longest whose frame is."""
    pieces: list[str] = []
    while text and len(pieces) < PIECES:
        ends = [at.start() + 1 for at in islice(re.finditer(r"[.…] ", text), SENTENCES)]
        heads = [text, *(text[:end] for end in reversed(ends))]
        tries = ((head, said(head, language, depth)) for said in (_known, _half_known) for head in heads)
        head, found = next(((head, found) for head, found in tries if found is not None), (heads[-1], None))
        pieces.append(found or _english(head))
        text = text[len(head) :].lstrip()
    return " ".join([*pieces, _english(text)] if text else pieces)


@lru_cache(maxsize=4_096)
def _known(text: str, language: str, depth: int) -> str | None:
    """Return a sentence, or a list of them, said again; None unless every part of it is known."""
    if depth > DEEPEST:
        return None
    one = _one(text, language, depth)
    return one or next(filter(None, (_list(text, joint, language, depth) for joint in JOINTS if joint in text)), None)


def _one(text: str, language: str, depth: int) -> str | None:
    for known, found in _matches(text, language):
        values = {place: _value(place, value, language, depth + 1) for place, value in found.items()}
        sure = {place: value for place, value in values.items() if value is not None}
        if len(sure) == len(values):
            return _filled(known, sure)
    return None


def _list(text: str, joint: str, language: str, depth: int) -> str | None:
    """Return what is said of known parts with `joint` between them (which may stand inside a part as well), or None."""
    said, held, items = [], "", text.split(joint)
    for item in items if len(items) <= PIECES else ():
        held = f"{held}{joint}{item}" if held else item
        found = _one(held, language, depth) or (_list(held, ", ", language, depth) if joint != ", " else None)
        if found is not None:
            said.append(found)
            held = ""
    return joint.join(said) if said and not held else None


def _half_known(text: str, language: str, depth: int) -> str | None:
    """Return a sentence whose inner ones nobody knows: those stay English. None where its own words are too few."""
    for known, found in _matches(text, language):
        if known.letters >= TELLING:
            values = {place: _value(place, value, language, depth + 1) for place, value in found.items()}
            return _filled(known, {at: said or _english(found[at]) for at, said in values.items()})
    return None


def _english(text: str) -> str:
    return text if LOCAL_LETTER.search(text) or ENGLISH in text else f"{ENGLISH}{text}{END}"


def _filled(known: Known, values: Mapping[str, str]) -> str:
    return PLACE.sub(lambda place: values[place[1]], known.instead)


def _matches(text: str, language: str) -> Iterator[tuple[Known, dict[str, str]]]:
    for known in _catalogue(language):
        if found := known.pattern.fullmatch(text):
            yield known, found.groupdict()


def _value(place: str, value: str, language: str, depth: int) -> str | None:
    """Return what stands at a place; None for a sentence that is not known."""
    if NUMBER.fullmatch(place):
        return formats.grouped(int(value.replace(",", "")))
    if not SENTENCE.fullmatch(place):
        return value
    whole = _known(value, language, depth)
    if whole is None and ". " in value and depth <= DEEPEST:
        whole = _tell(value, language, depth)
    return None if whole is None or ENGLISH in whole else whole


@cache
def _catalogue(language: str) -> Sequence[Known]:
    """Return the sentences of a language, the most telling first; none where records are told as they are."""
    file = Path(settings.LOCALE_PATHS[0]) / to_locale(language) / "LC_MESSAGES" / "records.mo"
    if not file.is_file():
        return ()
    entries = [(english, said) for english, said in entries_of(file.read_bytes()) if english and said]
    known = [
        Known(pattern=_pattern(english), instead=said, letters=len(PLACE.sub("", english))) for english, said in entries
    ]
    return sorted(known, key=lambda one: -one.letters)


def entries_of(compiled: bytes) -> Iterator[tuple[str, str]]:
    """Given the bytes of a `.mo` file of this machine's byte order, yield each message and what is said instead."""
    count, originals, translations = struct.unpack_from("=3I", compiled, 8)
    for number in range(count):
        pair = [struct.unpack_from("=2I", compiled, table + 8 * number) for table in (originals, translations)]
        english, said = (compiled[at : at + length].decode() for length, at in pair)
        yield english, said


def _pattern(english: str) -> re.Pattern[str]:
    """Return what recognises a sentence. A place ends where the words after it first come: nothing is tried twice."""
    first, *pieces = PLACE.split(english)
    parts = [re.escape(first)]
    for place, words in zip(pieces[::2], pieces[1::2], strict=True):
        holds = next((held for kind, held in HOLDS if kind.fullmatch(place)), ".+?" if words else ".+")
        parts.append(f"(?>(?P<{place}>{holds}){re.escape(words)})")
    return re.compile("".join(parts), re.DOTALL)
