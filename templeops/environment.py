"""Where settings come from: the environment, then `.env`, then the servers of a running `make run`."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

NAMES_A_DATABASE = ("MONGODB_LOCAL_URL", "MONGODB_CLOUD_URL", "DATABASE_URL")


def load(*, base_dir: Path) -> None:
    """Add to the environment what `.env` says; and what `.demo/env` says, if nothing so far names a database of any
    kind: a real one always wins, and the demo's people, whose passwords everybody knows, never come near it.

    An empty value is as good as none, in a file or in the environment.
    """
    for name in NAMES_A_DATABASE:
        if not os.environ.get(name):
            os.environ.pop(name, None)
    _add(base_dir / ".env")
    if not any(name in os.environ for name in NAMES_A_DATABASE):
        _add(base_dir / ".demo" / "env")


def _add(path: Path) -> None:
    # Not interpolated: a password may hold a ${.
    for name, value in dotenv_values(path, interpolate=False).items():
        if value and not os.environ.get(name):
            os.environ[name] = value
