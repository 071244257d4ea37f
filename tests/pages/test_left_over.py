"""What a sync could not bring together is named on the pages, in both languages."""

from __future__ import annotations

from typing import Any

from bson.raw_bson import RawBSONDocument
from django.test import Client

from backups_app.configuration import Configuration
from tests.pages.test_hindi import carried_out, read
from tests.sync.test_odd_ones import _measurement


def _odd_things(local_db: Any, remote_db: Any) -> None:
    """A view against a collection, a measurement without an `_id`, an `_id` that a collation takes for another."""
    local_db.create_collection("shadow", viewOn="devotees", pipeline=[])
    remote_db["shadow"].insert_one({"_id": 1})
    local_db.create_collection("lamps", timeseries={"timeField": "at"})
    local_db.command({"insert": "lamps", "documents": [RawBSONDocument(_measurement(1))]})
    remote_db.create_collection("names", collation={"locale": "en", "strength": 1})
    remote_db["names"].insert_one({"_id": "ANNA"})
    local_db["names"].insert_many([{"_id": "anna"}, {"_id": "Bob"}])


def test_run_status_and_log_name_each_and_say_what_to_do(
    seeded: Configuration, admin_browser: Client, hindi: Client, local_db: Any, remote_db: Any
) -> None:
    _odd_things(local_db, remote_db)

    run = carried_out()

    assert run["status"] == "partial"
    page = admin_browser.get(f"/admin/backups/runs/{run['_id']}/").content.decode()
    for message in (
        "shadow: not synced, it is a view here and a collection on Atlas",
        "SYNC_EXCLUDE",
        "lamps",
        "names",
    ):
        assert message in page
    log = admin_browser.get(f"/admin/backups/syncs/{run['_id']}/").content.decode()
    for message in ("Incomplete", "they have no _id on the local side", "collation", "<code>anna</code>",
                 "<code>ANNA</code>"):  # fmt: skip
        assert message in log
    card = admin_browser.get("/admin/backups/?check=1").content.decode()
    assert "Needs attention" in card
    assert "Your data is protected" not in card
    for address in (f"/admin/backups/runs/{run['_id']}/", f"/admin/backups/syncs/{run['_id']}/", "/admin/backups/"):
        read(hindi, address, names=("anna", "ANNA", "shadow", "lamps", "names"))
