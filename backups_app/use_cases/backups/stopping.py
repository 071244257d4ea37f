"""Whether this web process was asked to stop. Who waits for a run then answers that it goes on, before the process ends."""

from __future__ import annotations

import threading

_asked = threading.Event()


def ask() -> None:
    """Let everybody who waits in this process answer now. For the handler of SIGTERM."""
    _asked.set()


def wait(seconds: float) -> bool:
    """Sleep for so long, less when the process is asked to stop. Return whether it is."""
    return _asked.wait(seconds)


def withdraw() -> None:
    """Take the request back: for tests."""
    _asked.clear()
