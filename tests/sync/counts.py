"""How much was tried: fault points and syncs, counted where they happen and printed at the end of every test run."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import Any

import pytest

tried: Counter[str] = Counter()
FAULT_POINTS, SYNCS, RANDOM_SYNCS = "fault points", "syncs", "random syncs"
SAY_EVERY_SECONDS = 20.0
_stated_at = time.monotonic()


def count(what: str, number: int = 1) -> None:
    """Count `what`, and say on stderr now and then how far it is, so that a long run shows that it lives."""
    global _stated_at
    tried[what] += number
    if time.monotonic() - _stated_at > SAY_EVERY_SECONDS:
        _stated_at = time.monotonic()
        print(f"  … {line()}", file=sys.__stderr__, flush=True)


def line() -> str:
    """Return the counts as `counted: 59 fault points, 320 syncs`."""
    return "counted: " + ", ".join(f"{tried[what]} {what}" for what in (FAULT_POINTS, RANDOM_SYNCS, SYNCS))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of `make test` hands its counts over."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tried"] = dict(tried)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take a worker's counts in."""
    tried.update(getattr(node, "workeroutput", {}).get("tried", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was tried."""
    if tried:
        terminalreporter.write_line(line())
