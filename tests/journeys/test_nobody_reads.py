"""A command whose words nobody can read: it does its work to the end, and its exit code says how that went."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.journeys.conftest import Db

ROOT = Path(__file__).resolve().parents[2]
Manage = Callable[..., tuple[int, str]]


@pytest.fixture
def manage(environment: dict[str, str], local_db: Db) -> Manage:
    """Run a command with these streams. Return its exit code and what it stated on those that still have a reader."""
    local_db.bookings.insert_many([{"_id": n} for n in range(50)])

    def run(*words: str, **where: Any) -> tuple[int, str]:
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | where
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=environment, check=False, timeout=120, text=True, **given,
        )  # fmt: skip
        return done.returncode, f"{done.stdout or ''}{done.stderr or ''}"

    return run


def gone() -> BinaryIO:
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "wb", buffering=0)


def on_a_full_disk() -> BinaryIO:
    return open("/dev/full", "wb", buffering=0)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_run_goes_on_when_its_reader_has_gone(manage: Manage, local_db: Db, stream: str) -> None:
    with gone() as nobody:
        code, message = manage("backup_now", **{stream: nobody})

    run = local_db.backup_metadata.find_one()
    assert run is not None
    assert (code, run["status"]) == (0, "success")
    assert "Traceback" not in message and "Exception" not in message


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_run_goes_on_when_the_disk_of_its_log_is_full(manage: Manage, local_db: Db) -> None:
    with on_a_full_disk() as full:
        code, message = manage("backup_now", stderr=full)

    run = local_db.backup_metadata.find_one()
    assert run is not None
    assert (code, run["status"]) == (0, "success")
    assert message.startswith("Backup ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_data_that_cannot_be_written_is_a_failure(manage: Manage) -> None:
    with on_a_full_disk() as full:
        code, message = manage("backup_status", "--json", stdout=full)

    assert code != 0
    assert "No space left" in message


def test_looking_at_the_beginning_of_a_list_is_no_failure(manage: Manage) -> None:
    with gone() as nobody:
        assert manage("backup_list", stdout=nobody) == (0, "")
        assert manage("backup_status", stdout=nobody) == (1, "")
        assert manage("backup_status", "--check", stdout=nobody) == (1, "")
