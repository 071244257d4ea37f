"""A cancel while Atlas is silent: it ends the run within seconds, wherever the work waits."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo import monitoring

from backups_app.catalog.run import runs
from backups_app.configuration import Configuration, Secret
from backups_app.mongo import command_counter, connections
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.records import Origin
from backups_app.runs import declarations
from backups_app.use_cases.backups import backups

from .conftest import contents, now, run_backup

pytestmark = pytest.mark.django_db
WITHIN_SECONDS = 7  # five are promised; the machine of a test may be busy


class _Freezer(monitoring.CommandListener):
    """Freezes a server when the next of our commands of this name, about this collection, is on its way to it."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server, self.port = server, int(server.address.rpartition(":")[2])
        self.awaited: tuple[str, str] | None = None
        self.frozen = threading.Event()

    def started(self, event: Any) -> None:
        seen = (event.command_name, str(event.command.get(event.command_name)))
        if seen == self.awaited and event.connection_id[1] == self.port:
            self.awaited = None
            self.freeze()

    def freeze(self) -> None:
        os.kill(self.server.process_id, signal.SIGSTOP)
        self.frozen.set()

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


@pytest.fixture
def atlas(seeded: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Freezer]:
    """A stand-in for Atlas of its own, which has been in use and can be frozen."""
    with EmbeddedServer(data_dir=tmp_path / "atlas", replica_set="atlas") as server:
        freezer = _Freezer(server)
        monkeypatch.setattr(command_counter, "LISTENER", freezer)
        configuration = dataclasses.replace(seeded, cloud_url=Secret(server.uri))
        with override_settings(TEMPLEOPS=configuration):
            run_backup(delete_bookings=False)
            yield freezer
        os.kill(server.process_id, signal.SIGCONT)
        connections.give_up(connections.open_remote(configuration))


@pytest.mark.parametrize(
    "awaited", [("findAndModify", "backup_sync_state"), ("insert", "devotees"), ("commitTransaction", "1")]
)
def test_it_ends_within_seconds_wherever_it_waits(atlas: _Freezer, local_db: Any, awaited: tuple[str, str]) -> None:
    local_db["devotees"].insert_one({"_id": "new", "phone": "new"})
    before = contents(local_db)
    atlas.awaited = awaited

    run, seconds = _cancelled(local_db, atlas.frozen)

    assert (run["status"], run["error_code"], run["cancelled_by"]) == ("cancelled", "cancelled", "ravi")
    assert seconds < WITHIN_SECONDS
    assert contents(local_db) == before
    os.kill(atlas.server.process_id, signal.SIGCONT)
    assert run_backup(delete_bookings=True)["status"] == "success"


def test_it_ends_within_seconds_where_atlas_was_silent_from_the_beginning(atlas: _Freezer, local_db: Any) -> None:
    atlas.freeze()

    run, seconds = _cancelled(local_db, atlas.frozen)

    assert run["status"] == "cancelled"
    assert seconds < WITHIN_SECONDS


def _cancelled(local: Any, when: threading.Event) -> tuple[Any, float]:
    """Run a backup and cancel it at a moment. Return the run and how long it lived after the cancel."""
    at: list[float] = []

    def cancel() -> None:
        assert when.wait(20)
        assert runs.request_cancel(
            local, backup_id=started["backup_id"], requested_by="ravi", phases=declarations.cancellable_phases()
        )
        at.append(time.monotonic())

    started = backups.start_backup(created_by="ravi", delete_bookings=True, origin=Origin.WEB, now=now(), enqueue=False)
    thread = threading.Thread(target=cancel)
    thread.start()
    run = backups.execute(backup_id=started["backup_id"])
    thread.join()
    return run, time.monotonic() - at[0]
