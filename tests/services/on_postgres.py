"""Runs pytest with PostgreSQL as the Django database: `python -m tests.services.on_postgres tests/access`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.services.postgres import postgres


def main(arguments: list[str]) -> int:
    """Run pytest with these arguments and return its exit code; 0 with a sentence where PostgreSQL is not here."""
    try:
        with postgres() as server:
            command = [sys.executable, "-m", "pytest", *arguments]
            environment = os.environ | {"DATABASE_URL": server.url("templeops")}
            return subprocess.run(command, env=environment, check=False).returncode
    except pytest.skip.Exception as missing:
        print(f"Left out: {missing}")
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
