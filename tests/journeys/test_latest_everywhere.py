"""`latest` is one backup for whatever reads or copies it: never the safety backup of a restore."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.listing import listing
from backups_app.use_cases.restores import restores
from tests.journeys.conftest import run_backup
from tests.journeys.test_latest_restorable import Db, alone, found_rotten  # noqa: F401  (a fixture)
from tests.journeys.test_restore import restore
from tests.storage import making

pytestmark = pytest.mark.django_db


def command(name: str, *arguments: str) -> tuple[Any, str]:
    """Return what a command printed as JSON, and what it wrote beside it."""
    out, errors = io.StringIO(), io.StringIO()
    try:
        call_command(name, *arguments, "--json", stdout=out, stderr=errors)
    except SystemExit as ended:
        assert not ended.code, f"{name}: {out.getvalue()}{errors.getvalue()}"
    return json.loads(out.getvalue()), errors.getvalue()


def safety_backup_after(configuration: Configuration, local_db: Db, backup: RunRecord) -> str:
    """Return the id of the safety backup that a restore makes."""
    local_db["bookings"].delete_one({"_id": 7})
    chosen = restores.choose(configuration=configuration, backup_id=backup.id, collections=["bookings"])
    return str(restore(configuration, chosen)["_id"])


def test_after_a_restore_latest_is_the_ordinary_backup_in_every_command(
    alone: Configuration,  # noqa: F811
    local_db: Db,
    tmp_path: Path,
) -> None:
    backup = run_backup(delete_bookings=False)
    safety = safety_backup_after(alone, local_db, backup)
    making.directory_target(tmp_path / "nas", database=alone.database_name)
    nas = TargetSettings(name="nas", kind="file", place=str(tmp_path / "nas"))

    with override_settings(TEMPLEOPS=replace(alone, targets=(nas,))):
        copies, _ = command("backup_copy", "latest")
    exported, _ = command("backup_export", "latest", "--out", str(tmp_path / "out"))
    previewed, _ = command("backup_restore", "latest", "--dry-run")
    rehearsed, _ = command("backup_rehearse", "latest")
    collections, _ = command("backup_docs", "latest")

    assert safety > backup.id and listing.resolve(alone, "latest") == rehearsed["backup_id"]
    assert [copy["backup_id"] for copy in copies] == [backup.id]
    assert exported["backup_id"] == previewed["backup_id"] == backup.id
    assert rehearsed["restore"]["choices"]["backup_id"] == backup.id
    assert {one["collection_name"]: one["document_count"] for one in collections}[
        "bookings"
    ] == 50  # the safety backup has 49
    assert listing.resolve(alone, "latest", with_backup=True) == backup.id


@pytest.mark.parametrize("name", ["backup_docs", "backup_export", "backup_copy", "backup_rehearse"])
def test_a_newer_one_that_is_damaged_is_named_and_left_out(
    alone: Configuration,  # noqa: F811
    tmp_path: Path,
    name: str,
) -> None:
    good, bad = run_backup(delete_bookings=False), run_backup(delete_bookings=False)
    found_rotten(alone, bad)
    making.directory_target(tmp_path / "nas", database=alone.database_name)
    nas = TargetSettings(name="nas", kind="file", place=str(tmp_path / "nas"))
    more = ["--out", str(tmp_path / "out")] if name == "backup_export" else []

    with override_settings(TEMPLEOPS=replace(alone, targets=(nas,))):
        _, beside = command(name, "latest", *more)

    assert f"{bad.id} is damaged or not verified and was left out." in beside
    assert f"{good.id} is used: the newest that can be restored." in beside
