"""The move from SQLite to PostgreSQL, by the lines of docs/operations.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NOBODY, ROOT, Migrated
from tests.services.postgres import Postgres

pytestmark = pytest.mark.services


def _commands() -> Iterator[str]:
    """The commands of the manual's block, each as the shell reads it."""
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (block,) = (one for one in re.findall(r"```\n(.*?)```", manual, re.DOTALL) if "dumpdata" in one)
    yield from block.replace("\\\n", " ").strip().splitlines()


def test_people_and_the_audit_trail_come_along(tmp_path: Path, migrated: Migrated, postgresql: Postgres) -> None:
    migrated(tmp_path / "old.sqlite3")
    program = tmp_path / "manage.py"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "manage.py"} "$@"\n')
    program.chmod(0o700)
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "MONGODB_LOCAL_URL": str(NOBODY), "BACKUP_DIR": str(tmp_path),
        "SECRET_KEY": "k3y" + "0123456789abcdef" * 4, "AUDIT_KEY": "k3yA" + "0123456789abcdef" * 4,
        "DJANGO_SUPERUSER_PASSWORD": "a-long-enough-password",
    }  # fmt: skip

    def shell(command: str, database: str) -> str:
        finished = subprocess.run(
            ["sh", "-c", command], env=environment | {"DATABASE_URL": database}, cwd=tmp_path, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    old, new = f"sqlite:///{tmp_path / 'old.sqlite3'}", postgresql.create("moved")
    shell("manage.py createsuperuser --noinput --username ananya", old)
    shell("manage.py backup_schedule add --name nightly --do backup --cron '0 2 * * *'", old)
    saved, loaded = _commands()
    shell(saved, old)
    shell(loaded, new)
    shell("manage.py backup_schedule add --name weekly --do verify --cron '0 3 * * 0'", new)

    assert "Good: 2 rows" in shell("manage.py backup_audit --verify", new)
    assert "nightly" in shell("manage.py backup_schedule list", new)
