"""A guard that no test misses is no guard: each is taken away, and tests of the short suite must turn red.

The guards of sync have their own such tests (`tests/sync/test_mutants.py`), and so has each single fsync
(`tests/backup_files/test_power_loss.py`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import guards_removed
from tests.faults.conftest import LONG

ROOT = Path(__file__).resolve().parents[2]
WATCHED = {
    "predicate": ["mongo/test_exact_delete.py::test_an_edit_between_read_and_delete_is_kept"],
    "byte_compare": [
        "mongo/test_exact_delete.py::test_the_51_near_copies_are_deleted_exactly_when_their_bytes_are_equal"
    ],
    "simple_collation": [
        "mongo/test_exact_delete.py::test_an_edit_of_case_after_the_read_is_kept_on_a_case_insensitive_collection",
        "mongo/test_exact_delete.py::test_on_a_standalone_server_a_collated_collection_is_withheld_with_its_reason",
    ],
    "ledger": [
        "faults/test_kill.py::test_killed_in_the_bookings_a_run_that_keeps_them_leaves_their_keys_alone",
        "sync/test_deletion_guard.py::test_what_the_purge_ledger_holds_is_neither_copied_nor_deleted",
    ],
    "pairs_marks": [
        "journeys/test_sequences.py::test_a_pair_that_does_not_fit_gets_a_backup_and_nothing_is_synced_or_deleted",
    ],
    "sync_gate": [
        "journeys/test_sequences.py::test_what_only_atlas_had_is_never_deleted_when_atlas_was_away_for_the_sync_alone",
        "purge/test_plan.py::test_each_closed_gate_refuses_by_its_name",
    ],
    "fsync": ["backup_files/test_power_loss.py::test_no_power_cut_leaves_a_listed_backup_that_is_not_good"],
    "manifest_check": [
        "purge/test_delete.py::test_nothing_is_deleted_by_a_file_that_is_not_the_verified_one",
        "journeys/test_unfinished.py::test_a_backup_that_no_longer_verifies_is_never_called_good_by_recovery",
    ],
    "fence": ["journeys/test_overtaken.py"],
}

pytestmark = pytest.mark.skipif(not LONG, reason="the long form: make faults")


def _outcome(tests: list[str], *, without: str) -> tuple[set[str], str]:
    """Run tests in a process of their own. Return the names of those that failed, and what was printed."""
    environment = {name: value for name, value in os.environ.items() if name != "TEMPLEOPS_LONG"}
    plugin = ["-p", guards_removed.__name__, "-p", "no:cacheprovider", "-q", "--tb=line"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, *(f"tests/{test}" for test in tests)],
        cwd=ROOT,
        env=environment | {guards_removed.VARIABLE: without},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert not re.search(r"^ERROR tests/", done.stdout, re.MULTILINE), done.stdout
    return set(re.findall(r"^FAILED tests/([^\s\[]+)", done.stdout, re.MULTILINE)), done.stdout


def test_every_guard_is_watched() -> None:
    assert WATCHED.keys() == guards_removed.GUARDS.keys()


@pytest.mark.parametrize("guard", WATCHED)
def test_without_its_guard_every_test_that_watches_it_turns_red(guard: str) -> None:
    red, printed = _outcome(WATCHED[guard], without=guard)

    assert all(any(name.startswith(test) for name in red) for test in WATCHED[guard]), printed


def test_with_every_guard_they_are_green() -> None:
    red, printed = _outcome([test for tests in WATCHED.values() for test in tests], without="")

    assert red == set(), printed
