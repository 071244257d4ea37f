"""Find everywhere over the API: from words to the backup that holds a deleted booking, and its restore."""

from __future__ import annotations

from typing import Any

from backups_app.configuration import Configuration
from tests.api.conftest import backed_up
from tests.journeys.conftest import Db
from tests.security.conftest import Caller


def test_a_deleted_booking_is_found_and_restored_from_there(
    worker: Configuration, caller: Caller, local_db: Db
) -> None:
    backup_id = backed_up(caller, delete_bookings=True)["backup_id"]
    assert local_db["bookings"].count_documents({}) == 0

    found: Any = caller.get('/api/find?q="bookings-7"').json()  # type: ignore[attr-defined]
    while found["next"]:
        found = caller.get(f'/api/find?q="bookings-7"&cursor={found["next"]}').json()  # type: ignore[attr-defined]

    (one,) = found["results"]
    assert (one["collection_name"], one["id"], one["deleted_by"]) == ("bookings", "bookings-7", backup_id)
    assert one["live"] == {"local": False, "remote": False}
    assert {"name": "name", "text": "பக்தர் 7"} in one["preview"]
    (version,) = one["versions"]
    page: Any = caller.get(
        f"/api/backups/{version['backup_ids'][0]}/collections/bookings?offset={version['offset']}&limit=1"
    ).json()  # type: ignore[attr-defined]
    assert page["documents"][0]["_id"] == "bookings-7"
    chosen = {"collections": ["bookings"], "id": one["id"]}
    preview: Any = caller.send("POST", f"/api/backups/{one['last_found_in']}/restore", chosen).json()  # type: ignore[attr-defined]
    assert preview["totals"]["insert"] == 1


def test_what_is_asked_wrongly_and_what_is_not_kept(worker: Configuration, caller: Caller) -> None:
    refusals = {
        "/api/find": 422,
        "/api/find?q=": 422,
        f"/api/find?q={'x' * 257}": 422,
        "/api/find?q=a&where=b": 422,
        "/api/find?q=a&cursor=nothing.1": 410,
    }

    assert {address: caller.get(address).status_code for address in refusals} == refusals
