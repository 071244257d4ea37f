"""A tool cannot outlive us, and an orphan is ended only if it is the very process that was recorded."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from backups_app.mongo import mongodump_process
from backups_app.mongo.mongodump_process import ChildProcess

STARTS_A_TOOL = """
import os, sys
from pathlib import Path
from typing import Any
from backups_app.mongo import mongodump_process
mongodump_process.run(command=[sys.argv[1]], uri="mongodb://x", seconds=600, on_line=lambda line: None,
          checkpoint=lambda: None,
          on_child=lambda child: Path(sys.argv[2]).write_text(f"{child.pid} {child.started_at} {child.boot_id}"))
"""


@pytest.fixture
def sleeper(tmp_path: Path) -> Path:
    program = tmp_path / "sleeper"
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n")
    program.chmod(0o700)
    return program


def started(sleeper: Path, reported: Path) -> tuple[subprocess.Popen[bytes], ChildProcess]:
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, "-c", STARTS_A_TOOL, str(sleeper), str(reported)], cwd=root)
    wait_until(lambda: reported.exists() and reported.read_text().count(" ") == 2)
    pid, started_at, boot_id = reported.read_text().split()
    return parent, ChildProcess(pid=int(pid), started_at=started_at, boot_id=boot_id)


def test_a_tool_ends_with_the_process_that_started_it_even_by_kill(sleeper: Path, tmp_path: Path) -> None:
    parent, child = started(sleeper, tmp_path / "told")
    wait_until(lambda: b"sleeper" in b"".join(Path(f"/proc/{child.pid}/cmdline").read_bytes().split(b"\0")[1:2])[-7:])

    parent.kill()
    parent.wait()

    wait_until(lambda: not runs(child.pid))


def test_a_recorded_orphan_is_ended(sleeper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        mongodump_process, "_GRACE_SECONDS", 0.3
    )  # its parent (this test) does not wait: it stays a zombie
    process = subprocess.Popen([str(sleeper)], start_new_session=True)
    child = mongodump_process._identity(process.pid)

    ended = mongodump_process.end_orphan(child)
    process.wait()

    assert ended
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("changed", [{"started_at": "1"}, {"boot_id": "another"}, {"started_at": ""}])
def test_another_process_of_that_number_is_left_alone(sleeper: Path, changed: dict[str, Any]) -> None:
    process = subprocess.Popen([str(sleeper)], start_new_session=True)
    child = dataclasses.replace(mongodump_process._identity(process.pid), **changed)

    ended = mongodump_process.end_orphan(child)

    assert not ended
    assert process.poll() is None
    process.kill()
    process.wait()


def test_a_process_that_is_gone_needs_no_end(sleeper: Path) -> None:
    process = subprocess.Popen([str(sleeper)])
    child = mongodump_process._identity(process.pid)
    process.kill()
    process.wait()

    assert not mongodump_process.end_orphan(child)


def test_a_tool_that_is_not_there_cannot_be_found() -> None:
    assert mongodump_process.find("no-such-mongodump") is None


def test_a_tool_sees_a_clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    program = tmp_path / "env"
    program.write_text(f"#!{sys.executable}\nimport os, sys\nsys.stderr.write(repr(dict(os.environ)))\n")
    program.chmod(0o700)
    lines: list[str] = []

    ended = mongodump_process.run(
        command=[str(program)], uri="mongodb://x", seconds=20, on_line=lines.append, checkpoint=lambda: None
    )

    assert ended.code == 0
    assert "PATH" in lines[0]
    assert "canary" not in lines[0]


def runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_until(true: object) -> None:
    assert callable(true)
    for _ in range(1200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(f"it did not happen within a minute ({os.getpid()})")
