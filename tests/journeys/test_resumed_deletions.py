"""A deletion that was cut, and went on after a younger backup was begun or made: what a restore of that backup leaves
out, and what retention takes for a loss."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import DatabaseUnreachable
from backups_app.mongo.exact_writes.delete import delete_equal
from backups_app.purge import delete
from backups_app.records import Origin
from backups_app.use_cases.backups import backups
from backups_app.use_cases.restores import emptied, restores
from backups_app.use_cases.retention import facts, simulation
from tests.journeys.conftest import now, raw_documents, run_backup
from tests.journeys.test_restore import restore
from tests.journeys.test_sequences import cut_locally, plain_sync

Db = Database[dict[str, Any]]


def resume(run: RunRecord) -> RunRecord:
    return backups.resume(
        backup_id=run.id, requested_by="ravi", origin=Origin.WEB, now=now(), keep=False, enqueue=False
    )


def shrunk(configuration: Configuration) -> list[str]:
    found = simulation.guards(facts.read(configuration=configuration), configuration, now())
    return [one.collection for one in found.shrinkages]


def test_a_backup_from_before_a_deletion_was_resumed_brings_nothing_of_it_back(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = cut_locally(monkeypatch)
    between = run_backup(delete_bookings=False)
    assert resume(cut).status == "success"
    chosen = restores.choose(configuration=seeded, backup_id=between.id)

    preview = restores.preview_restore(configuration=seeded, choices=chosen)
    restore(seeded, chosen)
    plain_sync()

    left_out = {one.name: one.emptied_by for one in preview.left_out if one.emptied_by}
    assert left_out == {"activities": between.id, "bookings": cut.id, "employee_bookings": cut.id}
    assert preview.total("insert") == 0
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == {}


def test_what_an_earlier_run_deleted_before_a_backup_was_read_is_not_left_out_of_it(
    seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run finishes the first one's deletion and then makes its own backup: of what was taken since."""
    cut = cut_locally(monkeypatch)
    finishing = run_backup(delete_bookings=True)
    assert finishing.status == "success" and finishing.purge.local["bookings"].deleted == 0

    assert set(emptied.on_purpose(configuration=seeded, backup_id=cut.id)) >= {"bookings", "employee_bookings"}
    assert "bookings" not in emptied.on_purpose(configuration=seeded, backup_id=finishing.id)


def test_a_run_that_finishes_an_earlier_deletion_shows_no_loss(
    seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_locally(monkeypatch)

    assert run_backup(delete_bookings=True).status == "success"

    assert shrunk(seeded) == []


def test_a_backup_from_the_middle_of_a_deletion_shows_no_loss_after_it_was_resumed(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(delete, "delete_equal", _all_but_employee_bookings_here(local_db))
        cut = run_backup(delete_bookings=True)
    run_backup(delete_bookings=False)
    assert resume(cut).status == "success"

    assert shrunk(seeded) == []


def _all_but_employee_bookings_here(local_db: Db) -> Any:
    def cut(*, live: Any, frames: Any) -> Any:
        here = live.collection.database.client.address == local_db.client.address
        if here and live.collection.name == "employee_bookings":
            raise DatabaseUnreachable(side="local")
        return delete_equal(live=live, frames=frames)

    return cut


@pytest.mark.parametrize(("seconds", "left_out"), [(-1, {"bookings": "20260119_080000"}), (0, {}), (1, {})])
def test_what_a_run_deleted_in_the_second_in_which_the_next_backup_was_read_had_gone_before(
    seconds: int, left_out: dict[str, str]
) -> None:
    """After a fire `metadata.json` alone has the moments, to the second."""
    ended = datetime(2026, 1, 19, 8, 0, 5, tzinfo=UTC)
    purge = {"allowed": True, "collections": ["bookings"], "local": {"bookings": {"deleted": 5, "done": True}}}
    run = RunRecord(
        {"_id": "20260119_080000", "backup_id": "20260119_080000", "status": "success", "created_at": ended,
         "finished_at": ended, "purge": purge}
    )  # fmt: skip

    read_at = ended + timedelta(seconds=seconds)
    assert emptied.emptied_after([run], backup_id="20260119_080004", read_at=read_at) == left_out
