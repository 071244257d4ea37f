"""How long the client wants to wait: RFC 7240's `Prefer: respond-async, wait=10`."""

from __future__ import annotations

import re
from dataclasses import dataclass

WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,6})\"?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Preference:
    """`wait_seconds` is how long to wait for the end; `applied` is what `Preference-Applied` answers."""

    wait_seconds: int
    applied: str


def read(header: str, *, longest: int) -> Preference:
    """Given the header and the longest wait granted here, return what is done. What is unknown is ignored."""
    wanted = [part.strip().lower() for part in header[:1000].split(",")]
    asynchronous = "respond-async" in wanted
    waits = [int(found.group(1)) for part in wanted if (found := WAIT.fullmatch(part))]
    wait_seconds = min(waits[0], longest) if waits else (0 if asynchronous else longest)
    applied = ["respond-async"] if asynchronous else []
    return Preference(
        wait_seconds=wait_seconds, applied=", ".join(applied + ([f"wait={wait_seconds}"] if waits else []))
    )
