"""Collections and documents of a backup over the API."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson.decimal128 import Decimal128
from bson.objectid import ObjectId

from backups_app.browsing.search import search
from backups_app.configuration import Configuration
from backups_app.errors import CollectionPreparing, SearchBusy, TempleOpsError
from tests.api.conftest import backed_up
from tests.journeys.conftest import Db
from tests.security.conftest import Caller

ODD_NAMES = ["a/b", "a b", "%2e%2e", "~tilde", "<script>", "-rf", "பூஜை", "a\\b", "CON", "x\u202ey"]
ID = ObjectId("507f1f77bcf86cd799439011")


@pytest.fixture
def backup(worker: Configuration, caller: Caller, local_db: Db) -> str:
    """A backup of the temple, some odd names and one document of many types; returns the path of its collections."""
    local_db["types"].insert_one({
        "_id": ID, "name": "John Doe", "at": datetime(2025, 1, 19, 9, tzinfo=UTC), "amount": Decimal128("501.00"),
        "n": bson.Int64(2**53 + 1), "nan": float("nan"), "none": None, "blob": b"\x00\xff",
    })  # fmt: skip
    for name in ODD_NAMES:
        local_db[name].insert_one({"_id": name})
    return f"/api/backups/{backed_up(caller)['backup_id']}/collections"


def encoded(name: str) -> str:
    return "~" + base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def test_collections_are_reported_as_printed(backup: str, caller: Caller) -> None:
    found: Any = caller.get(backup).json()  # type: ignore[attr-defined]

    by_name = {one["collection_name"]: one for one in found}
    bookings = by_name["bookings"]
    assert bookings["document_count"] == 52
    assert bookings["file_size"].endswith((" KB", " B"))
    assert (bookings["verified"], bookings["indexes"]) == (True, ["_id_"])
    assert set(ODD_NAMES) <= by_name.keys()


def test_documents_are_relaxed_extended_json_as_printed(backup: str, caller: Caller) -> None:
    found: Any = caller.get(f"{backup}/types").json()  # type: ignore[attr-defined]

    assert (found["collection_name"], found["total_documents"]) == ("types", 1)
    [document] = found["documents"]
    assert document["_id"] == {"$oid": "507f1f77bcf86cd799439011"}
    assert document["at"] == {"$date": "2025-01-19T09:00:00Z"}
    assert document["nan"] == {"$numberDouble": "NaN"}


def test_plain_turns_ids_dates_and_decimals_into_strings(backup: str, caller: Caller) -> None:
    [document] = caller.get(f"{backup}/types?format=plain").json()["documents"]  # type: ignore[attr-defined]

    assert document["_id"] == "507f1f77bcf86cd799439011"
    assert document["at"].startswith("2025-01-19T09:00:00")
    assert document["amount"] == "501.00"


def test_every_name_can_be_addressed_encoded(backup: str, caller: Caller) -> None:
    for name in ODD_NAMES:
        found: Any = caller.get(f"{backup}/{encoded(name)}").json()  # type: ignore[attr-defined]
        assert (found["collection_name"], found["total_documents"]) == (name, 1)


def test_a_name_in_the_path_is_percent_decoded_once(backup: str, caller: Caller) -> None:
    for name in ("a%20b", "%252e%252e", "%3Cscript%3E", "-rf", "%E0%AE%AA%E0%AF%82%E0%AE%9C%E0%AF%88"):
        assert caller.get(f"{backup}/{name}").json()["total_documents"] == 1  # type: ignore[attr-defined]


def test_a_name_that_is_no_key_of_the_manifest_is_404(backup: str, caller: Caller) -> None:
    for name in ("nothing", "~!!!", "~_w", "~", "Bookings", "bookings.bson", "a", "types/"):
        answer: Any = caller.get(f"{backup}/{name}")
        assert (answer.status_code, answer.json()["code"]) in [(404, "collection_not_found"), (404, "not_found")], name


def test_pages_cover_the_collection_once(backup: str, caller: Caller) -> None:
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page: Any = caller.get(f"{backup}/bookings?limit=20&offset={offset}").json()  # type: ignore[attr-defined]
        assert page["total_documents"] == 52
        seen += [document["_id"] for document in page["documents"]]
        offset = page["next"]

    assert len(seen) == len(set(seen)) == 52


def test_beyond_the_end_is_an_empty_page(backup: str, caller: Caller) -> None:
    page: Any = caller.get(f"{backup}/bookings?offset=5000").json()  # type: ignore[attr-defined]

    assert (page["documents"], page["total_documents"], page["next"]) == ([], 52, None)


def test_search_is_a_literal_or_a_field(backup: str, caller: Caller) -> None:
    def found(search: str) -> Any:
        return caller.get(f"{backup}/bookings?search={search}").json()  # type: ignore[attr-defined]

    assert found("remote-3")["matched"] == 1
    assert found("_id:remote-3")["matched"] == 1
    assert found("%E0%AE%AA%E0%AE%95%E0%AF%8D%E0%AE%A4%E0%AE%B0%E0%AF%8D")["matched"] == 52
    assert found(".*")["matched"] == 0
    assert found("remote-3")["total_documents"] == 52


def test_what_is_asked_wrongly_is_422(backup: str, caller: Caller) -> None:
    for query in ("limit=1001", "limit=0", "offset=-1", "format=xml", f"search={'x' * 257}", "q=x"):
        answer: Any = caller.get(f"{backup}/bookings?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), query


@pytest.mark.parametrize(("refusal", "seconds"), [(SearchBusy(), "3"), (CollectionPreparing(percent=40), "1")])
def test_a_search_that_has_to_wait_says_for_how_long(
    backup: str, caller: Caller, monkeypatch: pytest.MonkeyPatch, refusal: TempleOpsError, seconds: str
) -> None:
    def wait(*_: object, **__: object) -> None:
        raise refusal

    monkeypatch.setattr(search, "find", wait)
    answer = caller.get(f"{backup}/bookings?search=doe")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, seconds), answer.content
    assert answer.json()["code"] == refusal.code  # type: ignore[attr-defined]
