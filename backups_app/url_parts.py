"""Reads a URL of a setting. Python's own errors repeat host and password; none of ours does."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_PORT = re.compile(r":\d+$")


def split(url: str) -> SplitResult:
    """Return the parts of a URL, of which host and port can be read. Raise ValueError with a sentence that holds no
    part of it."""
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("Not a URL that can be read.") from None
    return parts


def host(url: str) -> str:
    """Return the host of a URL; empty where it names none or cannot be read."""
    try:
        return split(url).hostname or ""
    except ValueError:
        return ""


def servers(url: str) -> list[str]:
    """Return the servers that a MongoDB URL names, without user, password, database or options, in order and with
    their ports; of a name that DNS resolves (`mongodb+srv`) that name. Empty where it names none."""
    scheme, _, rest = url.partition("://")
    named = rest.partition("/")[0].partition("?")[0].rpartition("@")[2].lower().split(",")
    if scheme.endswith("+srv"):
        return sorted(f"{one} by DNS" for one in named if one)
    return sorted(one if _PORT.search(one) else f"{one}:27017" for one in named if one)


def is_of_the_web(url: str) -> bool:
    """Whether this is a URL of http or https with a host and no user, password or character that is not printed."""
    try:
        parts = split(url)
    except ValueError:
        return False
    has_user = parts.username is not None or parts.password is not None
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not has_user and url.isprintable()
