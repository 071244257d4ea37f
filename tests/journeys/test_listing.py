"""The list of backups: what it looks at, and that nothing of a run is lost on the way to those who show it whole."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pymongo.database import Database

from backups_app.backup_files import metadata
from backups_app.catalog.run import run_moments
from backups_app.catalog.run.listed_runs import ListedRun
from backups_app.configuration import Configuration
from backups_app.use_cases.listing import listing

from .conftest import run_backup

Db = Database[dict[str, Any]]


@pytest.fixture
def two(seeded: Configuration) -> list[str]:
    """Two backups, newest first."""
    return [run_backup(delete_bookings=False).id for _ in range(2)][::-1]


def test_a_listed_backup_is_the_same_run_with_less_of_it(two: list[str], seeded: Configuration) -> None:
    listed = listing.list_runs(configuration=seeded)

    assert [run.id for run in listed] == two
    for run in listed:
        whole = listing.get_run(configuration=seeded, backup_id=run.id)
        assert isinstance(run, ListedRun) and "steps" not in run
        assert {name for name in run if run[name] != whole.get(name)} <= {"kept_changed", run_moments.READ_AT}
        assert run[run_moments.READ_AT] == run_moments.contents_read_at(whole) is not None
        assert listing.whole([run], configuration=seeded) == [whole]


def test_without_records_the_folders_say_the_same(two: list[str], seeded: Configuration, local_db: Db) -> None:
    before = [
        listing.public(run) for run in listing.whole(listing.list_runs(configuration=seeded), configuration=seeded)
    ]
    local_db["backup_metadata"].drop()

    listed = listing.list_runs(configuration=seeded)

    assert [run.id for run in listed] == two and all(run.verified for run in listed)
    after = [listing.public(run) for run in listing.whole(listed, configuration=seeded)]
    assert [run["steps"] for run in after] == [run["steps"] for run in before]
    assert listing.list_runs(configuration=seeded) == listed


def test_the_command_prints_runs_whole_and_only_so_many(two: list[str], seeded: Configuration) -> None:
    printed = StringIO()
    call_command("backup_list", "--json", "--limit", "1", stdout=printed)

    (run,) = json.loads(printed.getvalue())
    expected = listing.public(listing.get_run(configuration=seeded, backup_id=two[0]))
    assert run == json.loads(json.dumps(expected))
    assert [step["state"] for step in run["steps"]].count("done") > 3


@pytest.mark.parametrize("asked", [["--status", "failed"], ["--status", "unverified"], ["--since", "2100-01-01"]])
def test_where_none_matches_it_is_not_stated_that_there_is_none(
    asked: list[str], two: list[str], seeded: Configuration
) -> None:
    printed = StringIO()
    call_command("backup_list", *asked, stdout=printed)

    assert printed.getvalue() == "No backup matches.\n"


def test_an_unknown_status_is_refused(two: list[str], seeded: Configuration) -> None:
    with pytest.raises(CommandError, match="invalid choice: 'sucess'"):
        call_command("backup_list", "--status", "sucess")


def test_only_what_is_returned_is_looked_at(
    two: list[str], seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, readings = metadata.read_plain, list[str]()

    def counted(folder: Path) -> Any:
        readings.append(folder.name)
        return read(folder)

    monkeypatch.setattr(metadata, "read_plain", counted)

    assert [run.id for run in listing.list_runs(configuration=seeded, limit=1)] == two[:1]
    assert set(readings) == {f"backup_{two[0]}"}


def test_a_change_of_a_record_or_a_folder_is_in_the_next_list(
    two: list[str], seeded: Configuration, local_db: Db
) -> None:
    assert all(run.verified for run in listing.list_runs(configuration=seeded))
    local_db["backup_metadata"].update_one({"_id": two[0]}, {"$set": {"note": "before Diwali"}})
    file = seeded.backup_dir / f"backup_{two[1]}" / "metadata.json"
    file.write_text("{")

    newest, older = listing.list_runs(configuration=seeded)

    assert (newest.note, newest.damaged, older.damaged) == ("before Diwali", False, True)
