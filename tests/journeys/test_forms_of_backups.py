"""Each form of a backup, plain or compressed, through every face: they all see the same whole state."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC
from io import StringIO
from typing import Any

import bson
import pytest
from django.core.management import call_command
from django.test import override_settings
from pymongo.database import Database

from backups_app.browsing.compare import compare
from backups_app.browsing.reading import collections, documents
from backups_app.configuration import Configuration
from backups_app.models import User
from backups_app.mongo import mongodump_process
from backups_app.records import PURGEABLE_ALWAYS, Origin
from backups_app.runs import preparation
from backups_app.use_cases import verification
from backups_app.use_cases.backups import backups
from backups_app.use_cases.finding import finding, found_places
from backups_app.use_cases.restores import restores
from tests.journeys.conftest import contents, now, raw_documents, run_backup

pytestmark = pytest.mark.django_db
Db = Database[dict[str, Any]]
Made = Callable[[], str]
GZIP = {"backup_compression": "gzip"}
CHANGED = ("bookings", "devotees", "events")
FORMS: dict[str, dict[str, Any]] = {
    "gzip": GZIP,
    "gzip by mongodump": GZIP | {"backup_engine": "mongodump"},
    "incremental": {},
    "incremental gzip": GZIP,
}


@pytest.fixture(params=FORMS)
def made(request: pytest.FixtureRequest, seeded: Configuration, local_db: Db) -> Iterator[Made]:
    """Make a backup of this form. An incremental begins from a full one that holds other documents."""
    wanted = dict(FORMS[request.param])
    if wanted.get("backup_engine") == "mongodump" and mongodump_process.find("mongodump") is None:
        pytest.skip("mongodump is not on PATH, so no run was made with it.")

    incremental = request.param.startswith("incremental")
    bases: list[str] = []

    def make() -> str:
        if incremental and not bases:
            bases.append(_base_with_other_documents(local_db))
        run = run_backup(delete_bookings=False, incremental=incremental)
        assert run["status"] == "success", run["error_message"]
        assert run.incremental.base == (bases[0] if incremental else None)
        return run.id

    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, **wanted)):
        yield make


def _base_with_other_documents(database: Db) -> str:
    """Make a full backup while documents are changed, missing and too many, and make them again what they were."""
    run_backup(delete_bookings=False)  # so that both sides are the same
    before = {name: list(database[name].find()) for name in database.list_collection_names() if name in CHANGED}
    for name in before:
        database[name].update_many({"updatedAt": {"$exists": True}}, {"$set": {"old": "x" * 40}})
        database[name].insert_many([{"_id": f"too many {n}", "phone": f"too many {n}"} for n in range(7)])
        database[name].delete_one({})
    base = run_backup(delete_bookings=False)
    for name, documents_before in before.items():
        database[name].delete_many({})
        database[name].insert_many(documents_before)
    return base.id


def test_it_holds_what_the_database_holds(made: Made, seeded: Configuration, local_db: Db) -> None:
    backup_id = made()
    store = preparation.store(seeded)

    live = {name: held for name, held in contents(local_db).items() if name not in PURGEABLE_ALWAYS}
    for name, expected in live.items():
        page = documents.page(store=store, backup_id=backup_id, collection=name, limit=1000)
        held = {bson.encode({"_id": bson.decode(one.frame)["_id"]}): one.frame for one in page.documents}
        assert held == expected, name
        assert page.total == len(expected)
    assert described(seeded, backup_id)["devotees"] == ("_id_", "phone_1")


def described(configuration: Configuration, backup_id: str) -> dict[str, tuple[str, ...]]:
    listed = collections.of_backup(store=preparation.store(configuration), backup_id=backup_id)
    return {one.name: one.indexes for one in listed}


def test_any_page_is_the_same_stretch_of_the_whole(made: Made, seeded: Configuration, local_db: Db) -> None:
    local_db["events"].insert_many([{"_id": n, "name": f"event {n}", "note": "x" * (n % 50)} for n in range(2_600)])
    backup_id = made()
    where: dict[str, Any] = {"store": preparation.store(seeded), "backup_id": backup_id, "collection": "events"}

    pages = [documents.page(**where, offset=at, limit=130).documents for at in range(0, 2_600, 130)]
    whole = [one for page in pages for one in page]

    assert [one.number for one in whole] == list(range(2_600))
    assert {bson.decode(one.frame)["_id"] for one in whole} == set(range(2_600))
    for number in (0, 999, 1_000, 1_001, 2_599):
        assert documents.document_at(**where, number=number).frame == whole[number].frame


def test_it_is_found_compared_and_verified(made: Made, seeded: Configuration, local_db: Db, admin: User) -> None:
    before = made()
    local_db["bookings"].update_one({"_id": "bookings-7"}, {"$set": {"amount": 77_777}})
    local_db["bookings"].delete_one({"_id": "bookings-8"})
    local_db["bookings"].insert_one({"_id": "bookings-new", "amount": 1})
    after = made()
    store = preparation.store(seeded)

    different = {one.name: one for one in compare.of_backups(store=store, a=before, b=after, only=["bookings"])}
    again = compare.of_backups(store=store, a=after, b=after, only=["bookings", "devotees"])
    found = finding.begin(
        configuration=seeded, words="77777", only_lost=False, person=admin, origin=Origin.API, now=now(), zone=UTC,
        seconds=30,
    )  # fmt: skip
    (one,) = found_places.placed(configuration=seeded, state=found.state, query=found.query)
    verified = verification.verify_backup(
        configuration=seeded, backup_id=after, requested_by="ananya", origin=Origin.COMMAND, now=now()
    )

    bookings = different["bookings"]
    assert (bookings.only_a, bookings.only_b, bookings.changed, bookings.same) == (1, 1, 1, 50)
    assert [one.changed + one.only_a + one.only_b for one in again] == [0, 0]
    assert [version.backup_ids for version in one.versions] == [(after,)]
    assert verified["verified"], verified


def test_it_is_previewed_restored_and_rehearsed(made: Made, seeded: Configuration, local_db: Db) -> None:
    made()
    local_db["devotees"].update_many({"_id": {"$lt": 4}}, {"$set": {"name": "Lakshmi"}})
    local_db["devotees"].delete_many({"_id": {"$gt": 27}})
    saved = contents(local_db)
    backup_id = made()
    local_db["devotees"].delete_many({"_id": {"$lt": 10}})
    local_db["devotees"].update_one({"_id": 20}, {"$set": {"name": "edited"}})
    local_db["devotees"].insert_one({"_id": 99, "phone": "new"})

    choices = restores.choose(configuration=seeded, backup_id=backup_id, collections=["devotees"], mode="replace")
    shown = restores.preview_restore(configuration=seeded, choices=choices)
    started = restores.start(
        choices=choices, confirmation=shown.confirmation, created_by="ananya", origin=Origin.COMMAND, now=now(),
        enqueue=False,
    )  # fmt: skip
    restored = backups.execute(backup_id=started.id)
    rehearsed = json_of("backup_rehearse", backup_id)

    assert (shown.total("insert"), shown.total("replace"), shown.total("delete")) == (10, 1, 1)
    assert restored["status"] == "success"
    assert contents(local_db) == saved
    assert rehearsed["status"] == "success", rehearsed


def test_one_document_comes_back_into_a_test_copy(made: Made, seeded: Configuration, local_db: Db) -> None:
    made()
    local_db["devotees"].update_one({"_id": 3}, {"$set": {"name": "Meenakshi"}})
    backup_id = made()
    into = f"{local_db.name}_copy"

    run = json_of("backup_restore", backup_id, "--collections", "devotees", "--to", into, "--confirm", "RESTORE")

    try:
        assert run["status"] == "success", run
        copied = local_db.client[into]
        assert raw_documents(copied, "devotees") == raw_documents(local_db, "devotees")
    finally:
        local_db.client.drop_database(into)


def json_of(*arguments: str) -> Any:
    out = StringIO()
    try:
        call_command(*arguments, "--json", stdout=out, stderr=StringIO())
    except SystemExit as ended:
        assert not ended.code, out.getvalue()
    return json.loads(out.getvalue())
