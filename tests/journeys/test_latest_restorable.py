"""`backup_restore latest` takes the newest backup that can be restored, and names what it passed over. `backup_list`
says what an incremental takes of the disk, and what it needs."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from pymongo.database import Database

from backups_app import formats
from backups_app.browsing import chains
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import BackupNotFound
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.use_cases import verification
from backups_app.use_cases.restores import newest, restores
from tests.journeys.conftest import run_backup

pytestmark = pytest.mark.django_db
Db = Database[dict[str, Any]]


@pytest.fixture
def alone(configured: Configuration, local_db: Db) -> Iterator[Configuration]:
    """No Atlas: what is live is what was written here."""
    local_db["bookings"].insert_many([{"_id": n, "note": "x" * 900} for n in range(50)])
    configuration = dataclasses.replace(configured, cloud_url=Secret(""))
    with override_settings(TEMPLEOPS=configuration):
        yield configuration


def changed_again(database: Db) -> RunRecord:
    database["bookings"].update_one({"_id": 7}, {"$inc": {"edits": 1}})
    return run_backup(delete_bookings=False, incremental=True)


def found_rotten(configuration: Configuration, run: RunRecord) -> None:
    """Flip a bit, let the file look as before, and let a verification find it."""
    path = Path(run.backup_path, configuration.database_name, "bookings.bson")
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    verification.verify_backup(
        configuration=configuration, backup_id=run.id, requested_by="ananya", origin=Origin.COMMAND,
        now=datetime.now(UTC),
    )  # fmt: skip


def test_incrementals_on_a_base_known_to_be_bad_are_passed_over_and_named(alone: Configuration, local_db: Db) -> None:
    good = run_backup(delete_bookings=False)
    base = run_backup(delete_bookings=False)
    first, second = changed_again(local_db), changed_again(local_db)
    assert newest.find(configuration=alone, now=datetime.now(UTC)) == newest.Newest(backup_id=second.id)

    found_rotten(alone, base)
    found = newest.find(configuration=alone, now=datetime.now(UTC))
    out, errors = io.StringIO(), io.StringIO()
    call_command("backup_restore", "latest", "--dry-run", stdout=out, stderr=errors)

    assert found == newest.Newest(backup_id=good.id, passed_over=(second.id, first.id, base.id))
    assert restores.newest_verified(configuration=alone) == good.id
    for passed in found.passed_over:
        assert f"{passed} is damaged or not verified and was left out." in errors.getvalue()
    assert f"{good.id} is used" in errors.getvalue()
    assert "left out" not in out.getvalue()


def test_an_unreadable_record_is_passed_over_and_named(alone: Configuration, local_db: Db) -> None:
    good = run_backup(delete_bookings=False)
    broken = run_backup(delete_bookings=False)
    Path(broken.backup_path, "metadata.json").write_bytes(b"\xff")

    found = newest.find(configuration=alone, now=datetime.now(UTC))

    assert found == newest.Newest(backup_id=good.id, passed_over=(broken.id,))


def test_where_none_can_be_restored_it_is_refused(alone: Configuration) -> None:
    found_rotten(alone, run_backup(delete_bookings=False))

    with pytest.raises(BackupNotFound):
        newest.find(configuration=alone, now=datetime.now(UTC))


def test_the_list_says_what_an_incremental_takes_and_needs(alone: Configuration, local_db: Db) -> None:
    base = run_backup(delete_bookings=False)
    run = changed_again(local_db)
    out = io.StringIO()

    call_command("backup_list", stdout=out)

    lines = {line.split()[0]: line for line in out.getvalue().splitlines()}
    own_bytes = chains.own_bytes(store=preparation.store(alone), backup_id=run.id)
    assert own_bytes is not None
    assert run.size_bytes is not None
    assert own_bytes < run.size_bytes  # of the whole state
    assert f"{formats.size(own_bytes)}, needs {base.id}" in lines[run.id]
    assert "(incremental)" in lines[run.id]
    assert "needs" not in lines[base.id]
