"""With which rights a dump succeeds on a server that asks for them, and what is stated where they do not suffice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from backups_app.dump import engine
from backups_app.dump.report import DumpReport
from backups_app.errors import DumpFailed
from backups_app.mongo import mongodump_process
from backups_app.progress import Silent
from backups_app.verification import verdict
from tests.guarded import guarded_server, uri

ENGINES = ["python", "mongodump"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a mongod with access control, three users, and a database with a time-series collection."""
    with guarded_server(tmp_path_factory.mktemp("guarded")) as address:
        _furnish(address)
        yield address


def _furnish(address: str) -> None:
    with MongoClient[Any](uri(address)) as client:
        client["temple"]["bookings"].insert_many([{"_id": number} for number in range(100)])
        client["temple"].create_collection("weather", timeseries={"timeField": "at"})
        client["temple"]["weather"].insert_one({"at": datetime.now(UTC)})
        client.admin.command("createUser", "reader", pwd="secret", roles=[{"role": "read", "db": "temple"}])
        client.admin.command("createUser", "writer", pwd="secret", roles=[{"role": "readWrite", "db": "temple"}])
        client.admin.command("createUser", "keeper", pwd="secret", roles=["backup"])


def dump(setting: str, address: str, user: str, folder: Path, excluded: frozenset[str]) -> DumpReport:
    if setting == "mongodump" and mongodump_process.find("mongodump") is None:
        pytest.skip("mongodump is not on PATH, so the real one was not tried.")
    with MongoClient[Any](uri(address, user)) as client:
        return engine.choose(setting=setting).dump(
            database=client["temple"],
            uri=uri(address, user),
            out=folder,
            excluded=excluded,
            timeout_seconds=60,
            progress=Silent(),
        )


@pytest.mark.parametrize("user", ["reader", "writer"])
@pytest.mark.parametrize("setting", ENGINES)
def test_the_right_to_read_is_enough_for_ordinary_collections(
    guarded: str, a_folder: Path, setting: str, user: str
) -> None:
    report = dump(setting, guarded, user, a_folder, frozenset({"weather"}))

    verified = verdict.verify(folder=a_folder, database="temple", report=report, progress=Silent())
    assert verified.manifest.documents == 100
    assert report.deleted_meanwhile is None


@pytest.mark.parametrize("setting", ENGINES)
def test_a_time_series_needs_the_role_of_a_backup_and_that_is_stated(
    guarded: str, a_folder: Path, setting: str
) -> None:
    with pytest.raises(DumpFailed) as failure:
        dump(setting, guarded, "reader", a_folder, frozenset())

    assert 'need the role "backup" on admin' in failure.value.detail


@pytest.mark.parametrize("setting", ENGINES)
def test_with_that_role_everything_is_dumped(guarded: str, a_folder: Path, setting: str) -> None:
    report = dump(setting, guarded, "keeper", a_folder, frozenset())

    verified = verdict.verify(folder=a_folder, database="temple", report=report, progress=Silent())
    assert verified.manifest.documents == 101
