"""The secret key: from the environment, or made once and kept beside the project, for its owner only.

Sessions, CSRF tokens and JWTs are signed with it. With more than one host every one of them needs the same key:
then it is set as SECRET_KEY.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SHORTEST = 50
"""Characters; Django's own check wants as many. Random letters and digits, these are well above 256 bits."""

PLACEHOLDER = re.compile(r"change[-_ ]?me|replace[-_ ]?(me|this)|your[-_ ]|example|placeholder|insecure|<.*>", re.I)
HOW_TO = "Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'. Or leave SECRET_KEY out."


def problem_with(key: str) -> str | None:
    """Return what is wrong with a key as a sentence, or None."""
    if PLACEHOLDER.search(key):
        return f"SECRET_KEY is a placeholder: anybody can sign in with it. {HOW_TO}"
    if len(key) < SHORTEST or len(set(key)) < 10:
        return f"SECRET_KEY is too easy to guess: at least {SHORTEST} random characters are needed. {HOW_TO}"
    return None


def kept_in(path: Path) -> str:
    """Return the key kept in this file; make it, 0600, when there is none. Raise ImproperlyConfigured when it cannot
    be made. Of two processes that start at once, one makes it and both read it."""
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is not set and {path.name} cannot be kept here: {error.strerror}. {HOW_TO}"
        ) from None


def _make(path: Path) -> None:
    """Written aside and linked into place: nobody reads half a key."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
