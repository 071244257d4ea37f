"""kill -9 at the steps of a fetch towards the disk: no half backup is counted, and the next fetch finishes."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from backups_app.backup_files import disk_recorder, metadata
from backups_app.backup_files.disk_recorder import Operation
from backups_app.progress import Silent
from backups_app.runs import folder_records, preparation
from backups_app.storage import key_proofs
from backups_app.use_cases.fetching import fetch, site
from backups_app.verification import verdict
from tests.fetching.conftest import Burn, Copied

pytestmark = pytest.mark.django_db
POINTS = 24
"""So many of the steps are struck, evenly over the whole fetch, and the last ones each."""
LAST = 12


@pytest.fixture
def on_the_disk_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The killed process is a fork of this one: it must not touch this one's databases."""
    monkeypatch.setattr(fetch, "_on_record", lambda *_, **__: None)
    monkeypatch.setattr(fetch, "_amend_record", lambda *_: None)
    monkeypatch.setattr(fetch, "_known_stores", lambda _: [])
    monkeypatch.setattr(site, "go_on_with_trail", lambda *_, **__: 0)
    monkeypatch.setattr(key_proofs, "record", lambda **_: None)


def fetched_in_a_fork(copied: Copied, *, kill_at: int, journal: Path) -> bool:
    """Fetch in a process of its own that is killed at the step of this number (0: never). Return whether it was."""
    pid = os.fork()
    if pid == 0:
        reached = 0

        def strike(operation: Operation) -> None:
            nonlocal reached
            reached += 1
            if reached == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        try:
            with disk_recorder.recording(strike):
                copied.fetch("latest")
            journal.write_text(str(reached))
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_a_fetch_killed_anywhere_is_finished_by_the_next(burn: Burn, on_the_disk_alone: None, tmp_path: Path) -> None:
    copied = burn()
    store, (backup_id,) = preparation.store(copied.configuration), copied.made
    assert not fetched_in_a_fork(copied, kill_at=0, journal=tmp_path / "journal")
    steps = int((tmp_path / "journal").read_text())
    points = {*range(1, steps + 1, max(1, steps // POINTS)), *range(steps - LAST, steps + 1)}

    for point in sorted(points):
        shutil.rmtree(store.root)
        killed = fetched_in_a_fork(copied, kill_at=point, journal=tmp_path / "journal")
        between = store.backups().ids

        assert killed, point
        assert between in ((), (backup_id,)), point
        if between:
            verified(store.folder(backup_id))
        (again,) = copied.fetch("latest")
        assert again.error is None, point
        assert copied.entries() == [f"backup_{backup_id}"], point
        verified(store.folder(backup_id))


def verified(folder: Path) -> None:
    written = metadata.read(folder) or {}
    assert written["fetched"]
    verdict.recheck(folder=folder, manifest=folder_records.manifest_in(written), progress=Silent())
