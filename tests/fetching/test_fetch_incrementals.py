"""A base and its incrementals, copied to a target by the copying lane: on an empty machine an incremental comes back
with its base, and is what was live. Removed at the target in any order, none is lost that another needs."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo.database import Database

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import BackupNeeded, TempleOpsError
from backups_app.models import BackupCopy
from backups_app.progress import Silent
from backups_app.records import Origin
from backups_app.restore import export
from backups_app.runs import preparation
from backups_app.storage import copy_reading
from backups_app.storage.directory import DirectoryTarget
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import removing, work
from backups_app.use_cases.copies.acts import CopyRequest
from backups_app.use_cases.fetching import rows as fetch_rows
from backups_app.use_cases.restores import restores
from backups_app.use_cases.retention import facts
from tests.fetching.conftest import KEY, Copied, forget_the_store
from tests.journeys.conftest import contents, saved_documents
from tests.journeys.test_incremental_runs import full, incremental
from tests.journeys.test_restore import restore
from tests.storage import making

pytestmark = pytest.mark.django_db
Db = Database[dict[str, Any]]


@dataclass
class Chain:
    """A full backup and two incrementals, here and encrypted at the target; `live` is what the last one stands for."""

    configuration: Configuration
    target: DirectoryTarget
    runs: list[RunRecord]
    live: dict[str, dict[bytes, bytes]]

    @property
    def ids(self) -> list[str]:
        return [run.id for run in self.runs]

    def there(self) -> set[str]:
        return {one.backup_id for one in copy_reading.find(self.target) if one.problem is None}


@pytest.fixture
def chain(configured: Configuration, local_db: Db, tmp_path: Path, db: None) -> Iterator[Chain]:
    target = making.directory_target(tmp_path / "nas", database=configured.database_name)
    settings = TargetSettings(name="nas", kind="file", place=str(target.root))
    configuration = replace(configured, cloud_url=Secret(""), targets=(settings,), copy_recipients=(KEY.public,))
    local_db["bookings"].insert_many([{"_id": n, "name": "Lakshmi"} for n in range(200)])
    local_db["bookings"].create_index("name", name="by_name")
    with override_settings(TEMPLEOPS=configuration):
        runs = [full()]
        for number in (1, 2):
            local_db["bookings"].update_one({"_id": number}, {"$set": {"name": f"edited {number}"}})
            local_db["bookings"].delete_one({"_id": 100 + number})
            runs.append(incremental())
        assert {run.incremental.base for run in runs[1:]} == {runs[0].id}
        assert work.copy_what_is_lacking(configuration=configuration) == 3
        yield Chain(configuration=configuration, target=target, runs=runs, live=contents(local_db))


def burned(chain: Chain, folder: Path) -> Copied:
    """Backups, their database and what is known of their copies are gone."""
    configuration = replace(chain.configuration, backup_dir=folder / "new")
    shutil.rmtree(chain.configuration.backup_dir)
    BackupCopy.objects.all().delete()
    forget_the_store(configuration)
    return Copied(configuration=configuration, target=chain.target, made=chain.ids, burned=folder)


def test_an_incremental_without_its_base_at_the_target_is_listed_as_not_complete(chain: Chain) -> None:
    base, first, last = chain.ids
    (manifest,) = (one.object_name for one in copy_reading.find(chain.target) if one.backup_id == base)
    chain.target.delete(manifest)

    found = fetch_rows.at_target(configuration=chain.configuration, target=chain.target, identities=[])

    assert {row.backup_id: (row.state, row.error and row.error.code) for row in found} == {
        first: ("failed", "copy_not_found"), last: ("failed", "copy_not_found"),
    }  # fmt: skip


@pytest.mark.parametrize("wanted", ["latest", "the id"])
def test_an_incremental_comes_back_with_its_base_and_is_what_was_live(
    chain: Chain, local_db: Db, tmp_path: Path, wanted: str
) -> None:
    copied = burned(chain, tmp_path)
    base, _, last = chain.ids
    assert contents(local_db) == {}

    with override_settings(TEMPLEOPS=copied.configuration):
        fetched = copied.fetch(last if wanted == "the id" else wanted)
        whole = restores.choose(configuration=copied.configuration, backup_id=last)
        run = restore(copied.configuration, whole)
        again = incremental()

    assert [(one.choice.backup_id, one.error) for one in fetched] == [(base, None), (last, None)]
    assert run["status"] == "success"
    assert contents(local_db) == chain.live
    assert [index["name"] for index in local_db["bookings"].list_indexes()] == ["_id_", "by_name"]
    assert again.incremental.read in ("", "all")  # no stream of another life is trusted


def test_all_of_them_come_back_and_each_can_be_exported(chain: Chain, tmp_path: Path) -> None:
    copied = burned(chain, tmp_path)

    with override_settings(TEMPLEOPS=copied.configuration):
        fetched = copied.fetch("all")
        store = preparation.store(copied.configuration)
        exported = [
            export.export(
                folder=store.folder(one), manifest=preparation.manifest_of(store, backup_id=one),
                out=tmp_path / f"exported-{one}", progress=Silent(),
            )
            for one in chain.ids
        ]  # fmt: skip

    assert [one.error for one in fetched] == [None, None, None]
    assert {one.choice.backup_id for one in fetched} == set(chain.ids)
    held = [saved_documents(one.path, chain.configuration.database_name, "bookings") for one in exported]
    assert [len(one) for one in held] == [200, 199, 198]
    assert held[-1] == chain.live["bookings"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_removed_at_the_target_in_any_order_none_is_lost_that_another_needs(
    chain: Chain, order: tuple[int, ...], tmp_path: Path
) -> None:
    asked = CopyRequest(
        configuration=chain.configuration, requested_by="ananya", origin=Origin.COMMAND, now=datetime.now(UTC)
    )
    refused = []
    for place in order:
        backup_id = chain.ids[place]
        try:
            removing.remove(asked, backup_id=backup_id, target="nas", typed=backup_id)
        except BackupNeeded:
            refused.append(place)
        there = chain.there()
        assert chain.ids[0] in there or not there

    assert refused == ([] if order[-1] == 0 else [0])
    assert chain.there() == ({chain.ids[0]} if refused else set())


def test_a_base_removed_at_the_target_leaves_no_incremental_that_counts(chain: Chain) -> None:
    """A target may lose an object by other hands: then the incremental cannot be read from it, and says so."""
    base, first, _ = chain.ids
    for one in copy_reading.find(chain.target, only=base):
        chain.target.delete(one.object_name)
    with suppress(TempleOpsError):
        burning = replace(chain.configuration, backup_dir=chain.configuration.backup_dir.parent / "other")
        forget_the_store(burning)
        copied = Copied(configuration=burning, target=chain.target, made=chain.ids, burned=Path())
        with override_settings(TEMPLEOPS=burning):
            fetched = copied.fetch(first)

    assert [one.choice.backup_id for one in fetched] == [first]
    assert fetched[0].error is not None
    assert preparation.store(burning).backups().ids == ()


def test_the_latest_is_one_whose_base_is_there(chain: Chain, local_db: Db, tmp_path: Path) -> None:
    """The newest incremental, whose base is gone at the target, is named; the newest that can be read comes back."""
    with override_settings(TEMPLEOPS=chain.configuration):
        later = full()
        local_db["bookings"].update_one({"_id": 7}, {"$set": {"name": "edited later"}})
        last = incremental()
        assert last.incremental.base == later.id
        assert work.copy_what_is_lacking(configuration=chain.configuration) == 2
    for one in copy_reading.find(chain.target, only=later.id):
        chain.target.delete(one.object_name)
    copied = burned(chain, tmp_path)

    with override_settings(TEMPLEOPS=copied.configuration):
        fetched = copied.fetch("latest")

    base, _, newest_whole = chain.ids
    named = [(one.choice.backup_id, getattr(one.error, "code", None)) for one in fetched]
    assert named == [(last.id, "copy_not_found"), (base, None), (newest_whole, None)]


def test_an_incremental_has_no_copy_where_its_base_has_none(chain: Chain) -> None:
    base, first, last = chain.ids
    BackupCopy.objects.filter(backup_id=base).delete()

    with override_settings(TEMPLEOPS=chain.configuration):
        known = facts.read(configuration=chain.configuration)

    assert [known.of(one).copied for one in (base, first, last)] == [False, False, False]
