"""Locks of the backup store that a stopped process holds: nobody waits for them without end, and nothing is changed."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from backups_app.backup_files import layout, locks, metadata, removals
from backups_app.errors import StoreBusy

BACKUP = "20261124_120000"
REMOVAL = removals.Removal(backup_id=BACKUP, at=None, by="ravi", how="by hand")  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.1)


@pytest.fixture
def folder(a_folder: Path) -> Path:
    made = a_folder / layout.published_name(BACKUP)
    made.mkdir()
    metadata.write(made, {"status": "in_progress"})
    return made


def test_metadata_whose_lock_is_held_stays_as_it_is(folder: Path) -> None:
    with locks.held(folder.parent, f"{folder.name}.status"), pytest.raises(StoreBusy):
        metadata.amend(folder, {"status": "success"})

    assert metadata.read(folder) == {"status": "in_progress"}


def test_a_removal_whose_line_cannot_be_written_is_refused(folder: Path) -> None:
    with locks.held(folder.parent, locks.REMOVED), pytest.raises(StoreBusy):
        removals.note(folder.parent, REMOVAL)

    assert removals.all_of(folder.parent) == {}


def test_who_would_read_a_backup_that_is_being_removed_is_told(folder: Path) -> None:
    with (
        locks.removing(folder.parent, BACKUP),
        pytest.raises(StoreBusy) as refused,
        locks.reading(folder.parent, BACKUP),
    ):
        pass

    assert refused.value.code == "store_busy"


def test_readers_do_not_wait_for_one_another(folder: Path) -> None:
    with locks.reading(folder.parent, BACKUP), locks.reading(folder.parent, BACKUP):
        assert locks.is_read(folder.parent, BACKUP)


def test_a_lock_that_is_given_up_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT_SECONDS", 30)
    taken, given_up = threading.Event(), []

    def hold() -> None:
        with locks.held(folder.parent, locks.TRASH):
            taken.set()
            time.sleep(0.1)
            given_up.append(True)

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(10)
    with locks.held(folder.parent, locks.TRASH):
        assert given_up
    holder.join()
