"""The worker's copying lane as a process of its own, also one that is killed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from backups_app.storage import copy_reading
from tests.conftest import Migrated
from tests.fork_client import MANAGE
from tests.fork_server import ForkServer
from tests.retention import conftest as retention
from tests.retention.conftest import Temple
from tests.storage.making import directory_target

temple = retention.temple
LONGEST_SECONDS = 60


def test_a_lane_that_was_killed_is_followed_by_one_that_finishes(
    temple: Temple, tmp_path: Path, migrated: Migrated, fork_server: ForkServer
) -> None:
    """The database of the lane is its own: its rows are what a dead process leaves."""
    target = directory_target(tmp_path / "nas", database=temple.database.name)
    migrated(tmp_path / "django.sqlite3")
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'django.sqlite3'}",
        "MONGODB_LOCAL_URL": str(temple.configuration.local_url),
        "MONGODB_CLOUD_URL": "",
        "DATABASE_NAME": temple.database.name,
        "BACKUP_DIR": str(temple.configuration.backup_dir),
        "BACKUP_TARGETS": f"nas=file://{target.root}",
    }
    copies = ("worker", "--lane", "copies")
    with open(os.devnull, "wb") as nowhere:
        first = fork_server.start(MANAGE, *copies, environment=environment, output=nowhere)
    deadline = time.monotonic() + LONGEST_SECONDS
    while len(list(target.root.iterdir())) < 3 and first.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    first.send_signal(signal.SIGKILL)
    first.wait()
    there = {head.name for head in target.list_objects()}

    fork_server.run(*copies, environment=environment).check_returncode()

    (found,) = copy_reading.find(target)
    assert (found.backup_id, found.problem) == (temple.newest_real(), None)
    assert there <= {head.name for head in target.list_objects()}
