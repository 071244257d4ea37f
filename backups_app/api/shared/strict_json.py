"""JSON as the API takes it: UTF-8, one object, no key twice, no NaN, no half characters, no surprise for the reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.parsers import BaseParser

from backups_app.errors import BadRequest

LONGEST_BODY = 64 * 1024
DEEPEST = 20


class StrictJSONParser(BaseParser):
    """Raises BadRequest with a sentence that says what is wrong."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(LONGEST_BODY + 1)
        if len(body) > LONGEST_BODY:
            raise BadRequest(message=f"The body is longer than {LONGEST_BODY} bytes.")
        return parse(body)


def parse(body: bytes) -> Any:
    """Return the value of a JSON text. Raise BadRequest when it is not one that everybody reads the same way."""
    try:
        text = body.decode("utf-8")
        if _depth(text) > DEEPEST:
            raise BadRequest(message=f"The body is nested deeper than {DEEPEST} levels.")
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate such as \ud800 fails here
    except (ValueError, RecursionError):
        raise BadRequest(message="The body is not valid JSON in UTF-8.") from None
    return value


def _depth(text: str) -> int:
    """The most brackets open at once, those in strings counted too: a cheap bound, before anything recurses."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest(message="The body has the same key twice.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
