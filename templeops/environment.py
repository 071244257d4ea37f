"""Where settings come from: the environment, then `.env`, then the servers of a running `make run`."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values
from environs import Env

NAMES_A_SERVER = ("MONGODB_LOCAL_URL", "MONGODB_CLOUD_URL", "DATABASE_URL")


def read(env: Env, *, base_dir: Path) -> None:
    """Take in `.env`, and `.demo/env` only if nothing so far names a database of any kind: a real one always wins,
    and the demo's people, whose passwords everybody knows, never come near it."""
    env.read_env(base_dir / ".env", recurse=False)
    if any(os.environ.get(name) for name in NAMES_A_SERVER):
        return
    for name, value in dotenv_values(base_dir / ".demo" / "env").items():
        if value and not os.environ.get(name):
            os.environ[name] = value
