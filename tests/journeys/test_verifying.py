"""A backup that was good once: read again, and what follows when it is not good any more."""

from __future__ import annotations

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pymongo.database import Database

from backups_app.assurance.sentence import Level
from backups_app.backup_files import metadata
from backups_app.configuration import Configuration
from backups_app.records import Origin
from backups_app.use_cases import verification
from backups_app.use_cases.listing import listing
from backups_app.use_cases.status import status

from .conftest import now, run_backup

Db = Database[dict[str, Any]]


def verify(seeded: Configuration, backup_id: str) -> dict[str, Any]:
    return verification.verify_backup(
        configuration=seeded, backup_id=backup_id, requested_by="ravi", origin=Origin.WEB, now=now()
    )


def flip(folder: Path, name: str = "bookings.bson") -> None:
    file = next(folder.glob(f"*/{name}"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def test_an_intact_backup_is_good(seeded: Configuration) -> None:
    run = run_backup(delete_bookings=False)

    reported = verify(seeded, run["backup_id"])

    assert (reported["verified"], reported["problem"]) == (True, None)
    assert reported["documents"] > 100


def test_one_flipped_bit_is_found_and_the_temple_is_no_longer_called_protected(seeded: Configuration) -> None:
    run = run_backup(delete_bookings=False)
    assert status.status(configuration=seeded, now=now()).assurance.marks[0].ok
    flip(Path(run["backup_path"]))

    reported = verify(seeded, run["backup_id"])

    assert reported["verified"] is False
    assert "SHA-256" in reported["problem"]
    listed = listing.list_runs(configuration=seeded)[0]
    assert (listed["verified"], listed["damaged"]) == (False, True)
    assert status.status(configuration=seeded, now=now()).verdict is Level.NOT_PROTECTED
    assert Path(run["backup_path"]).is_dir()


def test_the_command_ends_with_five_when_any_backup_is_damaged(seeded: Configuration) -> None:
    good, bad = run_backup(delete_bookings=False), run_backup(delete_bookings=False)
    flip(Path(bad["backup_path"]), "devotees.bson")
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("backup_verify", "--all", "--json", stdout=out)

    assert ended.value.code == 5
    assert {reported["backup_id"]: reported["verified"] for reported in json.loads(out.getvalue())} == {
        good["backup_id"]: True,
        bad["backup_id"]: False,
    }


def test_somebody_elses_mongodump_is_listed_as_unverified_until_it_is_verified(seeded: Configuration) -> None:
    source = Path(__file__).resolve().parents[1] / "fixtures" / "mongodump_plain"
    shutil.copytree(source, seeded.backup_dir / "backup_20240101_000000")
    assert listing.list_runs(configuration=seeded)[0]["status"] == "unverified"

    reported = verify(seeded, "20240101_000000")

    assert reported["verified"] is True
    written = metadata.read(seeded.backup_dir / "backup_20240101_000000")
    assert written is not None
    assert written["manifest"]["collections"]["bookings"]["documents"] > 0
    assert listing.list_runs(configuration=seeded)[0]["verified"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": "yesterday"},
        {"status": None},
        {"created_at": 7},
        {"created_at": None},
        {"backup_id": "../../etc"},
        {"steps": None},
    ],
)
def test_an_edited_metadata_file_never_hides_the_list(
    seeded: Configuration, local_db: Db, change: dict[str, Any]
) -> None:
    run = run_backup(delete_bookings=False)
    file = Path(run["backup_path"]) / "metadata.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    local_db.drop_collection("backup_metadata")

    listed = listing.list_runs(configuration=seeded)

    assert [one["backup_id"] for one in listed] == [run["backup_id"]]


def test_a_folder_whose_digits_are_no_date_is_listed(seeded: Configuration) -> None:
    folder = seeded.backup_dir / "backup_20259999_999999"
    folder.mkdir(mode=0o700)
    (folder / "bookings.bson").touch()

    assert listing.list_runs(configuration=seeded)[0]["backup_id"] == "20259999_999999"
