"""The keys of this installation: from the environment, or made once and kept beside the project, for its owner only.

SECRET_KEY signs sessions, CSRF tokens and JWTs, AUDIT_KEY chains the audit trail. With more than one host every one of
them needs the same two: then they are set.
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
MAKE_ONE = "Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'."
HOW_TO = MAKE_ONE + " Or leave {name} out."


def problem_with(key: str, *, name: str = "SECRET_KEY") -> str | None:
    """Return what is wrong with the key of this name as a sentence, or None."""
    how_to = HOW_TO.format(name=name)
    if PLACEHOLDER.search(key):
        return f"{name} is a placeholder that everybody knows. {how_to}"
    if len(key) < SHORTEST or len(set(key)) < 10:
        return f"{name} is too easy to guess: at least {SHORTEST} random characters are needed. {how_to}"
    return None


def kept_in(path: Path, *, name: str = "SECRET_KEY") -> str:
    """Return the key kept in this file; make it, 0600, when there is none. Raise ImproperlyConfigured when it cannot
    be made. Of two processes that start at once, one makes it and both read it."""
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is not set and {path.name} cannot be kept here: {error.strerror}. {MAKE_ONE}"
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
