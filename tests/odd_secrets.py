"""Twelve odd secrets, and how a reader would recognise one in any text."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

ALL = (
    "AKIA0123456789ABCDEF", "with space in it", "p@ss/word%é", 'quote"and\\slash', "colon:and#hash",
    "देवनागरी-कुंजी", "a+b=c&d?e", "'$(x)`y`", "per%cent%2Fslash", "curly{brace}<tag>", "semi;colon,comma",
    "line\u2028separator",
)  # fmt: skip


def spellings(secret: str) -> set[str]:
    """Every form in which a reader would recognise it."""
    return {
        secret, quote(secret, safe=""), quote(secret), quote_plus(secret), html.escape(secret), repr(secret)[1:-1],
        json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode().rstrip("="),
        quote(secret, safe="").lower(),
    }  # fmt: skip


def found_in(text: str, secret: str) -> list[str]:
    """Return the forms of a secret that stand in a text."""
    return [spelling for spelling in spellings(secret) if spelling in text]
