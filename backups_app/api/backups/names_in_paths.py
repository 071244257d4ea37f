"""The name of a collection as it stands in a path: any name that a server takes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection
from contextlib import suppress

from backups_app.errors import CollectionNotFound

ENCODED = "~"


def named(name: str, *, held: Callable[[], Collection[str]]) -> str:
    """Given a name as it stands in the path and the names that there are, return the collection's. Percent-encoding
    carries every name but `.` and `..`, which HTTP clients take for steps; `~<base64url>` carries those too.

    Raise CollectionNotFound. The manifest's names are asked for only where the name is encoded.
    """
    text = name.removeprefix(ENCODED)
    if text == name:
        return name
    names = held()
    with suppress(binascii.Error, ValueError):
        carried = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("utf-8")
        if carried in names:
            return carried
    if name in names:
        return name
    raise CollectionNotFound
