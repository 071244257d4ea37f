"""What stands back when processors are short."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backups_app import priorities

THREAD = """
import os, threading
from backups_app import priorities
before = os.getpriority(os.PRIO_PROCESS, 0)
{acts}
seen = []
thread = threading.Thread(target=lambda: seen.append(os.getpriority(os.PRIO_PROCESS, 0)))
thread.start()
thread.join()
print(before, os.getpriority(os.PRIO_PROCESS, 0), *seen)
"""


def _niceness_after(acts: str) -> tuple[int, int, int]:
    printed = subprocess.run(
        [sys.executable, "-c", THREAD.format(acts=acts)], capture_output=True, text=True, check=True
    )
    before, process, thread = map(int, printed.stdout.split())
    return before, process, thread


def test_a_process_and_its_later_threads_stand_back() -> None:
    before, process, thread = _niceness_after("priorities.stand_back(niceness=15)")
    assert process == thread == max(before, 15)


def test_a_process_that_stands_back_further_stays_there() -> None:
    _, process, thread = _niceness_after("os.nice(19); priorities.stand_back(niceness=priorities.RUNS)")
    assert process == thread == 19


def test_searches_stand_back_further_than_runs() -> None:
    _, process, _ = _niceness_after(
        "priorities.stand_back(niceness=priorities.RUNS); priorities.stand_back(niceness=priorities.READING)"
    )
    assert process >= 10


SESSION = """
import os, subprocess, sys
from backups_app import priorities
{acts}
print(priorities.SESSION.read_text().split()[-1])
"""
BY_A_CHILD = """subprocess.run(
    [sys.executable, "-c", "from backups_app import priorities; priorities.stand_back(niceness=19)"], check=True
)"""


def _session_after(acts: str) -> int:
    command = [sys.executable, "-c", SESSION.format(acts=acts)]
    return int(subprocess.run(command, capture_output=True, check=True, start_new_session=True).stdout)


@pytest.mark.skipif(not priorities.SESSION.exists(), reason="this kernel does not share among sessions")
def test_who_leads_a_session_has_it_stand_back() -> None:
    assert _session_after("priorities.stand_back(niceness=priorities.READING)") == 10
    twice = "priorities.SESSION.write_text('15'); priorities.stand_back(niceness=priorities.READING)"
    assert _session_after(twice) == 15


@pytest.mark.skipif(not priorities.SESSION.exists(), reason="this kernel does not share among sessions")
def test_who_leads_no_session_leaves_it_alone() -> None:
    assert _session_after(BY_A_CHILD) == _session_after("")
